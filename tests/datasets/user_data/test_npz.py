"""A user's images in an .npz archive."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nap_core.datasets import ImageDataset, from_npz
from nap_core.datasets.images import digest, fingerprint, presentation_order
from nap_core.datasets.user_data.formats import open_path
from nap_core.datasets.user_data.options import Options
from nap_core.errors import UserError


def rgb(dataset: ImageDataset) -> list[np.ndarray]:
    return [np.asarray(dataset.image(i)) for i in range(len(dataset))]


def patches(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def test_an_archive_is_presented_shuffled_with_its_labels(tmp_path: Path) -> None:
    images, labels = patches(40, 5, 6, 3), np.arange(40) % 4 - 1
    np.savez(tmp_path / "mine.npz", images=images, labels=labels.astype(np.int16), classes=["a", "b", "c"])
    dataset = from_npz(tmp_path / "mine.npz", title="My images")
    order = presentation_order(40)
    assert sorted(order) == list(range(40))
    assert list(order) != list(range(40))
    assert (dataset.name, dataset.title, dataset.classes) == ("npz:mine", "My images", ("a", "b", "c"))
    assert (dataset.labels == labels[order]).all()
    assert (np.stack(rgb(dataset)) == images[order]).all()
    assert dataset.fingerprint == fingerprint(map(digest, images[order]), labels[order])
    assert from_npz(str(tmp_path / "mine.npz")).title == "mine"


def test_an_archive_may_be_grey_compressed_and_without_labels(tmp_path: Path) -> None:
    images = patches(9, 5, 6)
    np.savez_compressed(tmp_path / "grey.npz", images=images, other=np.array([{"left": "alone"}], dtype=object))
    dataset = from_npz(tmp_path / "grey.npz")
    assert dataset.image(0).mode == "RGB"
    assert (np.asarray(dataset.image(0))[..., 1] == images[presentation_order(9)[0]]).all()
    assert dataset.classes == ()
    assert (dataset.labels == -1).all()
    np.savez(tmp_path / "rgb.npz", images=np.repeat(images[..., None], 3, axis=3))
    assert from_npz(tmp_path / "rgb.npz").fingerprint == dataset.fingerprint
    np.savez(tmp_path / "numbered.npz", images=images, labels=np.full(9, 2))
    numbered = from_npz(tmp_path / "numbered.npz")
    assert numbered.classes == ("0", "1", "2")
    assert numbered.fingerprint != dataset.fingerprint


FIT = patches(40, 5, 6, 3)
FIT[0, 0, 0] = 0, 128, 255
NUMBERS = np.arange(40) % 4


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        (FIT[..., :1], FIT[..., 0]),
        (FIT.transpose(0, 3, 1, 2), FIT),
        (np.concatenate([FIT, np.full((40, 5, 6, 1), 255, np.uint8)], axis=3), FIT),
        (np.zeros((40, 5, 6, 4), np.uint8), np.full((40, 5, 6, 3), 255, np.uint8)),  # transparent: on white
        (FIT.astype(">u2"), FIT),
        (FIT.astype(np.uint16) * 257, FIT),
        (FIT.astype(np.int64), FIT),
        ((FIT / 255).astype(np.float32), FIT),
        ((FIT / 127.5 - 1).astype(np.float32), FIT),
        (FIT.astype(np.float64), FIT),
        (FIT.astype(np.int16) - 100, FIT),
        (FIT > 128, np.where(FIT > 128, 255, 0)),
        (np.asfortranarray(FIT), FIT),
    ],
)
def test_images_of_other_layouts_and_types(tmp_path: Path, images: np.ndarray, shown: np.ndarray) -> None:
    np.savez(tmp_path / "mine.npz", images=images)
    dataset = from_npz(tmp_path / "mine.npz")
    shown = np.broadcast_to(shown[..., None], (*shown.shape, 3)) if shown.ndim == 3 else shown
    assert (np.stack(rgb(dataset)) == shown[presentation_order(40)]).all()
    plain = images.dtype == np.uint8 and images.shape[-1] in (1, 3)
    assert bool(dataset.notes) != plain


def test_one_window_for_the_whole_archive(tmp_path: Path) -> None:
    """12 bits in 16: white is 4,095 in every image, whatever its own greatest value."""
    images = np.zeros((2, 4, 4), np.uint16)
    images[0], images[1, 0, 0] = 1000, 4000
    np.savez(tmp_path / "scans.npz", images=images)
    dataset = from_npz(tmp_path / "scans.npz")
    assert sorted(int(picture.max()) for picture in rgb(dataset)) == [62, 249]  # 255 · 1000 / 4095, 255 · 4000 / 4095
    assert "4,000" in dataset.notes[0] and "4,095" in dataset.notes[0]
    dataset = from_npz(tmp_path / "scans.npz", options=Options(window=(0, 2000)))
    assert sorted(int(picture.max()) for picture in rgb(dataset)) == [128, 255]


def test_a_nearly_black_archive_is_noted_and_not_changed(tmp_path: Path) -> None:
    images = patches(4, 5, 6) % 2
    np.savez(tmp_path / "bits.npz", images=images)
    dataset = from_npz(tmp_path / "bits.npz")
    assert np.stack(rgb(dataset)).max() == 1 and "nearly black" in dataset.notes[0]


@pytest.mark.parametrize(
    ("labels", "numbers", "classes"),
    [
        (NUMBERS[:, None].astype(np.uint8), NUMBERS, "0123"),
        (NUMBERS.astype(np.float64), NUMBERS, "0123"),
        (np.eye(4)[NUMBERS], NUMBERS, "0123"),
        (np.array(["cat", "dog"])[NUMBERS % 2], NUMBERS % 2, ["cat", "dog"]),
        (np.array([b"cat", b"dog"])[NUMBERS % 2], NUMBERS % 2, ["cat", "dog"]),
        (np.where(NUMBERS == 3, np.nan, NUMBERS), np.where(NUMBERS == 3, -1, NUMBERS), "012"),
        (np.ones((40, 3), int), np.full(40, -1), ""),  # several classes an image
    ],
)
def test_labels_of_other_shapes_and_types(
    tmp_path: Path, labels: np.ndarray, numbers: np.ndarray, classes: list[str] | str
) -> None:
    np.savez(tmp_path / "mine.npz", images=FIT, labels=labels)
    dataset = from_npz(tmp_path / "mine.npz")
    assert dataset.labels.tolist() == numbers[presentation_order(40)].tolist()
    assert dataset.classes == tuple(classes)


def test_medmnist_and_keras_have_splits(tmp_path: Path) -> None:
    sizes = {"train": 20, "val": 8, "test": 12}
    medmnist = {f"{split}_images": FIT[:size] for split, size in sizes.items()}
    medmnist |= {f"{split}_labels": NUMBERS[:size, None] for split, size in sizes.items()}
    np.savez(tmp_path / "m.npz", **medmnist)
    np.savez(tmp_path / "k.npz", x_train=FIT, y_train=NUMBERS, x_test=FIT[:12], y_test=NUMBERS[:12])
    for name in ("m.npz", "k.npz"):
        dataset = open_path(tmp_path / name)
        assert len(dataset) == 12 and ":train" in dataset.notes[0]
        assert (dataset.labels == NUMBERS[:12][presentation_order(12)]).all()
    assert len(open_path(tmp_path / "m.npz", Options("validation"))) == 8
    assert len(open_path(tmp_path / "k.npz", Options("train"))) == 40
    with pytest.raises(UserError, match=r"no split “val”.*k\.npz:test"):
        open_path(tmp_path / "k.npz", Options("val"))
    np.savez(tmp_path / "plain.npz", images=FIT)
    with pytest.raises(UserError, match="no splits"):
        open_path(tmp_path / "plain.npz", Options("val"))


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"pictures": FIT, "y_test": np.arange(4)}, r"no array “images” \(found: “pictures”, “y_test”\)"),
        ({"images": np.where(FIT > 128, np.inf, 1.0)}, "40 of 40 images .* NaN or infinity"),
        ({"images": FIT.astype(np.complex64)}, "is complex64"),
        ({"images": FIT[0, 0]}, r"shape \(6, 3\)"),
        ({"images": FIT[..., :2]}, r"shape \(40, 5, 6, 2\)"),
        ({"images": FIT[:0]}, "holds no image"),
        ({"images": np.array([FIT[0], None], dtype=object)}, "Python objects"),
        ({"images": FIT, "labels": np.arange(3)}, r"40 images need \(40,\) integers"),
        ({"images": FIT, "labels": np.full(40, 0.5)}, "type float64"),
        ({"images": FIT, "labels": np.array([*range(39), None])}, "Python objects"),
        ({"images": FIT, "labels": NUMBERS - 2}, "from -2 to 1"),
        ({"images": FIT, "labels": NUMBERS, "classes": ["a", "b", "c"]}, "from 0 to 3; it must index 3 classes"),
        ({"images": FIT, "labels": NUMBERS, "classes": np.arange(4)}, "list of names"),
        ({"images": FIT, "labels": np.full(40, 2**63, dtype=np.uint64)}, "it must index 100,000 classes"),
    ],
)
def test_an_unfit_archive_is_refused_in_a_sentence(tmp_path: Path, arrays: dict, sentence: str) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(UserError, match=sentence):
        from_npz(tmp_path / "bad.npz")


def test_what_is_no_archive_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        from_npz(tmp_path / "missing.npz")
    with pytest.raises(UserError, match="There is no file"):
        from_npz(tmp_path)
    np.save(tmp_path / "array.npy", FIT)
    with pytest.raises(UserError, match=r"is not an \.npz archive"):
        from_npz(tmp_path / "array.npy")
    np.savez(tmp_path / "whole.npz", images=FIT)
    content = bytearray((tmp_path / "whole.npz").read_bytes())
    content[250] ^= 255  # one byte of one pixel: the archive's checksum tells
    (tmp_path / "flipped.npz").write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        from_npz(tmp_path / "flipped.npz")
    header = b"\x93NUMPY\x01\x00\x0a\x00{'descr':( "
    for number, text in enumerate((b"hello", b"", header, header.replace(b"(", b"$"))):
        with zipfile.ZipFile(tmp_path / f"{number}.npz", "w") as archive:
            archive.writestr("images.npy", text)
        with pytest.raises(UserError, match="is damaged"):
            from_npz(tmp_path / f"{number}.npz")


def test_an_archive_that_claims_to_be_huge_is_refused_before_it_is_read(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 100, 100, 3)}
    )
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue())
    with pytest.raises(UserError, match=r"GiB; up to 8 GiB"):
        from_npz(tmp_path / "bomb.npz")
