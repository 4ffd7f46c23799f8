"""Where a folder of data is looked at for the paper's datasets: the names that the field's code gives them."""

from __future__ import annotations

import re
from pathlib import Path

from nap_core.datasets.user_data.folders import files_in

# Relative to the folder, the first that is there counts; case does not. The code of DICE and ASH
# (github.com/deeplearning-wisc/dice, github.com/andrijazz/ash) keeps OOD sets in folders of their own.
_OOD: dict[str, tuple[str, ...]] = {
    "SVHN": ("svhn", "svhn/test", "svhn_test", "svhn-test"),
    "LSUN-Crop": ("lsun", "lsun/test", "lsun_crop", "lsun-crop", "lsun_c", "lsun-c"),
    "LSUN-Resize": ("lsun_resize", "lsun_resize/lsun_resize", "lsun-resize", "lsun_r", "lsun-r"),
    "iSUN": ("isun", "isun/isun_patches"),
    "Textures": ("dtd/images", "dtd/dtd/images", "dtd", "textures", "texture", "textures/images"),
    "Places365": ("places365", "places365/test_256", "places365/val_256", "places365/test_subset", "places_365"),
    "iNaturalist": ("inaturalist/images", "inaturalist"),
    "SUN": ("sun/images", "sun"),
    "Places": ("places/images", "places"),
    "CIFAR-100": ("cifar100_test", "cifar100-test", "cifar100/test", "cifar-100/test", "cifar100"),
}
_KNOWN: dict[str, tuple[str, ...]] = {
    "CIFAR-10": ("cifar10_test", "cifar10-test", "cifar10/test", "cifar-10/test", "cifar10"),
    "CIFAR-100": ("cifar100_test", "cifar100-test", "cifar100/test", "cifar-100/test", "cifar100"),
    "ImageNet-1k": ("imagenet/val", "imagenet-val", "imagenet_val", "ilsvrc2012/val", "val", "imagenet"),
}
_TRAINED: dict[str, tuple[str, ...]] = {
    "CIFAR-10": ("cifar10_train", "cifar10-train", "cifar10/train", "cifar-10/train"),
    "CIFAR-100": ("cifar100_train", "cifar100-train", "cifar100/train", "cifar-100/train"),
    "ImageNet-1k": ("imagenet/train", "imagenet-train", "imagenet_train", "ilsvrc2012/train", "train"),
}
_BELOW = ("", "ood_datasets/", "ood_data/", "id_data/", "small_ood_dataset/")

CATALOGUE = {"CIFAR-10": "cifar10-test", "CIFAR-100": "cifar100-test", "ImageNet-1k": "imagenet-val"}
TRAINING = {"CIFAR-10": "cifar10-train", "CIFAR-100": "cifar100-train"}
"""The library's ID images, taken where the folder has none."""


def ood(root: Path, heading: str) -> Path | None:
    """The folder or .npz below ``root`` that holds the dataset which the paper prints as ``heading``."""
    return _first(root, _OOD[heading])


def id_images(root: Path, trained_on: str) -> Path | None:
    """The ID test images below ``root``."""
    return _first(root, _KNOWN[trained_on])


def trained(root: Path, trained_on: str) -> Path | None:
    """The ID training images below ``root``."""
    return _first(root, _TRAINED[trained_on])


def names(heading: str, *, fit: bool = False) -> tuple[str, ...]:
    """Under which names the dataset that the paper calls ``heading`` is looked for, its training images if ``fit``."""
    if fit:
        return _TRAINED[heading]
    return _OOD[heading] if heading in _OOD else _KNOWN[heading]


def heading_of(name: str) -> str:
    """The paper's heading for a folder or archive of the user's own, by its last name: "own:ood/LSUN_resize" is
    "LSUN-Resize"; empty where it is none of them."""
    last = name.removeprefix("own:").rpartition("/")[2].partition(":")[0]  # a split may stand behind it
    last = re.sub(r"\.npz$", "", last, flags=re.IGNORECASE).lower()
    return next((heading for heading, places in _OOD.items() if last in places), "")


def _first(root: Path, places: tuple[str, ...]) -> Path | None:
    for place in places:
        for below in _BELOW:
            for suffix in ("", ".npz"):
                found = _spelled(root, f"{below}{place}{suffix}")
                # A folder may hold other things: torchvision's archives, empty class folders.
                if found and (files_in(found, 1) if found.is_dir() else found.suffix.lower() == ".npz"):
                    return found
    return None


def _spelled(root: Path, relative: str) -> Path | None:
    """What lies at ``relative`` below ``root``, whatever its case: iSUN, isun and ISUN are one."""
    here = root
    for part in relative.split("/"):
        try:
            here = next(one for one in sorted(here.iterdir()) if one.name.lower() == part)
        except (StopIteration, OSError):
            return None
    return here
