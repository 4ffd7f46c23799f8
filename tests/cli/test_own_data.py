"""DATA in the formats in which people have it: the right accuracy, or a sentence."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core import datasets
from nap_core.models import CIFAR10_CLASSES

COUNT = 40


@pytest.fixture(scope="module")
def cifar() -> tuple[np.ndarray, np.ndarray]:
    found = datasets.load("cifar10")
    pixels = np.stack([np.asarray(found.image(index)) for index in range(COUNT)])
    return pixels, found.labels[:COUNT]


@pytest.fixture
def accuracy(run, store_root: Path):
    """(accuracy in percent as printed, stderr) of a dataset under the bundled network."""

    def accuracy(data: object) -> tuple[str, str]:
        argv = ("evaluate", "--model", "resnet20-cifar10", "--id", data, "--ood", "uniform-noise", "--limit", COUNT)
        status, out, err = run(*argv, "--methods", "energy", "--quiet")
        assert status == 0, err
        return out.splitlines()[2].split()[-1], err

    return accuracy


@pytest.fixture
def folders(tmp_path: Path, cifar):
    """``folders(names)`` writes the images into class folders; ``names`` by class."""

    def folders(names) -> Path:
        root = tmp_path / "mine"
        for index, (pixels, label) in enumerate(zip(*cifar, strict=True)):
            file = root / str(names[label]) / f"{index}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(file)
        return root

    return folders


RIGHT = "97.5"  # of the catalogue's dataset: 39 of 40
SYNONYMS = ("plane", "car", "Birds", "CAT", "deer", "Dogs", "frog", "horses", "ship", "lorry")


@pytest.mark.parametrize("names", [CIFAR10_CLASSES, SYNONYMS, range(10), range(1, 11), [f"{n:03d}" for n in range(10)]])
def test_class_folders(accuracy, folders, names) -> None:
    found, said = accuracy(folders(names))
    assert found == RIGHT
    assert bool(said) == (names != CIFAR10_CLASSES)


def test_folders_of_other_classes_have_no_accuracy(accuracy, folders) -> None:
    found, said = accuracy(folders([f"bird {letter}" for letter in "abcdefghij"]))
    assert found == "–" and "“bird a”" in said


def test_a_part_that_is_unknown_is_left_out_of_the_accuracy(accuracy, folders) -> None:
    found, said = accuracy(folders([*CIFAR10_CLASSES[:9], "lorries of the moon"]))
    assert 90 < float(found) < 100 and "“lorries of the moon”" in said


def test_numbers_that_leave_the_base_open(accuracy, folders, cifar) -> None:
    names = [*range(3, 13)]  # 3 … 12 of a network with 10 classes
    found, said = accuracy(folders(names))
    assert found == "–" and "do not fit" in said


@pytest.mark.parametrize("option", ["", ":test"])
def test_medmnist(accuracy, tmp_path: Path, cifar, option: str) -> None:
    pixels, labels = cifar
    arrays = {"train_images": pixels[::-1], "train_labels": labels[:, None]}
    np.savez(tmp_path / "med.npz", **arrays, test_images=pixels, test_labels=labels[:, None].astype(np.uint8))
    assert accuracy(f"{tmp_path / 'med.npz'}{option}")[0] == RIGHT


def test_cifars_batches(accuracy, tmp_path: Path, cifar) -> None:
    pixels, labels = cifar
    content = {b"data": pixels.transpose(0, 3, 1, 2).reshape(COUNT, -1), b"labels": labels.tolist()}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content))
    assert accuracy(tmp_path)[0] == accuracy(tmp_path / "test_batch")[0] == RIGHT


def test_a_severity_and_a_split_are_asked_for(run, tmp_path: Path, cifar) -> None:
    pixels, labels = cifar
    np.save(tmp_path / "fog.npy", np.tile(pixels, (5, 1, 1, 1)))
    np.save(tmp_path / "labels.npy", np.tile(labels, 5))
    for split in ("train", "val"):
        (tmp_path / "pets" / split / "cat").mkdir(parents=True)
        Image.fromarray(pixels[0]).save(tmp_path / "pets" / split / "cat" / "0.png")
    for name, choices in (("fog.npy", "fog.npy:1"), ("pets", "pets:train, pets:val")):
        argv = ("evaluate", "--model", "resnet20-cifar10", "--id", tmp_path / name, "--ood", "uniform-noise")
        status, out, err = run(*argv, "--methods", "energy")
        assert (status, out) == (2, "") and choices in err


def test_a_severity_has_its_label_in_the_results(accuracy, tmp_path: Path, cifar) -> None:
    pixels, labels = cifar
    np.save(tmp_path / "fog.npy", np.tile(pixels, (5, 1, 1, 1)))
    np.save(tmp_path / "labels.npy", np.tile(labels, 5))
    found, said = accuracy(f"{tmp_path / 'fog.npy'}:3")
    assert found == RIGHT and "fog:3: Severity 3 is images 80 to 119 of 200" in said


def test_what_is_passed_over_is_listed(run, data_root: Path, folders) -> None:
    folders(CIFAR10_CLASSES).rename(data_root / "mine")
    (data_root / "mine" / "notes.txt").write_text("no image")
    status, out, _ = run("datasets")
    assert status == 0 and "own:mine: Passed over: 1 ending in .txt" in out
