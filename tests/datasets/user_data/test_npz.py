"""A user's images in an .npz archive."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nap_core.datasets import ImageDataset, from_npz
from nap_core.datasets.images import digest, fingerprint, presentation_order
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


FIT = patches(4, 5, 6, 3)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x_test": FIT, "y_test": np.arange(4)}, r"no array “images” \(found: “x_test”, “y_test”\)"),
        ({"images": FIT / 255}, "is float64, not uint8.*by 255"),
        ({"images": FIT.astype(np.int64)}, "is int64, not uint8"),
        ({"images": FIT.transpose(0, 3, 1, 2)}, "channels first"),
        ({"images": FIT[0, 0]}, r"shape \(6, 3\)"),
        ({"images": FIT[..., :2]}, r"shape \(4, 5, 6, 2\)"),
        ({"images": FIT[:0]}, "holds no image"),
        ({"images": np.array([FIT[0], None], dtype=object)}, "Python objects"),
        ({"images": FIT, "labels": np.arange(3)}, r"4 images need \(4,\) integers"),
        ({"images": FIT, "labels": np.zeros(4)}, "type float64"),
        ({"images": FIT, "labels": np.array([0, 1, 2, None])}, "Python objects"),
        ({"images": FIT, "labels": np.arange(4) - 2}, "from -2 to 1"),
        ({"images": FIT, "labels": np.arange(4), "classes": ["a", "b", "c"]}, "from 0 to 3; it must index 3 classes"),
        ({"images": FIT, "labels": np.arange(4), "classes": np.arange(4)}, "list of names"),
        ({"images": FIT, "labels": np.full(4, 2**63, dtype=np.uint64)}, "it must index 100,000 classes"),
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
