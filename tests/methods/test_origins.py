"""Defaults that were published for one network say so on another, and on that one they do not."""

from dataclasses import replace

import numpy as np
import pytest

from nap_core import methods
from nap_core.activations import Activations
from nap_core.methods import ScoringContext
from nap_core.methods.origins import foreign_defaults
from tests.methods.conftest import made_model


def context(title: str, trained_on: str) -> ScoringContext:
    model = made_model()
    return ScoringContext(replace(model, architecture=replace(model.architecture, title=title)), trained_on)


@pytest.mark.parametrize(
    ("spec", "title", "trained_on", "said"),
    [
        ("ash-s", "ResNet-20", "CIFAR-10", "percentile 0.95, published for DenseNet-BC-100-12 on CIFAR-10"),
        ("ash-s", "DenseNet-BC-100-12", "CIFAR-10", None),
        ("ash-s", "DenseNet-BC-100-12", "CIFAR-100", None),
        ("ash-s", "ResNet-50", "ImageNet-1k", None),
        ("ash-s", "resnet50 (timm)", "ImageNet-1k", None),
        ("ash-s", "ResNet-20", "CIFAR-100", "percentile 0.9, published for DenseNet-BC-100-12 on CIFAR-100"),
        ("ash-s", "ResNet-50", "birds", "percentile 0.9, published for ResNet-50 and MobileNetV2 on ImageNet-1k"),
        ("ash-s", "ResNet-50", "", "percentile 0.9, published for ResNet-50 and MobileNetV2 on ImageNet-1k"),
        ("ash-s:percentile=0.95", "ResNet-20", "CIFAR-10", None),
        ("nap+ash-s", "ResNet-20", "CIFAR-10", "percentile 0.95, published for DenseNet-BC-100-12 on CIFAR-10"),
        ("ash-b", "ResNet-20", "CIFAR-10", "percentile 0.95, chosen for DenseNet-BC-100-12 on CIFAR-10"),
        ("gen", "ResNet-20", "CIFAR-10", "gamma 0.1, published for networks on ImageNet-1k"),
        ("gen", "ResNet-20", "ImageNet-1k", None),
        ("nap", "ResNet-20", "", None),
        ("msp", "ResNet-20", "", None),
    ],
)
def test_a_default_of_another_network(spec: str, title: str, trained_on: str, said: str | None) -> None:
    found = foreign_defaults(methods.parse(spec), context(title, trained_on))
    assert list(found.values()) == ([said] if said else [])


def test_a_default_beyond_a_limit_says_both() -> None:
    model = made_model()
    rows = np.ones((12, 4), np.float32)
    fit = Activations(rows, rows, rows, np.zeros((12, 5), np.float32), np.zeros(12, np.int64))
    found = foreign_defaults(methods.parse("knn"), ScoringContext(model, "birds", fit_activations=fit))
    assert found["k"].startswith("k 12 (") and " 50 " in found["k"] and found["k"].endswith("on CIFAR-10")


def test_homes_are_those_of_stated_defaults() -> None:
    parameters = [parameter for record in methods.RECORDS.values() for parameter in record.parameters]
    assert any(parameter.homes for parameter in parameters)
    for parameter in parameters:
        assert set(parameter.homes) <= {"", *parameter.by_benchmark}
        for name, homes in parameter.homes.items():
            assert homes and (not name or [home.benchmark for home in homes] == [name])
