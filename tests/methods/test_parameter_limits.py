"""Every parameter of every method at, inside and beyond its limits, with fewer channels than fit images and more."""

from dataclasses import replace

import numpy as np
import pytest

from nap_core import methods, models
from nap_core.activations import Activations
from nap_core.analysis.evaluation import evaluate
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, Parameter, ScoringContext
from nap_core.methods.refusals import bounds, refusal, used_parameters
from nap_core.models import LoadedModel
from tests.sentences import Says

CLASSES, FIT = 3, 90
CASES = [(name, one.name) for name, record in methods.RECORDS.items() for one in record.parameters if not one.choices]


def network(channels: int) -> LoadedModel:
    """ResNet-20's body with another head: a third of the channels speaks for each of three classes."""
    mine = np.arange(channels) % CLASSES == np.arange(CLASSES)[:, None]
    weight = (mine - 1 / CLASSES).astype(np.float32) * np.float32(30 / channels)
    model = models.load("resnet20-cifar10")
    return replace(model, classes=("a", "b", "c"), head_weight=weight, head_bias=np.zeros(CLASSES, np.float32))


def made(model: LoadedModel, images: int, seed: int) -> Activations:
    rng = np.random.default_rng(seed)
    channels, labels = model.head_weight.shape[1], np.arange(images) % CLASSES
    speaks = np.arange(channels) % CLASSES == labels[:, None]
    mean = (rng.gamma(1.0, 0.5, (images, channels)) + speaks).astype(np.float32)
    maximum = mean * rng.uniform(1, 6, mean.shape).astype(np.float32)
    return Activations(maximum, mean, mean**2, np.asarray(model.logits_of(mean), np.float32), labels)


@pytest.fixture(scope="module", params=[64, 128, pytest.param(2048, marks=pytest.mark.slow)])
def context(request: pytest.FixtureRequest) -> ScoringContext:
    model = network(request.param)
    return ScoringContext(model, "", fit_activations=made(model, FIT, 1))


def beyond(parameter: Parameter, low: float, high: float) -> list[float]:
    step = 1 if isinstance(parameter.default, int) else 0.001
    return [low - step, high + max(step, abs(high) * 1e-3)]


def written(parameter: Parameter, value: float) -> str:
    return str(int(value)) if isinstance(parameter.default, int) else repr(float(value))


@pytest.mark.parametrize(("name", "parameter"), CASES)
def test_at_inside_and_beyond_the_limits(context: ScoringContext, name: str, parameter: str) -> None:
    method = methods.parse(name)
    one = method.record.parameter(parameter)
    low, high, _ = bounds(one, context)
    inside = (low + high) // 2 if isinstance(one.default, int) else (low + min(high, low + 1)) / 2
    images = ImageSet(made(context.model, 20, 2))
    for value in (low, inside, high):
        spec = f"{name}:{parameter}={written(one, value)}"
        if method.own_pass:  # its images are looked at by test_image_based
            error = refusal(methods.parse(spec), context)
            assert error is None or "needs a network with dropout" in str(error)
            continue
        scores = methods.score(spec, images, context)
        assert scores.shape == (20,)
        assert np.isfinite(scores).all(), spec
    for value in beyond(one, low, high):
        with pytest.raises(UserError, match=f"{parameter} must be "):
            run(f"{name}:{parameter}={written(one, value)}", images, context)


def run(spec: str, images: ImageSet, context: ScoringContext) -> None:
    """Score, or find out whether it would be refused where that takes images."""
    if not methods.parse(spec).own_pass:
        methods.score(spec, images, context)
    elif error := refusal(methods.parse(spec), context):
        raise error


@pytest.mark.parametrize(
    ("spec", "facts"),
    [
        ("vim:d=65", "ViM d 0 63 64 features 65"),
        ("vim:d=64", "ViM d 0 63 64 features 64"),
        ("gen:M=4", "GEN M 0 3 3 classes 4"),
        ("knn:k=91", "KNN k 1 90 90 images 91"),
        ("nap+knn:k=91", "KNN k 1 90 90 images 91"),
        ("nap:head=1", "NAP head 0 Transformer 1"),
        ("nap:head=1+energy", "NAP head 0 Transformer 1"),
        ("ash-early:back=3", "ASH back 1 2 ResNet-20 3 layers 3"),
        ("nac-ue:layers=4", "NAC-UE layers 1 3 ResNet-20 3 layers 4"),
        ("lts:p=0.001", "LTS p 0.0079 1 64 features 0.001"),
    ],
)
def test_the_refusal_has_the_range_on_this_network(spec: str, facts: str, says: Says) -> None:
    model = network(64)
    context = ScoringContext(model, "", fit_activations=made(model, FIT, 1))
    says(str(refusal(methods.parse(spec), context)), facts)


@pytest.mark.parametrize(
    ("spec", "trained_on", "used"),
    [
        ("knn", "", "knn:k=20"),
        ("gen", "ImageNet-1k", "gen:M=3"),
        ("openmax", "", "openmax:tailsize=6:alpha=3"),
        ("ash-p:percentile=0.5", "", "ash-p:percentile=0.5"),
    ],
)
def test_a_default_beyond_the_limit_becomes_the_limit_and_the_table_says_so(spec, trained_on, used) -> None:
    model = network(64)
    images, context = made(model, 30, 2), ScoringContext(model, trained_on, fit_activations=made(model, 20, 1))
    parameters = dict(methods.parse(used).settings)
    assert parameters.items() <= used_parameters(methods.parse(spec), context).items()
    np.testing.assert_array_equal(methods.score(spec, images, context), methods.score(used, images, context))
    table = evaluate(EvaluationData("id", ImageSet(images), {"ood": ImageSet(made(model, 5, 3))}, context), [spec])
    assert {f"{name}={value}" for name, value in parameters.items()} <= set(table["parameters"][0].split())


def test_without_a_network_the_activations_have_the_limits() -> None:
    images = made(network(64), 5, 3)
    with pytest.raises(UserError, match="M must be 0 to 3 here, where the network has 3 classes"):
        methods.score("gen:M=4", images)


def test_as_many_dimensions_as_2048_channels_allow() -> None:
    model = network(2048)
    context = ScoringContext(model, "", fit_activations=made(model, FIT, 1))
    assert refusal(methods.parse("vim:d=2047"), context) is None
    assert "0 to 2047" in str(refusal(methods.parse("vim:d=2048"), context))
