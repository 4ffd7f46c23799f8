"""Benchmarks that papers report on, as one pick: the datasets of a study, its fit split and how many images."""

from __future__ import annotations

from dataclasses import dataclass

from nap_core import models
from nap_core.studies.study import Study


@dataclass(frozen=True)
class Benchmark:
    """One benchmark; datasets are named as in ``datasets.names``.

    Attributes:
        name: The key in ``RECORDS``.
        title: The title.
        trained_on: The training data of the models that it is for.
        id_dataset: The ID dataset.
        fit_dataset: The fit split; empty for none.
        ood_datasets: The OOD datasets.
        images: The number of images taken of each dataset, fewer where there are fewer.
        source: The paper.
        note: The differences from the papers.
        near: Those of ``ood_datasets`` that the source calls near-OOD, the others being far; empty where the source
            does not divide them.
    """

    name: str
    title: str
    trained_on: str
    id_dataset: str
    fit_dataset: str
    ood_datasets: tuple[str, ...]
    images: int
    source: str
    note: str
    near: tuple[str, ...] = ()


_CIFAR_OOD = ("svhn-test", "lsun-crop", "lsun-resize", "isun", "dtd", "places365-val")
_CIFAR_NOTE = (
    "At most 10,000 images of each, in this app's order: the paper does not say how many it takes. DICE, whose setting "
    "it follows, takes 10,000 of Places365's test set, where this takes its validation set."
)
_OPENOOD = "OpenOOD v1.5, Zhang and others, arXiv:2306.09301"
_OPENOOD_NOTE = (
    "Near-OOD first, then far-OOD, whole datasets. OpenOOD's lists of images, which keep some test images for choosing "
    "parameters and leave out those of Tiny ImageNet and Places365 whose classes the network knows, are not used: "
    "figures come out near OpenOOD's, not equal to them. OpenOOD's FPR95 takes OOD images as the positive class: "
    "that is the column fpr95_ood_positive here."
)

_ENTRIES = (
    Benchmark(
        name="cifar10-paper",
        title="CIFAR-10 (paper)",
        trained_on="CIFAR-10",
        id_dataset="cifar10-test",
        fit_dataset="cifar10-train",
        ood_datasets=_CIFAR_OOD,
        images=10_000,
        source="NAP, arXiv:2402.18162, Table 9",
        note=_CIFAR_NOTE,
    ),
    Benchmark(
        name="cifar100-paper",
        title="CIFAR-100 (paper)",
        trained_on="CIFAR-100",
        id_dataset="cifar100-test",
        fit_dataset="cifar100-train",
        ood_datasets=_CIFAR_OOD,
        images=10_000,
        source="NAP, arXiv:2402.18162, Table 10",
        note=_CIFAR_NOTE,
    ),
    Benchmark(
        name="imagenet-paper",
        title="ImageNet-1k (paper)",
        trained_on="ImageNet-1k",
        id_dataset="imagenet-val",
        fit_dataset="",
        ood_datasets=("inaturalist", "sun", "places", "dtd"),
        images=50_000,
        source="NAP, arXiv:2402.18162, Table 3, after Huang and Li (MOS), CVPR 2021",
        note="All images of each. ImageNet's training set is not fetched: methods that need a fit split need one of "
        "your own.",
    ),
    Benchmark(
        name="openood-cifar10",
        title="OpenOOD v1.5 CIFAR-10",
        trained_on="CIFAR-10",
        id_dataset="cifar10-test",
        fit_dataset="cifar10-train",
        ood_datasets=("cifar100-test", "tinyimagenet-val", "mnist-test", "svhn-test", "dtd", "places365-val"),
        images=36_500,
        source=_OPENOOD,
        note=_OPENOOD_NOTE,
        near=("cifar100-test", "tinyimagenet-val"),
    ),
    Benchmark(
        name="openood-cifar100",
        title="OpenOOD v1.5 CIFAR-100",
        trained_on="CIFAR-100",
        id_dataset="cifar100-test",
        fit_dataset="cifar100-train",
        ood_datasets=("cifar10-test", "tinyimagenet-val", "mnist-test", "svhn-test", "dtd", "places365-val"),
        images=36_500,
        source=_OPENOOD,
        note=_OPENOOD_NOTE,
        near=("cifar10-test", "tinyimagenet-val"),
    ),
)

RECORDS: dict[str, Benchmark] = {entry.name: entry for entry in _ENTRIES}


def of_model(model: str) -> tuple[str, ...]:
    """The benchmarks for a model: those whose ID data it was trained on.

    Args:
        model: Catalogue name of the model.

    Returns:
        Their names, keys of ``RECORDS``; empty where there is none.

    Raises:
        UserError: The model is unknown.
    """
    trained_on = models.find(model).trained_on
    return tuple(name for name, one in RECORDS.items() if one.trained_on == trained_on)


def study_of(name: str, model: str) -> Study:
    """The study of a model on a benchmark.

    Args:
        name: The benchmark, a key of ``RECORDS``.
        model: Catalogue name of the model, which need not be one of the benchmark's.

    Returns:
        A study with the datasets, the fit split and the number of images of the benchmark.

    Raises:
        KeyError: There is no such benchmark.
        UserError: The model is unknown.
    """
    one = RECORDS[name]
    return Study(model, one.id_dataset, one.ood_datasets, one.images, one.fit_dataset)
