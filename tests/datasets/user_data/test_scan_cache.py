"""What is kept of a folder's images: taken where nothing changed, looked at again where anything did."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core.datasets import from_folder
from nap_core.datasets.user_data import scan


def picture(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5, 3), level, np.uint8)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "birds"
    for index in range(4):
        picture(root / f"class{index % 2}" / f"{index}.png", 40 * index)
    (root / "class0" / "broken.png").write_bytes(b"this is no picture")
    return root


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are decoded, in their order."""
    seen: list[str] = []
    examine = scan.examine

    def noting(data: bytes, name: str):
        seen.append(name)
        return examine(data, name)

    monkeypatch.setattr(scan, "examine", noting)
    return seen


def test_what_has_not_changed_is_not_decoded_again(root: Path, tmp_path: Path, decoded: list[str]) -> None:
    first = from_folder(root, cache=tmp_path / "kept")
    assert len(decoded) == 5
    decoded.clear()
    again = from_folder(root, cache=tmp_path / "kept")
    assert decoded == []
    assert (again.fingerprint, again.files, again.unreadable) == (first.fingerprint, first.files, first.unreadable)
    assert again.fingerprint == from_folder(root).fingerprint


def test_what_has_changed_is(root: Path, tmp_path: Path, decoded: list[str]) -> None:
    first = from_folder(root, cache=tmp_path / "kept")
    decoded.clear()
    picture(root / "class1" / "1.png", 200)
    os.utime(root / "class1" / "1.png", ns=(0, 1))
    picture(root / "class1" / "new.png", 7)
    (root / "class0" / "0.png").unlink()
    again = from_folder(root, cache=tmp_path / "kept")
    assert sorted(decoded) == ["class1/1.png", "class1/new.png"]
    assert again.fingerprint not in (first.fingerprint, "") and again.fingerprint == from_folder(root).fingerprint


def test_only_the_first_images_are_decoded_where_no_more_are_wanted(tmp_path: Path, decoded: list[str]) -> None:
    root, kept = tmp_path / "many", tmp_path / "kept"
    for index in range(30):
        picture(root / f"{index % 3}" / f"{index:02d}.png", index)
    first = from_folder(root, cache=kept, first=4)
    assert len(decoded) == 4 and len(first) == 30
    decoded.clear()
    again = from_folder(root, cache=kept, first=4)
    assert decoded == [] and (again.files, again.fingerprint) == (first.files, first.fingerprint)
    whole = from_folder(root, cache=kept)
    assert len(decoded) == 26 and whole.files == first.files
    assert len({whole.fingerprint, first.fingerprint, from_folder(root, first=5).fingerprint}) == 3
    decoded.clear()
    assert from_folder(root, cache=kept, first=4).fingerprint == whole.fingerprint  # all is known: one store entry
    assert decoded == []


def test_the_first_images_are_the_same_whatever_the_cache_holds(root: Path, tmp_path: Path) -> None:
    """An unreadable file is left out of them; that all files were scanned meanwhile changes nothing."""
    (root / "class1" / "torn.png").write_bytes(b"no picture")
    before = from_folder(root, cache=tmp_path / "kept", first=3)
    from_folder(root, cache=tmp_path / "kept")
    after = from_folder(root, cache=tmp_path / "kept", first=3)
    assert (before.files[:3], before.fingerprint) == (after.files[:3], after.fingerprint)


def test_a_window_needs_a_look_at_all(root: Path, decoded: list[str]) -> None:
    for path in root.glob("*/*.png"):
        Image.fromarray(np.full((4, 5), 4000, np.uint16)).save(path)
    found = from_folder(root, first=2)
    assert len(set(decoded)) == 5 and found.windows


def test_folders_are_kept_apart(root: Path, tmp_path: Path, decoded: list[str]) -> None:
    from_folder(root, cache=tmp_path / "kept")
    other = tmp_path / "elsewhere" / "birds"
    picture(other / "class0" / "0.png", 99)
    decoded.clear()
    from_folder(other, cache=tmp_path / "kept")
    assert decoded == ["class0/0.png"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:50],
        lambda text: "[]",
        lambda text: json.dumps(json.loads(text) | {"format": 0}),
        lambda text: json.dumps(json.loads(text) | {"files": ["class0/0.png"]}),
        lambda text: json.dumps(json.loads(text) | {"files": {"class0/0.png": [1, 2, "zz", "", False, []]}}),
        lambda text: json.dumps(json.loads(text) | {"files": {"class0/0.png": [1, 2, "ab" * 32, "", False, [1, 2]]}}),
        lambda text: json.dumps(json.loads(text) | {"files": {"class0/0.png": None}}),
    ],
)
def test_what_is_damaged_was_not_kept(
    root: Path, tmp_path: Path, decoded: list[str], damage: Callable[[str], str]
) -> None:
    expected = from_folder(root, cache=tmp_path / "kept").fingerprint
    (file,) = (tmp_path / "kept").iterdir()
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    decoded.clear()
    assert from_folder(root, cache=tmp_path / "kept").fingerprint == expected
    assert len(decoded) == 5


def test_a_place_that_takes_nothing_is_no_hindrance(root: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file, not a folder")
    assert len(from_folder(root, cache=tmp_path / "kept")) == 4
