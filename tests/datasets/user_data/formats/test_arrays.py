"""Datasets of arrays as their authors publish them: every image and label is the one that was written."""

import gzip
import pickle
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from nap_core.datasets import ImageDataset
from nap_core.datasets.images import presentation_order
from nap_core.datasets.labels import labels_for
from nap_core.datasets.user_data.formats import contents, open_path, parts_of
from nap_core.datasets.user_data.options import Options
from nap_core.errors import UserError

COUNT = 20
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)
GREY = PIXELS[..., 0]
LABELS = np.arange(COUNT) % 10
UNNAMED = tuple(f"class {index}" for index in range(10))


def check(dataset: ImageDataset, pixels: np.ndarray, labels: np.ndarray) -> None:
    """Fail unless the dataset has these images and labels in the order of presentation."""
    order = presentation_order(len(pixels))
    shown = np.stack([np.asarray(dataset.image(index)) for index in range(len(dataset))])
    rgb = np.repeat(pixels[..., None], 3, axis=3) if pixels.ndim == 3 else pixels
    assert (shown == rgb[order]).all()
    assert dataset.labels.tolist() == labels[order].tolist()


def stated(path: Path, part: str = "") -> tuple[int, tuple[str, ...]]:
    found = contents(path, Options(part))
    return found.size, found.classes


def digits(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))


def test_an_array_alone_and_with_labels_beside_it(tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", PIXELS)
    check(open_path(tmp_path / "mine.npy"), PIXELS, np.full(COUNT, -1))
    np.save(tmp_path / "mine_labels.npy", LABELS[:, None].astype(np.uint8))
    dataset = open_path(tmp_path / "mine.npy")
    check(dataset, PIXELS, LABELS)
    assert "mine_labels.npy" in dataset.notes[0]
    assert stated(tmp_path / "mine.npy") == (COUNT, digits(10))
    np.save(tmp_path / "grey.npy", GREY)
    check(open_path(tmp_path / "grey.npy"), GREY, np.full(COUNT, -1))
    np.save(tmp_path / "one.npy", PIXELS[0])
    with pytest.raises(UserError, match="a single image"):
        open_path(tmp_path / "one.npy")
    with pytest.raises(UserError, match="no dataset of a format"):
        open_path(tmp_path / "mine_labels.npy")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "mine.npy").read_bytes()[:5])
    with pytest.raises(UserError, match="damaged"):
        open_path(tmp_path / "cut.npy")


def test_a_corruption_has_five_severities(tmp_path: Path) -> None:
    fog = np.concatenate([PIXELS // (2 * severity) for severity in range(1, 6)])
    np.save(tmp_path / "fog.npy", fog)
    np.save(tmp_path / "labels.npy", np.tile(LABELS, 5))
    with pytest.raises(UserError, match=r"fog\.npy:1, .*fog\.npy:5"):
        open_path(tmp_path / "fog.npy")
    for severity in (1, 3, 5):
        dataset = open_path(tmp_path / "fog.npy", Options(str(severity)))
        check(dataset, PIXELS // (2 * severity), LABELS)
        assert labels_for(dataset, UNNAMED).tolist() == dataset.labels.tolist()
        assert stated(tmp_path / "fog.npy", str(severity)) == (COUNT, digits(10))
    check(open_path(tmp_path / "fog.npy", Options("all")), fog, np.tile(LABELS, 5))
    with pytest.raises(UserError, match="no severity “6”"):
        open_path(tmp_path / "fog.npy", Options("6"))


def test_cifar_10_1_has_its_labels_beside_it(tmp_path: Path) -> None:
    np.save(tmp_path / "cifar10.1_v6_data.npy", PIXELS)
    np.save(tmp_path / "cifar10.1_v6_labels.npy", LABELS.astype(np.int32))
    check(open_path(tmp_path / "cifar10.1_v6_data.npy"), PIXELS, LABELS)


def batch(part: slice, key: str, *, text: bool = True) -> dict:
    rows = PIXELS[part].transpose(0, 3, 1, 2).reshape(-1, 3072)
    content = {"data": rows, key: LABELS[part].tolist()}
    return content if text else {name.encode(): value for name, value in content.items()}


@pytest.fixture
def cifar10(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for number in range(5):
        rows = slice(2 * number, 2 * number + 2)
        (folder / f"data_batch_{number + 1}").write_bytes(pickle.dumps(batch(rows, "labels"), protocol=2))
    (folder / "test_batch").write_bytes(pickle.dumps(batch(slice(10, 20), "labels", text=False), protocol=5))
    meta = {"label_names": [f"name {index}" for index in range(10)]}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta))
    return folder


def test_cifars_batches(cifar10: Path, tmp_path: Path) -> None:
    names = tuple(f"name {index}" for index in range(10))
    dataset = open_path(cifar10)
    check(dataset, PIXELS[10:], LABELS[10:])
    assert dataset.classes == names and "test" in dataset.notes[0]
    check(open_path(cifar10, Options("train")), PIXELS[:10], LABELS[:10])
    check(open_path(cifar10 / "data_batch_2"), PIXELS[2:4], LABELS[2:4])
    assert stated(cifar10) == (10, names)
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.add(cifar10, "cifar-10-batches-py")
    check(open_path(tmp_path / "cifar-10-python.tar.gz", Options("train")), PIXELS[:10], LABELS[:10])
    (cifar10 / "batches.meta").unlink()
    assert open_path(cifar10).classes == digits(10)


def test_cifar_100s_fine_labels(tmp_path: Path) -> None:
    content = batch(slice(0, 20), "fine_labels") | {"coarse_labels": [0] * 20}
    for name in ("train", "test"):
        (tmp_path / name).write_bytes(pickle.dumps(content))
    (tmp_path / "meta").write_bytes(pickle.dumps({"fine_label_names": list("abcdefghij")}))
    dataset = open_path(tmp_path)
    check(dataset, PIXELS, LABELS)
    assert dataset.classes == tuple("abcdefghij")


class _Writes:
    """A pickle of it would write a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_a_batch_that_would_run_something_is_refused(tmp_path: Path) -> None:
    folder, made = tmp_path / "batches", tmp_path / "made"
    folder.mkdir()
    (folder / "test_batch").write_bytes(pickle.dumps({"data": _Writes(made), "labels": [1]}))
    with pytest.raises(UserError, match="no plain data"):
        open_path(folder)
    assert not made.exists()
    (folder / "test_batch").write_bytes(pickle.dumps(batch(slice(0, 2), "labels"))[:3000])
    with pytest.raises(UserError, match="cannot be read as CIFAR"):
        open_path(folder)


def test_svhns_digit_0_has_label_10(tmp_path: Path) -> None:
    path = tmp_path / "test_32x32.mat"
    savemat(path, {"X": PIXELS.transpose(1, 2, 3, 0), "y": np.where(LABELS == 0, 10, LABELS)[:, None]})
    dataset = open_path(path)
    check(dataset, PIXELS, LABELS)
    assert stated(path) == (COUNT, digits(10))
    assert labels_for(dataset, UNNAMED).tolist() == dataset.labels.tolist()
    assert set(labels_for(dataset, tuple("abcdefghij")).tolist()) == {-1}  # a digit is none of these classes
    counted = open_path(path, Options(numbering="from-1"))
    expected = np.where(LABELS == 0, 9, LABELS - 1)[presentation_order(COUNT)]
    assert labels_for(counted, tuple("abcdefghij")).tolist() == expected.tolist()
    savemat(tmp_path / "other.mat", {"A": np.zeros((3, 3))})
    with pytest.raises(UserError, match="no dataset of a format"):
        open_path(tmp_path / "other.mat")


def idx(array: np.ndarray) -> bytes:
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return head + array.astype(np.uint8).tobytes()


def test_idx_files_gzipped_and_not(tmp_path: Path) -> None:
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(GREY)))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    (tmp_path / "train-images.idx3-ubyte").write_bytes(idx(GREY[:6]))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx(LABELS[:6]))
    check(open_path(tmp_path), GREY, LABELS)
    check(open_path(tmp_path, Options("train")), GREY[:6], LABELS[:6])
    check(open_path(tmp_path / "t10k-images-idx3-ubyte.gz"), GREY, LABELS)
    assert stated(tmp_path) == (COUNT, digits(10))
    assert parts_of(tmp_path).names == ("train", "test")
    (tmp_path / "emnist-letters-test-images-idx3-ubyte").write_bytes(idx(GREY.swapaxes(1, 2)))
    (tmp_path / "emnist-letters-test-labels-idx1-ubyte").write_bytes(idx(LABELS % 4 + 1))
    letters = open_path(tmp_path / "emnist-letters-test-images-idx3-ubyte")
    check(letters, GREY, LABELS % 4 + 1)
    assert labels_for(letters, UNNAMED[:4]).tolist() == (LABELS % 4)[presentation_order(COUNT)].tolist()
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(GREY)[:-1]))
    with pytest.raises(UserError, match="ends early"):
        open_path(tmp_path / "t10k-images-idx3-ubyte.gz")


def test_an_idx_file_that_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a-images-idx3-ubyte"
    path.write_bytes(struct.pack(">HBB3I", 0, 8, 3, 10**9, 100, 100))
    with pytest.raises(UserError):
        open_path(path)
