"""Near or far: what benchmarks, the kind of the pictures and the user say, and that nobody guesses beyond that."""

from pathlib import Path

import numpy as np
import pytest

from nap_core.studies.near_far import cifar100_among, grouped, nearness
from nap_core.studies.study import Study


def study(*ood: str, model: str = "resnet20-cifar10", known: str = "cifar10") -> Study:
    return Study(model, known, ood, 10)


def test_openood_says_which_are_near() -> None:
    found = nearness(study("cifar100-test", "tinyimagenet-val", "svhn-test", "dtd"))
    assert [one.nearness for one in found.values()] == ["near", "near", "far", "far"]
    assert found["cifar100-test"].why == "by OpenOOD v1.5 CIFAR-10"


def test_what_holds_for_one_network_does_not_for_another() -> None:
    bank = study("cifar100-test", "dtd", model="efficientnet-lite0-imagenet", known="imagenet-bank")
    assert [one.nearness for one in nearness(bank).values()] == ["unknown", "far"]


def test_pictures_of_another_kind_are_far_and_of_the_same_kind_unknown() -> None:
    found = nearness(study("mnist", "textures", "uniform-noise", "fashion-mnist"))
    assert {name: one.nearness for name, one in found.items()} == {
        "mnist": "far",
        "textures": "far",
        "uniform-noise": "far",
        "fashion-mnist": "unknown",
    }
    assert "no benchmark" in found["fashion-mnist"].why


def test_the_users_word_counts_most_and_near_before_far() -> None:
    found = nearness(study("mnist", "textures", "fashion-mnist"), near=["mnist"], far=["mnist", "fashion-mnist"])
    assert [one.nearness for one in found.values()] == ["near", "far", "far"]
    assert found["mnist"].why == "as you say"


def test_groups_keep_their_order_and_leave_out_empty_ones() -> None:
    found = nearness(study("textures", "fashion-mnist", "mnist"), near=["mnist"])
    assert grouped(found) == {"near": ("mnist",), "far": ("textures",), "unknown": ("fashion-mnist",)}
    assert list(grouped(nearness(study("textures", "mnist")))) == ["far"]


@pytest.mark.parametrize("file", ["cifar100.npz", "CIFAR-100_test.npz"])
def test_ones_own_cifar100_is_the_near_ood_of_the_paper(data_root: Path, file: str) -> None:
    np.savez(data_root / file, images=np.zeros((3, 32, 32, 3), np.uint8))
    own = study("mnist", f"own:{file}")
    assert cifar100_among(own) == f"own:{file}"
    assert nearness(own)[f"own:{file}"].nearness == "near"


@pytest.mark.parametrize(
    ("file", "nearness_of_it"),
    [("svhn_1083.npz", "far"), ("SVHN.npz", "far"), ("cifar10_more.npz", "unknown"), ("my-svhn.npz", "unknown")],
)
def test_ones_own_part_of_a_benchmarks_dataset_is_known_by_its_name(
    data_root: Path, file: str, nearness_of_it: str
) -> None:
    np.savez(data_root / file, images=np.zeros((3, 32, 32, 3), np.uint8))
    found = nearness(study(f"own:{file}"))[f"own:{file}"]
    assert found.nearness == nearness_of_it
    if nearness_of_it == "far":
        assert found.why == "by OpenOOD v1.5 CIFAR-10; by its name it is SVHN"


def test_cifar100_is_the_near_ood_of_cifar10_alone() -> None:
    assert cifar100_among(study("mnist")) is None
    bank = study("cifar100-test", model="efficientnet-lite0-imagenet", known="imagenet-bank")
    assert cifar100_among(bank) is None
