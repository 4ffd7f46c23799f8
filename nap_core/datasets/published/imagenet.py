"""ImageNet's validation set, from the archives given to registered users, or from a folder ``val`` of class folders."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from nap_core.datasets.published.pictures import class_folders
from nap_core.datasets.published.spec import Content, Parts
from nap_core.datasets.published.unpacking import members
from nap_core.errors import UserError

ARCHIVE, DEVKIT, FOLDER = "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz", "val"
CLASSES = 1000


def by_class(folder: Path) -> Callable[[Parts], Parts | None]:
    """Layout that sorts the flat archive into class folders, by the labels of the development kit."""
    numbers, truth = _devkit(folder / DEVKIT)
    places = {f"ILSVRC2012_val_{index:08d}.JPEG": numbers[number] for index, number in enumerate(truth, start=1)}
    return lambda parts: (places[parts[-1]], parts[-1]) if parts[-1] in places else None


def read(folder: Path) -> Content:
    """Reads the class folders; their alphabetical order is that of every ImageNet network's logits."""
    from torchvision.models import ResNet50_Weights

    content = class_folders(FOLDER)(folder)
    if len(content.classes) != CLASSES:
        raise UserError(
            f"{folder / FOLDER} has {len(content.classes):,} class folders; ImageNet's validation set has {CLASSES:,}. "
            "Other selections can be used as folders of your own."
        )
    names = tuple(ResNet50_Weights.IMAGENET1K_V1.meta["categories"])
    return Content(content.labels, names, content.picture, content.files)


def _devkit(path: Path) -> tuple[dict[int, str], list[int]]:
    """(WordNet number of each class of the challenge, class of each image)."""
    from scipy.io import loadmat

    files = members(path, ("meta.mat", "ILSVRC2012_validation_ground_truth.txt"))
    parts = {name: content.read() for name, content in files}
    synsets = loadmat(BytesIO(parts["meta.mat"]), squeeze_me=True)["synsets"]
    # Fields by position, as in torchvision: number, WordNet number, words, gloss, number of children, …
    numbers = {int(one[0]): str(one[1]) for one in synsets if int(one[4]) == 0}
    return numbers, [int(line) for line in parts["ILSVRC2012_validation_ground_truth.txt"].split()]
