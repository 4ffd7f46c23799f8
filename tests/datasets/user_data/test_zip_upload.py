"""A .zip of images: it becomes a dataset below the first root, whole or not at all, and never lands elsewhere."""

import io
import os
import stat
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from nap_core import datasets
from nap_core.datasets.passed_over import Tally
from nap_core.datasets.user_data import registry, uploads, zip_upload
from nap_core.errors import UserError
from nap_core.storage import atomic_folders

REPOSITORY = Path(__file__).resolve().parents[3]


def picture(colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(buffer, "PNG")
    return buffer.getvalue()


def packed(files: Mapping[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer


def everything(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_class_folders_stay_and_what_is_no_image_is_passed_over(data_root: Path) -> None:
    files = {"wren/1.png": picture(), "owl/2.png": picture("blue"), "read me.txt": b"", "__MACOSX/wren/._1.png": b"x"}
    seen = []
    tally = Tally()
    name = zip_upload.unpack(packed(files), "My birds.zip", lambda done, total: seen.append((done, total)), tally)
    assert {one.kind: one.files for one in tally.all()} == {
        "ending in .txt": ("read me.txt",),
        "hidden": ("__MACOSX/wren/._1.png",),
    }
    assert name == "own:My-birds"
    assert seen == [(1, 2), (2, 2)]
    assert everything(data_root / "My-birds") == [uploads.MARK, "owl", "owl/2.png", "wren", "wren/1.png"]
    assert everything(data_root)[0] == "My-birds"
    found = datasets.load(name)
    assert (len(found), found.classes) == (2, ("owl", "wren"))


def test_a_single_folder_around_everything_is_taken_off(data_root: Path) -> None:
    name = zip_upload.unpack(packed({"b/wren/1.png": picture(), "b/owl/2.png": picture()}), "b.zip")
    assert datasets.find(name).classes == ("owl", "wren")


def test_the_same_name_twice_overwrites_nothing(data_root: Path) -> None:
    names = [zip_upload.unpack(packed({"1.png": picture(colour)}), "b.zip") for colour in ("red", "blue")]
    assert names == ["own:b", "own:b-2"]
    assert [datasets.load(name).image(0).getpixel((0, 0)) for name in names] == [(255, 0, 0), (0, 0, 255)]


@pytest.mark.parametrize(
    "place",
    ["../out.png", "a/../../out.png", "/out.png", "..\\out.png", "C:\\out.png", "a/../1.png"],
)
def test_nothing_is_written_outside(data_root: Path, place: str) -> None:
    before = everything(data_root.parent)
    with pytest.raises(UserError, match="outside its folder"):
        zip_upload.unpack(packed({"1.png": picture(), place: picture()}), "b.zip")
    assert everything(data_root.parent) == before


def test_links_are_refused(data_root: Path) -> None:
    buffer = packed({"1.png": picture()})
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo("2.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UserError, match="holds a link"):
        zip_upload.unpack(buffer, "b.zip")
    assert everything(data_root) == []


def test_a_bomb_is_answered_with_a_sentence(data_root: Path) -> None:
    with pytest.raises(UserError, match="unpacks to more than 200 times its size"):
        zip_upload.unpack(packed({"1.bmp": bytes(20 * 2**20)}), "bomb.zip")
    assert everything(data_root) == []


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [
        ("MAX_BYTES", 100, "unpacks to more than 0 GiB"),
        ("MAX_FILES", 2, "more than 2 images"),
        ("MAX_ENTRIES", 2, "holds 3 files; up to 2"),
    ],
)
def test_limits(data_root: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, sentence: str) -> None:
    monkeypatch.setattr(zip_upload, limit, value)
    with pytest.raises(UserError, match=sentence):
        zip_upload.unpack(packed({f"{index}.png": picture() for index in range(3)}), "b.zip")
    assert everything(data_root) == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no .zip archive, or is damaged"),
        (b"not a zip", "no .zip archive, or is damaged"),
        (packed({"1.png": picture()}).getvalue()[:-30], "no .zip archive, or is damaged"),
        (packed({"1.txt": b"x"}).getvalue(), "holds no images"),
        (packed({}).getvalue(), "holds no images"),
    ],
)
def test_what_is_no_archive_of_images_is_refused(data_root: Path, data: bytes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        zip_upload.unpack(io.BytesIO(data), "b.zip")
    assert everything(data_root) == []


def test_flipped_bytes_are_refused(data_root: Path) -> None:
    data = bytearray(packed({"1.png": picture()}).getvalue())
    data[45] ^= 0xFF
    with pytest.raises(UserError, match="damaged"):
        zip_upload.unpack(io.BytesIO(data), "b.zip")
    assert everything(data_root) == []


def test_a_kill_between_unpacking_and_the_rename_leaves_no_dataset(data_root: Path, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(packed({"1.png": picture()}).getvalue())
    script = """
        import os, sys
        from nap_core.datasets.user_data import zip_upload
        zip_upload.commit = lambda *_: os._exit(9)
        with open(sys.argv[1], "rb") as file:
            zip_upload.unpack(file, "b.zip")
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "b.zip")]
    killed = subprocess.run(command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=False)
    assert killed.returncode == 9
    [left] = data_root.iterdir()
    assert left.name.startswith(atomic_folders.PREFIX)
    assert registry.names() == ()
    os.utime(left, (0, 0))
    zip_upload.unpack(packed({"1.png": picture()}), "b.zip")
    assert [path.name for path in data_root.iterdir()] == ["b"]
