"""Designs of the score on a study: Table 6, the paper's figures beside it, written scores and ε."""

from dataclasses import replace

import numpy as np
import pytest

from nap_core import methods, metrics
from nap_core.activations import Activations
from nap_core.analysis import evaluation, score_variants
from nap_core.analysis.comparison import AVERAGE
from nap_core.errors import UserError
from nap_core.methods import EvaluationData
from nap_core.methods.expressions import parse
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from tests.made_data import made_data

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 50)


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.mark.parametrize("other", ["energy", "msp"])
def test_the_table_has_the_figures_of_evaluate(found: EvaluationData, other: str) -> None:
    table = score_variants.design_table(found, other=other)
    assert table["ood"].unique().tolist() == ["mnist", "uniform-noise", AVERAGE]
    specs = [other, *score_variants.DESIGNS, *(f"{design}+{other}" for design in score_variants.DESIGNS)]
    assert table["method"].unique().tolist() == specs
    expected = evaluation.evaluate(found, specs)
    both = table.merge(expected, on=["method", "ood"], suffixes=("", "_expected"))
    assert len(both) == len(expected)
    for metric in ("fpr95", "auroc"):
        np.testing.assert_allclose(both[metric], both[f"{metric}_expected"])
        means = expected.groupby("method")[metric].mean()
        averages = table[table["ood"] == AVERAGE].set_index("method")
        np.testing.assert_allclose(averages[metric], means.loc[averages.index])
        base = averages.loc[other, metric]
        np.testing.assert_allclose(averages[f"{metric}_change"], averages[metric] - base)


def test_weights_are_told_and_else_the_default(found: EvaluationData) -> None:
    table = score_variants.design_table(found, weights={"nap-minus": 0.7})
    w = table[table["combined"]].groupby("design")["w"].first()
    assert w["nap-minus"] == 0.7
    assert w["nap"] == methods.default_w("nap+energy", found.context)
    assert score_variants.default_weights(found) == {
        design: methods.default_w(f"{design}+energy", found.context) for design in score_variants.DESIGNS
    }


def test_the_best_w_leaves_no_lower_average(found: EvaluationData) -> None:
    best = score_variants.best_weights(found)
    at_best = score_variants.design_table(found, weights=best)
    for w in (0.1, 0.4, 0.8):
        other = score_variants.design_table(found, weights=dict.fromkeys(score_variants.DESIGNS, w))
        rows = (at_best["ood"] == AVERAGE) & at_best["combined"]
        assert (at_best.loc[rows, "fpr95"] <= other.loc[rows, "fpr95"] + 1e-12).all()


def test_others_need_nothing_but_stored_activations(found: EvaluationData) -> None:
    names = score_variants.others()
    assert {"energy", "msp", "ash-s", "scale"} <= set(names)
    assert not {"knn", "mahalanobis", "odin", "react"} & set(names)
    for name in names:
        score_variants.design_table(found, ("nap",), other=name)


def test_a_written_design_scores_and_combines_as_the_design(found: EvaluationData) -> None:
    written = score_variants.expression_scores(found, parse(score_variants.EXAMPLES["S_NAP"]))
    ours = evaluation.method_scores(found, "nap")
    np.testing.assert_allclose(written.id, ours.id)
    assert written.title == "Own"
    both = score_variants.combined_scores(found, written, "energy", 0.3)
    expected = evaluation.method_scores(found, "nap+energy", w=0.3)
    np.testing.assert_allclose(both.ood["mnist"], expected.ood["mnist"])
    assert (both.title, both.w) == ("Own+Energy", 0.3)


def test_what_is_negative_counts_as_nothing_in_the_combination(found: EvaluationData) -> None:
    middle = float(np.median(found.id.activations.mean.astype(np.float64).mean(axis=1)))
    written = score_variants.expression_scores(found, parse(f"mean - {middle:.6f}"))
    negative = written.id < 0
    assert 0 < negative.sum() < len(negative)
    both = score_variants.combined_scores(found, written, "energy", 0.5)
    np.testing.assert_array_equal(both.id == 0, negative)


def test_a_score_without_a_value_names_the_dataset(found: EvaluationData) -> None:
    with pytest.raises(UserError, match=r"^CIFAR-10: “/” at character 5 divides by zero"):
        score_variants.expression_scores(found, parse("max / (mean - mean)"))
    with_hole = replace(found.of("mnist"), mean=found.of("mnist").mean * 0)
    broken = made_data(_positive(found.id.activations), {"mnist": with_hole}, found.context)
    with pytest.raises(UserError, match=r"^MNIST: "):
        score_variants.expression_scores(broken, parse("max / mean"))


def _positive(activations: Activations) -> Activations:
    return replace(activations, mean=activations.mean + 1)


def test_epsilon_at_1_is_nap_and_elsewhere_the_parameter(found: EvaluationData) -> None:
    curve = score_variants.epsilon_curve(found, epsilons=(0.1, 1.0))
    assert curve.w == methods.default_w("nap+energy", found.context)
    for column, (alone, both) in enumerate([("nap:epsilon=0.1", "nap:epsilon=0.1+energy"), ("nap", "nap+energy")]):
        for kind, spec in ((curve.alone, alone), (curve.combined, both)):
            scores = evaluation.method_scores(found, spec, w=curve.w if "+" in spec else None)
            for row, values in enumerate(scores.ood.values()):
                assert kind["fpr95"][row, column] == pytest.approx(metrics.fpr_at_tpr(scores.id, values))
                assert kind["auroc"][row, column] == pytest.approx(metrics.auroc(scores.id, values))
    energy = evaluation.method_scores(found, "energy")
    expected = [metrics.auroc(energy.id, values) for values in energy.ood.values()]
    assert curve.baseline["auroc"].tolist() == pytest.approx(expected)


def test_the_papers_epsilon_is_among_those_tried() -> None:
    assert 1.0 in score_variants.EPSILONS
    assert (score_variants.EPSILONS[0], score_variants.EPSILONS[-1]) == pytest.approx((0.01, 100))
