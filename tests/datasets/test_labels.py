"""Whether a dataset can be what a network knows, by the names of classes. tests/datasets/test_own.py has the labels."""

import pytest

from nap_core import models
from nap_core.datasets.images import are_strangers

CIFAR10 = models.CIFAR10_CLASSES
IMAGENET = models.find("efficientnet-lite0-imagenet").classes()


@pytest.mark.parametrize(
    ("classes", "model_classes", "strangers"),
    [
        (CIFAR10, IMAGENET, True),
        (CIFAR10, CIFAR10, False),
        (("cat", "unicorn"), CIFAR10, False),  # one it knows
        ((), IMAGENET, False),  # no names
        (("0", "1", "2"), IMAGENET, False),  # numbers tell nothing
        (("owl", "wren", "robin"), ("hibou", "roitelet", "merle"), False),  # as many as the network has
        (("owl", "wren"), ("class 0", "class 1", "class 2"), False),  # a network whose classes have no names
        (("owl", "wren"), ("class 0", "cat", "dog"), True),
    ],
)
def test_strangers(classes: tuple[str, ...], model_classes: tuple[str, ...], strangers: bool) -> None:
    assert are_strangers(classes, model_classes) is strangers
