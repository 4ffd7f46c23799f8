"""Names of a user's own files: they fit into an address, and lead nowhere but below the allowed roots."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nap_core.storage import allowed_folders


def test_the_default_root_lies_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAP_DATA_ROOTS")
    assert allowed_folders.paths() == (allowed_folders.user_folder() / "data",)


def test_several_roots_of_which_the_first_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first / "birds", second / "birds", second / "fish"):
        folder.mkdir(parents=True)
    monkeypatch.setenv("NAP_DATA_ROOTS", os.pathsep.join([str(first), str(tmp_path / "absent"), str(second)]))
    assert allowed_folders.locate("own:birds") == first / "birds"
    assert allowed_folders.locate("own:fish") == second / "fish"


@given(st.lists(st.text(st.characters(exclude_characters="/\\:\0", codec="utf-8"), min_size=1, max_size=8), min_size=1))
def test_names_have_no_comma_and_are_told_apart(parts: list[str]) -> None:
    root = Path("/somewhere")
    name = allowed_folders.name_of(root.joinpath(*parts), root)
    assert "," not in name
    back = name.removeprefix("own:").replace("%2C", ",").replace("%25", "%")
    assert back == root.joinpath(*parts).relative_to(root).as_posix()


def test_a_comma_in_a_name_is_found_again(data_root: Path) -> None:
    odd = data_root / "black, white 100%25"
    odd.mkdir()
    assert allowed_folders.locate(allowed_folders.name_of(odd, data_root)) == odd


@pytest.mark.parametrize(
    "name",
    [
        "own:../outside",
        "own:birds/../../outside",
        "own:/etc",
        "own:",
        "own:birds//",
        "own:..\\outside",
        "own:C:/x",
        "own:.hidden",
        "own:link",
        "own:link/inner",
        "own:circle",
        "own:absent",
        "own:a\0b",
        "birds",
    ],
)
def test_nothing_outside_a_root_is_found(data_root: Path, name: str) -> None:
    (data_root.parent / "outside" / "inner").mkdir(parents=True)
    for folder in ("birds", ".hidden"):
        (data_root / folder).mkdir()
    (data_root / "link").symlink_to(data_root.parent / "outside")
    (data_root / "circle").symlink_to(data_root / "circle")
    assert allowed_folders.locate(name) is None


def test_a_root_that_is_not_there_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAP_DATA_ROOTS", str(tmp_path / "absent"))
    assert allowed_folders.listed(lambda entry: True) == []
