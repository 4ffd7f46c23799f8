"""Activations × methods → the results table, on made-up activations."""

import math
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from nap_core import methods, metrics
from nap_core.activations import Activations
from nap_core.analysis import evaluation
from nap_core.analysis.evaluation import MethodScores
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, combination
from tests.made_data import made_data


def made(images: int, seed: int, lift: float) -> Activations:
    rng = np.random.default_rng(seed)
    mean = rng.random((images, 6), dtype=np.float32)
    logits = rng.normal(0, 1 + lift, (images, 4)).astype(np.float32)
    return Activations(mean + lift, mean, mean, logits, np.arange(images) % 4)


FOUND = made_data(made(40, 0, 2.0), {"mnist": made(30, 1, 1.0), "textures": made(25, 2, 1.8)})


@pytest.mark.parametrize("name", methods.STANDARD)
def test_scores_of_a_study_are_the_methods_own(name: str) -> None:
    found = evaluation.method_scores(FOUND, name)
    assert found.method == name
    assert found.title == methods.title(name)
    assert found.w == methods.default_w(name, methods.ScoringContext(trained_on="CIFAR-10"))
    np.testing.assert_array_equal(
        found.id, methods.score(name, FOUND.id, methods.ScoringContext(trained_on="CIFAR-10"))
    )
    assert list(found.ood) == ["mnist", "textures"]
    for dataset, values in found.ood.items():
        np.testing.assert_array_equal(
            values, methods.score(name, FOUND.ood[dataset], methods.ScoringContext(trained_on="CIFAR-10"))
        )
    np.testing.assert_array_equal(found.pooled, np.concatenate([found.ood["mnist"], found.ood["textures"]]))


def test_weight_that_was_chosen_is_used_and_kept() -> None:
    found = evaluation.method_scores(FOUND, "nap+msp", w=0.9)
    assert found.w == 0.9
    np.testing.assert_array_equal(found.id, methods.score("nap+msp", FOUND.id, w=0.9))
    assert evaluation.method_scores(FOUND, "nap+msp", w=0.0).w == 0.0


def test_threshold_is_set_by_id_images_alone() -> None:
    scores = MethodScores("msp", None, np.arange(1.0, 21.0), {"mnist": np.array([99.0])})
    assert scores.threshold() == 2.0
    assert scores.threshold(0.5) == 11.0


def test_table_has_a_row_for_each_method_and_dataset() -> None:
    table = evaluation.evaluate(FOUND)
    assert list(table.columns) == evaluation.COLUMNS
    assert list(zip(table["method"], table["ood"], strict=True)) == [
        (method, dataset) for method in methods.STANDARD for dataset in ("mnist", "textures")
    ]
    assert set(table["id"]) == {"cifar10"}
    assert set(table["n_id"]) == {40}
    assert table["n_ood"].tolist() == [30, 25] * 5


def test_figures_in_the_table_are_those_of_the_scores() -> None:
    weights = MappingProxyType({"nap+energy": 0.8})
    table = evaluation.evaluate(FOUND, ("energy", "nap+msp", "nap+energy"), weights)
    expected_w = {"energy": None, "nap+msp": 0.5, "nap+energy": 0.8}
    for row in table.itertuples():
        w = expected_w[row.method]
        assert math.isnan(row.w) if w is None else row.w == w, row
        known = methods.score(row.method, FOUND.id, w=w)
        unknown = methods.score(row.method, FOUND.ood[row.ood], w=w)
        assert row.fpr95 == metrics.fpr_at_tpr(known, unknown)
        assert row.auroc == metrics.auroc(known, unknown)
        assert row.aupr_in == metrics.aupr_in(known, unknown)
        assert row.aupr_out == metrics.aupr_out(known, unknown)


def with_labels(labels: list[int]) -> EvaluationData:
    one = np.ones((len(labels), 1), np.float32)
    logits = np.tile(np.array([0, 1, 0], np.float32), (len(labels), 1))  # always predicts class 1
    return replace(FOUND, id=ImageSet(Activations(one, one, one, logits, np.array(labels))))


def test_accuracy_by_hand() -> None:
    assert evaluation.id_accuracy(with_labels([1, 1, 0, 2])) == 0.5


def test_images_of_unknown_class_do_not_count_towards_accuracy() -> None:
    assert evaluation.id_accuracy(with_labels([1, -1, -1, 2])) == 0.5


def test_accuracy_is_unknown_without_any_label() -> None:
    assert math.isnan(evaluation.id_accuracy(with_labels([-1, -1])))
    assert evaluation.evaluate(with_labels([-1, -1]), ["msp"])["id_accuracy"].isna().all()


def test_weight_curve_is_the_table_at_every_weight() -> None:
    found = evaluation.weight_curve(FOUND, "nap+energy", (0.0, 0.25, 1.0))
    assert found.datasets == ("mnist", "textures")
    for column, w in enumerate(found.w):
        table = evaluation.evaluate(FOUND, ["nap+energy"], {"nap+energy": float(w)})
        np.testing.assert_allclose(found.fpr95[:, column], table["fpr95"])
        np.testing.assert_allclose(found.auroc[:, column], table["auroc"])


def test_weight_curve_ends_at_nap_and_at_the_baseline() -> None:
    found = evaluation.weight_curve(FOUND, "nap+msp")
    assert tuple(found.w) == combination.WEIGHTS
    for column, method in ((0, "nap"), (-1, "msp")):
        table = evaluation.evaluate(FOUND, [method])
        np.testing.assert_allclose(found.fpr95[:, column], table["fpr95"])
        np.testing.assert_allclose(found.auroc[:, column], table["auroc"])


def test_weight_curve_of_a_single_method_is_refused() -> None:
    with pytest.raises(UserError, match="Energy is no combination"):
        evaluation.weight_curve(FOUND, "energy")
