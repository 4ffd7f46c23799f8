"""What was uploaded can be removed; what the app did not write is never touched."""

import json
from pathlib import Path

import pytest

from nap_core.datasets.user_data import registry, uploads, zip_upload
from nap_core.errors import UserError
from tests.datasets.user_data.test_zip_upload import packed, picture


def uploaded() -> str:
    return zip_upload.unpack(packed({"wren/1.png": picture(), "owl/2.png": picture("blue")}), "birds.zip")


def test_an_upload_is_removed(data_root: Path) -> None:
    name = uploaded()
    assert uploads.names() == (name,)
    uploads.remove(name)
    assert list(data_root.iterdir()) == []
    assert registry.names() == uploads.names() == ()


def test_files_that_came_later_stay(data_root: Path) -> None:
    name = uploaded()
    mine = data_root / "birds" / "wren" / "mine.png"
    mine.write_bytes(picture("green"))
    uploads.remove(name)
    assert [path for path in data_root.rglob("*") if path.is_file()] == [mine]
    assert not (data_root / "birds" / "owl").exists()
    assert uploads.names() == ()


def test_a_folder_of_the_users_is_not_removed(data_root: Path) -> None:
    (data_root / "garden").mkdir()
    (data_root / "garden" / "1.png").write_bytes(picture())
    assert uploads.names() == ()
    with pytest.raises(UserError, match="“garden” was not uploaded here, so it is not removed"):
        uploads.remove("own:garden")
    assert (data_root / "garden" / "1.png").exists()


@pytest.mark.parametrize(
    "content", ["no json", "[]", '{"files": [1]}', '{"files": ["../precious.png"]}', '{"files": []}']
)
def test_a_mark_that_makes_no_sense_removes_nothing(data_root: Path, content: str) -> None:
    precious = data_root / "precious.png"
    precious.write_bytes(picture())
    uploaded()
    (data_root / "birds" / uploads.MARK).write_text(content)
    assert uploads.names() == ()
    with pytest.raises(UserError):
        uploads.remove("own:birds")
    assert precious.exists()


def test_a_link_is_not_followed(data_root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "1.png").write_bytes(picture())
    (elsewhere / uploads.MARK).write_text(json.dumps({"files": ["1.png"]}))
    (data_root / "birds").symlink_to(elsewhere)
    assert uploads.names() == ()
    with pytest.raises(UserError):
        uploads.remove("own:birds")
    assert (elsewhere / "1.png").exists()
