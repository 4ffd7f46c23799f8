"""A user's images in a folder."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core.datasets import ImageDataset, from_folder
from nap_core.datasets.images import digest, fingerprint, presentation_order
from nap_core.errors import UserError


def rgb(dataset: ImageDataset) -> list[np.ndarray]:
    return [np.asarray(dataset.image(i)) for i in range(len(dataset))]


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def patches(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def test_a_folder_with_classes_keeps_going_past_what_it_cannot_read(tmp_path: Path) -> None:
    for name, count in (("dogs", 3), ("cats", 2)):
        (tmp_path / name).mkdir()
        for i in range(count):
            (tmp_path / name / f"{i}.png").write_bytes(png(patches(1, 4 + i, 5, 3)[0]))
    (tmp_path / "dogs" / "cut.PNG").write_bytes(png(patches(1, 90, 90, 3)[0])[:4000])
    (tmp_path / "dogs" / "empty.jpg").touch()
    (tmp_path / "hair.png").write_bytes(png(np.zeros((60_000, 1, 3), dtype=np.uint8)))
    (tmp_path / "loose.webp").write_text("no picture")
    for passed_over in ("notes.txt", ".hidden.png", "dogs/._0.png"):
        (tmp_path / passed_over).write_text("not looked at")
    heard: list[tuple[int, int]] = []
    dataset = from_folder(tmp_path, progress=lambda done, total: heard.append((done, total)))
    assert dataset.classes == ("cats", "dogs")
    assert heard == [(n, 9) for n in range(1, 10)]
    assert [file for file, _ in dataset.unreadable] == ["dogs/cut.PNG", "dogs/empty.jpg", "hair.png", "loose.webp"]
    reasons = ("damaged", "0 bytes", "more than 30 times as long as wide", "not a picture")
    for (_, sentence), part in zip(dataset.unreadable, reasons, strict=True):
        assert part in sentence
    readable = ["cats/0.png", "cats/1.png", "dogs/0.png", "dogs/1.png", "dogs/2.png"]
    assert list(dataset.files) == [readable[i] for i in presentation_order(5)]
    assert [dataset.classes[label] for label in dataset.labels] == [file.split("/")[0] for file in dataset.files]
    for i, file in enumerate(dataset.files):
        assert (np.asarray(dataset.image(i)) == np.asarray(Image.open(tmp_path / file))).all()
    assert dataset.fingerprint == fingerprint(map(digest, rgb(dataset)), dataset.labels)
    (tmp_path / dataset.files[0]).unlink()
    with pytest.raises(UserError, match="can no longer be opened"):
        dataset.image(0)


def test_a_plain_folder_has_no_classes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(patches(1, 5, 6, 3)[0]))
    dataset = from_folder(str(tmp_path), title="Holiday")
    assert (len(dataset), dataset.title, dataset.classes, list(dataset.labels)) == (1, "Holiday", (), [-1])
    assert dataset.unreadable == ()


def test_a_folder_without_a_readable_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        from_folder(tmp_path / "missing")
    with pytest.raises(UserError, match="holds no images"):
        from_folder(tmp_path)
    (tmp_path / "a.png").write_bytes(b"GIF89a")
    with pytest.raises(UserError, match=r"None of the 1 images.*“a\.png”"):
        from_folder(tmp_path)
