"""Matrix products give what the library's loops give, and what no memory holds is refused in words."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_ood.detector import DICE, RMD, Mahalanobis, fDBD

from nap_core import activations as activations_module
from nap_core import methods
from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods import ScoringContext, pytorch_ood_adapter
from nap_core.methods.pytorch_ood_adapter import Head, in_words
from nap_core.methods.vectorised import MatrixDICE, MatrixFDBD, MatrixMahalanobis, MatrixRMD, SquaredDistances
from nap_core.models import LoadedModel
from tests.extraction.test_extraction import CLASSES, tiny

CLASS_COUNT, CHANNELS = 7, 12


@pytest.fixture
def fit() -> tuple[torch.Tensor, torch.Tensor]:
    draw = np.random.default_rng(0)
    labels = np.arange(300) % CLASS_COUNT
    centres = draw.gamma(1, 1, (CLASS_COUNT, CHANNELS))
    features = np.maximum(centres[labels] + draw.normal(0, 0.3, (300, CHANNELS)), 0).astype(np.float32)
    return torch.from_numpy(features), torch.from_numpy(labels)


@pytest.fixture
def features() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).gamma(1, 1, (50, CHANNELS)).astype(np.float32))


def head() -> Head:
    draw = np.random.default_rng(2)
    return Head(draw.normal(size=(CLASS_COUNT, CHANNELS)).astype("f4"), draw.normal(size=CLASS_COUNT).astype("f4"))


@pytest.mark.parametrize(
    ("ours", "theirs", "arguments"),
    [
        (MatrixMahalanobis, Mahalanobis, lambda: (None,)),
        (MatrixRMD, RMD, lambda: (None,)),
        (MatrixDICE, DICE, lambda: (None, head().weight, head().bias, 0.6)),
        (MatrixFDBD, fDBD, lambda: (None, head())),
    ],
)
def test_scores_are_the_librarys(ours, theirs, arguments, fit, features) -> None:
    found, expected = (kind(*arguments()).fit_features(*fit).predict_features(features) for kind in (ours, theirs))
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5)
    assert len(np.unique(np.round(found, 6))) > 40


def test_distances_far_from_the_origin_do_not_cancel() -> None:
    """A thousand away from it and one apart, in numbers of which single precision keeps seven digits."""
    draw = np.random.default_rng(3)
    means = torch.from_numpy(1000 + draw.normal(size=(5, 4)))
    points = torch.from_numpy(1000 + draw.normal(size=(9, 4)))
    root = torch.from_numpy(draw.normal(size=(4, 4)))
    precision = root @ root.T
    by_hand = [[float((z - mean) @ precision @ (z - mean)) for mean in means] for z in points]
    np.testing.assert_allclose(SquaredDistances(means, precision)(points), by_hand, rtol=1e-9)


@pytest.fixture
def scattered() -> Activations:
    draw = np.random.default_rng(4)
    mean = draw.gamma(0.5, 0.4, (60, 5)).astype(np.float32)
    labels = mean[:, :CLASSES].argmax(axis=1)  # as the head of ``simple`` predicts
    logits = draw.normal(size=(60, CLASSES)).astype(np.float32) + 2 * np.eye(CLASSES, dtype=np.float32)[labels]
    return Activations(mean * 3, mean, mean / 2, logits, labels)


def simple() -> LoadedModel:
    return replace(tiny(), head_weight=np.eye(CLASSES, 5, dtype=np.float32), head_bias=np.zeros(CLASSES, np.float32))


@pytest.mark.parametrize("name", [name for name, record in methods.RECORDS.items() if not record.own_pass])
def test_blocks_do_not_matter(name, scattered, monkeypatch) -> None:
    """Nor does it matter that images come in one block or by threes: ASH-RAND draws on where it ended."""
    fit = scattered.take(np.arange(60)[::-1])
    few = {"k": "5"} | {"d": "2"}
    told = {one.name: few[one.name] for one in methods.RECORDS[name].parameters if one.name in few}
    spec = ":".join([name, *(f"{key}={value}" for key, value in told.items())])
    whole = methods.score(spec, scattered, ScoringContext(simple(), "CIFAR-10", fit_activations=fit))
    monkeypatch.setattr(activations_module, "BLOCK", 3 * 5)
    monkeypatch.setattr(pytorch_ood_adapter, "ROWS", 3)
    monkeypatch.setattr(pytorch_ood_adapter, "CHUNK_NUMBERS", 1)
    found = methods.score(spec, scattered, ScoringContext(simple(), "CIFAR-10", fit_activations=fit))
    np.testing.assert_allclose(found, whole, rtol=1e-5, atol=1e-6)


def test_a_mixture_that_no_memory_holds_is_refused_before_it_is_tried(scattered) -> None:
    wide = replace(tiny(), head_weight=np.zeros((1000, 2048), np.float32))
    with pytest.raises(UserError, match=r"34 GB\. Use Mahalanobis"):
        methods.score("gmm", scattered, ScoringContext(wide, fit_activations=scattered))


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 bytes")])
def test_a_lack_of_memory_is_told_in_words(error) -> None:
    with pytest.raises(UserError, match=r"KNN needs more memory than there is\. Take fewer images"), in_words("KNN"):
        raise error


def test_other_faults_of_a_detector_are_not_called_a_lack_of_memory() -> None:
    with pytest.raises(RuntimeError, match="shape"), in_words("KNN"):
        raise RuntimeError("a shape does not fit")
