"""Which layers a network is read at, NAP there and its products, and what a study has to go through for them."""

from dataclasses import replace

import numpy as np
import pytest

from nap_core import metrics, models
from nap_core.analysis import evaluation, layers
from nap_core.analysis.evaluation import MethodScores
from nap_core.datasets import load as load_images
from nap_core.errors import UserError
from nap_core.extraction import Stored
from nap_core.methods import EvaluationData
from nap_core.models import LoadedModel, architectures
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from nap_core.studies.study import Study, run

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 20)
PICKED = ("bn1", "layer2", "")


def network(name: str) -> LoadedModel:
    blueprint = architectures.find(name)
    classes, usual = tuple("abcde"), blueprint.transform
    small = usual if usual.crop == 32 else replace(usual, resize=64, crop=64)
    return models.assemble(blueprint, blueprint.build(len(classes)).eval(), small, classes, name)


@pytest.mark.parametrize(
    ("name", "expected", "short"),
    [
        ("resnet20", ("bn1", "layer1", "layer2", ""), "c1 s1 s2 p"),
        ("densenet_bc_40_12", ("conv1", "trans1.conv1", "trans2.conv1", ""), "c1 t1 t2 p"),
        (
            "densenet121",
            (
                "features.relu0",
                "features.transition1.conv",
                "features.transition2.conv",
                "features.transition3.conv",
                "",
            ),
            "c1 t1 t2 t3 p",
        ),
        ("mobilenet_v2", ("features.0.2", "features.3", "features.6", "features.13", ""), "c1 s1 s2 s3 p"),
        ("vgg11", ("features.1", "features.5", "features.10", "features.15", ""), "c1 s1 s2 s3 p"),
        ("resnet50", ("relu", "layer1", "layer2", "layer3", ""), "c1 s1 s2 s3 p"),
        ("swin_t", ("features.0.0", "features.1", "features.3", "features.5", ""), "c1 s1 s2 s3 p"),
        ("timm:resnet18", ("act1", "layer1", "layer2", "layer3", ""), "c1 s1 s2 s3 p"),
    ],
)
def test_suggests_the_first_convolution_the_stages_and_the_penultimate(
    name: str, expected: tuple[str, ...], short: str
) -> None:
    model = network(name)
    found = layers.suggested(model)
    assert found == expected
    assert list(layers.short_names(model, found).values()) == short.split()
    possible = {layer.name for layer in layers.choices(model)}
    assert set(found) - {""} <= possible


def test_before_a_transitions_pooling_the_map_is_still_large() -> None:
    """Appendix C: "before the pooling operation in the first transition block"."""
    model = network("densenet_bc_40_12")
    shapes = [model.structure.layer(name).shape[1] for name in layers.suggested(model)[:-1]]
    assert shapes == [32, 32, 16]
    assert layers.describe(model, "trans1.conv1") == "trans1.conv1 · 48 × 32 × 32"
    assert layers.describe(model, "") == "penultimate · 132 × 8 × 8"


def test_a_layer_of_ones_own_keeps_its_name() -> None:
    model = network("resnet20")
    assert layers.short_names(model, ("layer1.0", "layer2", "")) == {"layer1.0": "layer1.0", "layer2": "s2", "": "p"}


def test_transformers_and_banks_have_no_other_depth() -> None:
    with pytest.raises(UserError, match="holds activations of the penultimate layer, and no images"):
        layers.network_of(Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5))


@pytest.fixture(scope="module")
def cases() -> dict[str, EvaluationData]:
    return layers.run_layers(STUDY, Store(), PICKED)


@pytest.fixture(scope="module")
def scores(cases: dict[str, EvaluationData]) -> dict[str, MethodScores]:
    return layers.layer_scores(cases)


def test_each_layer_is_the_study_read_there(cases: dict[str, EvaluationData], scores: dict[str, MethodScores]) -> None:
    for layer in PICKED:
        alone = run(Study(STUDY.model, STUDY.id_dataset, STUDY.ood_datasets, STUDY.images, layer=layer), Store())
        expected = evaluation.method_scores(alone, "nap")
        np.testing.assert_array_equal(scores[layer].id, expected.id)
        for name, values in expected.ood.items():
            np.testing.assert_array_equal(scores[layer].ood[name], values)
        np.testing.assert_array_equal(cases[layer].id.activations.labels, alone.id.activations.labels)
        assert str(cases[layer].context.model.hook) == str(alone.context.model.hook)


def test_a_study_of_another_layer_has_the_same_depths(cases: dict[str, EvaluationData]) -> None:
    elsewhere = Study(STUDY.model, STUDY.id_dataset, STUDY.ood_datasets, STUDY.images, layer="layer2")
    assert layers.extraction_plan(elsewhere, PICKED).missing(Store()).total() == 0
    assert layers.network_of(elsewhere) is layers.network_of(STUDY)


def test_only_images_that_lack_a_layer_go_through_and_a_stop_is_no_loss(tmp_path) -> None:
    small, store = Study("resnet20-cifar10", "cifar10", ("mnist",), 6), Store(tmp_path)
    assert layers.extraction_plan(small, PICKED).missing(store).total() == 12
    with pytest.raises(ExtractionStopped):
        layers.run_layers(small, store, PICKED, callbacks=RunCallbacks(should_stop=lambda: True))
    run(Study("resnet20-cifar10", "cifar10", ("uniform-noise",), 6, layer="bn1"), store)
    assert layers.extraction_plan(small, ("bn1",)).missing(store).total() == 6
    heard: list[Progress] = []
    layers.run_layers(small, store, PICKED, callbacks=RunCallbacks(progress=heard.append))
    assert [(one.done, one.total) for one in heard] == [(6, 12), (12, 12)]
    assert layers.extraction_plan(small, PICKED).missing(store).total() == 0
    site = models.with_layer(layers.network_of(small), "bn1")
    assert Stored(store, site, load_images("mnist")).rows == 6

    def nothing(_progress: object) -> None:
        raise AssertionError("what is stored is not computed again")

    layers.run_layers(small, store, PICKED, callbacks=RunCallbacks(progress=nothing))


def test_a_product_multiplies_image_by_image(scores: dict[str, MethodScores]) -> None:
    found = layers.product([scores["bn1"], scores["layer2"], scores[""]])
    np.testing.assert_allclose(found.id, scores["bn1"].id * scores["layer2"].id * scores[""].id)
    np.testing.assert_allclose(
        found.ood["mnist"], scores["bn1"].ood["mnist"] * scores["layer2"].ood["mnist"] * scores[""].ood["mnist"]
    )
    with pytest.raises(ValueError, match="at least one"):
        layers.product([])
    with pytest.raises(ValueError, match="same images"):
        layers.product([scores[""], MethodScores("nap", None, scores[""].id[:3], scores[""].ood)])


def test_the_table_has_every_layer_and_product(scores: dict[str, MethodScores]) -> None:
    products = layers.paper_products(PICKED)
    assert products == [PICKED, ("layer2", "")]
    table = layers.layer_table(scores, products)
    names = ["bn1", "layer2", "penultimate", "bn1,layer2,penultimate", "layer2,penultimate"]
    assert table["layers"].unique().tolist() == names
    assert table["ood"].tolist()[:3] == ["mnist", "uniform-noise", "average"]
    row = table.set_index(["layers", "ood"])
    pair = layers.product([scores["layer2"], scores[""]])
    area = metrics.auroc(pair.id, pair.ood["mnist"])
    assert row.loc[("layer2,penultimate", "mnist"), "auroc"] == pytest.approx(area)
    alone = scores[""]
    fpr95 = [metrics.fpr_at_tpr(alone.id, values) for values in alone.ood.values()]
    assert row.loc[("penultimate", "average"), "fpr95"] == pytest.approx(np.mean(fpr95))
