"""What is kept of a folder's images: taken where nothing changed, looked at again where anything did."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core.datasets import ImageDataset, from_folder
from nap_core.datasets.labels import labels_for
from nap_core.datasets.subset import subset
from nap_core.datasets.user_data import scan
from nap_core.datasets.user_data.options import Options
from nap_core.errors import UserError


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


def test_a_limit_decodes_no_more_than_it_needs(root: Path, tmp_path: Path, decoded: list[str]) -> None:
    whole = from_folder(root)
    decoded.clear()
    two = from_folder(root, cache=tmp_path / "kept", limit=2)
    assert (len(two), two.files) == (2, whole.files[:2])
    assert len(decoded) == 2 + len(two.unreadable)
    decoded.clear()
    assert from_folder(root, cache=tmp_path / "kept", limit=2).fingerprint == two.fingerprint != whole.fingerprint
    assert decoded == []
    assert from_folder(root, cache=tmp_path / "kept").fingerprint == whole.fingerprint
    assert len(decoded) == 3 - len(two.unreadable)
    decoded.clear()
    # The whole folder is known: what the store has of it serves a limit, too.
    assert from_folder(root, cache=tmp_path / "kept", limit=2).fingerprint == whole.fingerprint
    assert from_folder(root, limit=100).fingerprint == whole.fingerprint


def test_other_content_of_the_same_size_and_time_is_read_anew(tmp_path: Path, decoded: list[str]) -> None:
    root = tmp_path / "bitmaps"
    root.mkdir()
    for place, colour in (("a.bmp", 10), ("b.bmp", 20)):
        Image.new("RGB", (4, 4), (colour,) * 3).save(root / place)
        os.utime(root / place, (1e9, 1e9))
    first = from_folder(root, cache=tmp_path / "kept")
    Image.new("RGB", (4, 4), (99,) * 3).save(root / "a.bmp")
    os.utime(root / "a.bmp", (1e9, 1e9))
    decoded.clear()
    again = from_folder(root, cache=tmp_path / "kept")
    if os.name != "nt":
        assert decoded == ["a.bmp"]
        assert again.fingerprint != first.fingerprint
        with pytest.raises(UserError, match=r"“a\.bmp”.*has changed"):
            first.image(first.files.index("a.bmp"))
    assert first.image(first.files.index("b.bmp")).getpixel((0, 0)) == (20, 20, 20)


def test_a_window_needs_a_look_at_all(root: Path, decoded: list[str]) -> None:
    for path in root.glob("*/*.png"):
        Image.fromarray(np.full((4, 5), 4000, np.uint16)).save(path)
    found = from_folder(root, limit=2)
    assert len(set(decoded)) == 5 and len(found) == 5 and found.windows
    assert len(from_folder(root, limit=2, options=Options(window=(0, 4095)))) == 2


def test_a_limit_leaves_the_base_of_numbered_classes_as_it_is(tmp_path: Path) -> None:
    for index in range(12):
        picture(tmp_path / f"{index}" / "0.png", index)
    classes = tuple(f"class {index}" for index in range(12))
    whole = from_folder(tmp_path)
    limited = next(one for limit in range(1, 12) if "0" not in shown(one := from_folder(tmp_path, limit=limit)))
    assert labels_for(limited, classes).tolist() == labels_for(whole, classes)[: len(limited)].tolist()
    part = subset(whole, np.arange(len(limited)))
    assert labels_for(part, classes).tolist() == labels_for(limited, classes).tolist()


def shown(images: ImageDataset) -> set[str]:
    return {images.classes[label] for label in images.labels}


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
