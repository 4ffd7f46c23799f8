"""The figures of the Layers page: what is drawn at which depth, and whether deeper is called clearer when it is."""

import numpy as np
import pandas as pd
import pytest

from nap_core.activations import Activations
from nap_core.analysis.channels.max_mean_points import points_of
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.layers import depth_picture, depth_reading, layer_panel, layer_scatter, wide_table
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.metrics import auroc

TITLES = {"known": "CIFAR-10", "a": "MNIST", "b": "Textures"}
COLOURS = {"known": "#2f7de1", "a": "#c98608", "b": "#c8352c"}
WHOLE = {"c1": "c1 (conv1)", "t1": "t1 (trans1)", "p": "p (penultimate)"}


def table(values: dict[str, tuple[float, float]]) -> pd.DataFrame:
    rows = []
    for layer, (a, b) in values.items():
        rows += [(layer, name, 1 - area, area) for name, area in (("a", a), ("b", b), ("average", (a + b) / 2))]
    return pd.DataFrame(rows, columns=["layers", "ood", "fpr95", "auroc"])


RISING = table({"c1": (0.5, 0.4), "t1": (0.6, 0.7), "p": (0.9, 0.8), "c1,p": (0.1, 0.1)})


@pytest.mark.parametrize("metric", ["auroc", "fpr95"])
def test_a_line_a_dataset_and_their_average_over_depth(metric: str) -> None:
    found = depth_picture(RISING, ["c1", "t1", "p"], WHOLE, TITLES, COLOURS, metric)
    lines = {line.name: line for line in found.figure.data}
    assert list(lines) == ["MNIST", "Textures", "average"]
    expected = [0.5, 0.6, 0.9] if metric == "auroc" else [0.5, 0.4, 0.1]
    np.testing.assert_allclose(lines["MNIST"].y, expected)
    assert list(lines["MNIST"].x) == ["c1", "t1", "p"] == list(found.figure.layout.xaxis.categoryarray)
    assert lines["MNIST"].line.color == COLOURS["a"]
    assert set(found.table["layers"]) == {"c1", "t1", "p"}


def test_one_dataset_is_its_own_average() -> None:
    alone = RISING[RISING["ood"] != "b"]
    found = depth_picture(alone, ["c1", "p"], WHOLE, TITLES, COLOURS, "auroc")
    assert [line.name for line in found.figure.data] == ["MNIST"]
    assert "on MNIST, is" in found.reading


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.5, 0.6, 0.9), "deeper is clearer, at every step"),
        ((0.6, 0.5, 0.9), "the deepest layer is the clearest, though not every step down is clearer"),
        ((0.5, 0.9, 0.8), "here t1 is clearer than the deepest layer"),
        ((0.9, 0.901, 0.9), "depth makes no difference"),
    ],
)
def test_says_honestly_whether_deeper_is_clearer(values: tuple[float, ...], verdict: str) -> None:
    found = depth_reading(
        table({layer: (value, value) for layer, value in zip(WHOLE, values, strict=True)}), list(WHOLE), TITLES
    )
    assert verdict in found
    assert f"{100 * values[0]:.1f}\xa0% at c1" in found


def test_a_falling_fpr95_is_clearer() -> None:
    found = depth_picture(RISING, ["c1", "t1", "p"], WHOLE, TITLES, COLOURS, "fpr95").reading
    assert found.startswith("NAP’s FPR95")
    assert "15.0\xa0% at p: deeper is clearer, at every step" in found


def some(seed: int, factor: float) -> Activations:
    draw = np.random.default_rng(seed)
    mean = draw.uniform(0, 2, (200, 4))
    return Activations(factor * (mean + 1), mean, mean, np.zeros((200, 2)), np.zeros(200, np.int64))


def test_a_panel_draws_a_sample_and_counts_all() -> None:
    known, met = some(0, 3.0), some(1, 2.0)
    scores = MethodScores("nap", None, np.linspace(1, 2, 200), {"a": np.linspace(0.5, 1.5, 200)})
    parts = [points_of("known", known), points_of("a", met)]
    found = layer_scatter(parts, scores, "t1", TITLES, COLOURS, most=100)
    clouds = [trace for trace in found.figure.data if trace.mode == "markers"]
    assert [trace.name for trace in clouds] == ["MNIST", "CIFAR-10"]  # ID in front
    assert 90 <= sum(len(trace.x) for trace in clouds) <= 100
    assert all(trace.type == "scatter" for trace in found.figure.data)  # no WebGL
    assert min(trace.x.min() for trace in clouds) > 0.1
    assert "**t1**: ID peaks ×\xa01.5" in found.reading
    assert f"{100 * auroc(scores.id, scores.ood['a']):.1f}\xa0%" in found.reading
    assert len(found.table) == sum(len(trace.x) for trace in clouds)


def test_the_wide_table_has_the_average_the_published_average_then_each_dataset() -> None:
    average = RISING["ood"] == "average"
    published = RISING.assign(
        published_fpr95=np.where(average, 0.3, np.nan), published_auroc=np.where(average, 0.7, np.nan)
    )
    found = wide_table(published, {"a": "MNIST", "b": "Textures"})
    assert found["NAP at"].tolist() == ["NAP(c1)", "NAP(t1)", "NAP(p)", "NAP(c1,p)"]
    assert [name.partition(" ")[2] for name in found.columns[1::2]] == ["average", "Table 7", "MNIST", "Textures"]
    np.testing.assert_allclose(found["AUROC average"], [45, 65, 85, 10])
    np.testing.assert_allclose(found["FPR95 Textures"], [60, 30, 20, 90])
    np.testing.assert_allclose(found["AUROC Table 7"], [70, 70, 70, 70])


def test_of_one_dataset_the_wide_table_has_no_average() -> None:
    found = wide_table(RISING[RISING["ood"] != "b"], {"a": "MNIST"})
    assert list(found.columns[1:]) == ["FPR95 MNIST", "AUROC MNIST"]


def test_a_panel_shows_the_id_images_and_the_ood_datasets_that_are_named() -> None:
    def images(seed: int) -> Activations:
        mean = np.random.default_rng(seed).gamma(2, 0.5, (20, 4)).astype(np.float32)
        return Activations(mean * 3, mean, mean, np.zeros((20, 2), np.float32), np.zeros(20, np.int64))

    parts = {name: images(seed) for seed, name in enumerate(TITLES)}
    data = EvaluationData(
        "known", ImageSet(parts["known"]), {name: ImageSet(parts[name]) for name in ("a", "b")}, ScoringContext()
    )
    scores = MethodScores("nap", None, np.arange(20.0), {"a": np.zeros(20), "b": np.zeros(20)})
    panel = layer_panel(data, ["b"], scores, "c1", TITLES, COLOURS)
    expected = layer_scatter([points_of(name, parts[name]) for name in ("known", "b")], scores, "c1", TITLES, COLOURS)
    assert panel.figure == expected.figure
    assert panel.reading == expected.reading
