"""A user's images in a folder."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core.datasets import ImageDataset, from_folder
from nap_core.datasets.images import digest, fingerprint, presentation_order
from nap_core.datasets.user_data.formats import open_path
from nap_core.datasets.user_data.options import Options
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

    kinds = {one.kind: (one.count, one.files) for one in dataset.passed_over}
    assert kinds == {"hidden": (2, (".hidden.png", "dogs/._0.png")), "ending in .txt": (1, ("notes.txt",))}


def save(place: Path, kind: str = "PNG", level: int = 100) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 5), (level, level, level)).save(place, kind)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("a.ppm", "PPM"),
        ("a.pgm", "PPM"),
        ("a.tif", "TIFF"),
        ("a.jp2", "JPEG2000"),
        ("a.avif", "AVIF"),
        ("a.JPE", "JPEG"),
        ("without-ending", "PNG"),
        ("numbered.0017", "JPEG"),
    ],
)
def test_every_kind_of_file_is_read(tmp_path: Path, file: str, kind: str) -> None:
    save(tmp_path / "cat" / file, kind)
    (tmp_path / "cat" / "README").write_text("no image")
    dataset = from_folder(tmp_path)
    assert dataset.files == (f"cat/{file}",)
    assert np.abs(np.asarray(dataset.image(0), int) - 100).max() <= 3
    assert [(one.kind, one.count) for one in dataset.passed_over] == [("without an ending and no image", 1)]


def test_links_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    for index, name in enumerate(("cat", "dog")):
        save(elsewhere / name / f"{name}.png", level=index)
    save(root / "bird" / "0.png", level=9)
    for name in ("cat", "dog"):
        (root / name).symlink_to(elsewhere / name, target_is_directory=True)
    (root / "bird" / "up").symlink_to(root, target_is_directory=True)
    (root / "again").symlink_to(elsewhere / "cat", target_is_directory=True)
    (root / "nowhere").symlink_to(tmp_path / "missing")
    dataset = from_folder(root)
    assert sorted(dataset.files) == ["again/cat.png", "bird/0.png", "dog/dog.png"]
    assert {one.kind: one.files for one in dataset.passed_over} == {
        "linked to a folder that is read already": ("bird/up", "cat"),
        "linked to nothing": ("nowhere",),
    }
    within = from_folder(root, allowed=(root,))
    assert within.files == ("bird/0.png",)
    assert next((one.kind, one.count) for one in within.passed_over) == ("linked to outside the allowed folders", 3)


def test_one_window_for_all_deep_images_of_a_folder(tmp_path: Path) -> None:
    """12 bits in 16, a 32-bit image of the same range, a float image, and 8 bits beside them."""
    grey = np.arange(16, dtype=np.uint16).reshape(4, 4)
    Image.fromarray(grey * 273).save(tmp_path / "bright.png")  # up to 4,095
    Image.fromarray(grey * 16).save(tmp_path / "dark.png")
    Image.fromarray((grey * 273).astype(np.int32)).save(tmp_path / "wide.tif")
    Image.fromarray((grey / 15).astype(np.float32)).save(tmp_path / "float.tif")
    Image.fromarray((grey * 17).astype(np.uint8)).save(tmp_path / "plain.png")
    dataset = from_folder(tmp_path, cache=tmp_path / ".cache")
    shown = {file: np.asarray(dataset.image(index))[..., 0] for index, file in enumerate(dataset.files)}
    for file in ("bright.png", "wide.tif", "float.tif", "plain.png"):
        assert (shown[file] == grey * 17).all()
    assert shown["dark.png"].max() == 15
    assert "4,095" in dataset.notes[0] and "1 of them" in dataset.notes[1]
    again = from_folder(tmp_path, cache=tmp_path / ".cache")
    assert (again.fingerprint, again.notes) == (dataset.fingerprint, dataset.notes)
    assert dataset.fingerprint == fingerprint(map(digest, rgb(dataset)), dataset.labels)
    said = from_folder(tmp_path, cache=tmp_path / ".cache", options=Options(window=(0, 240)))
    dark = said.files.index("dark.png")
    assert np.asarray(said.image(dark)).max() == 255 and said.fingerprint != dataset.fingerprint


def test_sixteen_bits_of_full_range_keep_their_fingerprint(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    dataset = from_folder(tmp_path)
    expected = np.repeat(((grey.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)[..., None], 3, axis=2)
    assert dataset.fingerprint == fingerprint([digest(expected)], dataset.labels)


def test_splits_on_top_are_not_mixed(tmp_path: Path) -> None:
    for split, count in (("Train", 3), ("val", 2)):
        for index in range(count):
            save(tmp_path / "pets" / split / "cat" / f"{index}.png", level=index)
    (tmp_path / "pets" / "annotations").mkdir()
    with pytest.raises(UserError, match=r"pets:Train, pets:val"):
        open_path(tmp_path / "pets")
    with pytest.raises(UserError, match="more than one split"):
        from_folder(tmp_path / "pets")
    for word, count in (("train", 3), ("validation", 2)):
        dataset = open_path(tmp_path / "pets", Options(word))
        assert (len(dataset), dataset.classes) == (count, ("cat",))
    with pytest.raises(UserError, match="no split “test”"):
        open_path(tmp_path / "pets", Options("test"))


def test_one_split_alone_stays_one_class_and_is_noted(tmp_path: Path) -> None:
    save(tmp_path / "set" / "Test" / "cat" / "0.png")
    dataset = open_path(tmp_path / "set")
    assert dataset.classes == ("Test",) and str(tmp_path / "set" / "Test") in dataset.notes[0]
    assert open_path(tmp_path / "set" / "Test").notes == ()


def test_one_class_called_like_a_split_is_a_class(tmp_path: Path) -> None:
    """CIFAR-100 has a class “train”."""
    for name in ("bus", "train", "tram"):
        save(tmp_path / name / "0.png")
    assert open_path(tmp_path).classes == ("bus", "train", "tram")


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
