"""Entries run on studies: numbers are evaluation's, differences only where they mean something, claims are counted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nap_core import metrics
from nap_core.analysis import evaluation, oracle, weight_search
from nap_core.analysis.comparison import AVERAGE
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.paper import ENTRIES, spec, tables
from nap_core.paper.comparison import ORIENTATION, compare
from nap_core.paper.findings import finding
from nap_core.paper.measuring import measure
from nap_core.paper.running import ReproductionInput, run
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, RunCallbacks
from nap_core.studies.study import Study
from nap_core.studies.study import run as run_study
from tests.sentences import Says, states

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "textures"), 40)


@pytest.fixture(scope="module")
def evaluation_data() -> EvaluationData:
    return run_study(STUDY, Store(), device="cpu")


@pytest.fixture(scope="module")
def subject(evaluation_data: EvaluationData) -> ReproductionInput:
    return ReproductionInput(replace(evaluation_data, context=context(evaluation_data, 150)))


def context(evaluation_data: EvaluationData, fit_limit: int | None) -> ScoringContext:
    """What methods stand on, with few images to estimate from, or none."""
    own = evaluation_data.context
    fit = own.fit_images if fit_limit else None
    return ScoringContext(own.model, own.trained_on, fit, fit_limit=fit_limit, store=Store(), device="cpu")


@pytest.fixture(scope="module")
def as_in_the_paper(subject: ReproductionInput) -> ReproductionInput:
    """The same images, called by all six headings of the paper."""
    known = list(subject.data.ood.values())
    ood = {heading: known[place % 2] for place, heading in enumerate(spec.CIFAR_HEADINGS)}
    return ReproductionInput(replace(subject.data, ood=ood))


def test_the_numbers_are_those_of_the_evaluation_at_the_papers_w(
    subject: ReproductionInput, evaluation_data: EvaluationData
) -> None:
    done = run(ENTRIES["table-6"], subject)
    scores = evaluation.method_scores(evaluation_data, "nap+energy", w=0.4)
    table = done.table[done.table["row"] == "Energy x NAP"]
    for name in STUDY.ood_datasets:
        one = table[(table["ood"] == name) & (table["metric"] == "fpr95")]
        assert one["measured"].tolist() == [metrics.fpr_at_tpr(scores.id, scores.ood[name])]
        assert one["w"].tolist() == [0.4]
    average = table[(table["ood"] == AVERAGE) & (table["metric"] == "auroc")]["measured"].iloc[0]
    assert average == pytest.approx(np.mean([metrics.auroc(scores.id, values) for values in scores.ood.values()]))


def test_an_average_over_other_datasets_is_not_set_against_the_papers(subject: ReproductionInput) -> None:
    done = run(ENTRIES["table-6"], subject)
    assert done.beside == spec.CIFAR10
    assert done.table["difference"].isna().all()
    paper = done.table[done.table["ood"].str.startswith(ORIENTATION)]
    assert len(paper) == 2 * len(ENTRIES["table-6"].rows)
    assert any("is not set against" in one for one in done.remarks)
    assert any("another dataset" in one for one in done.remarks)  # our Textures are not the paper's
    assert list(tables.datasets_of(tables.by_dataset(done, "fpr95"))) == [
        "MNIST",
        "Textures",
        "Average of 2",
        "Average in the paper",
    ]


def test_all_of_the_papers_datasets_give_every_difference(as_in_the_paper: ReproductionInput) -> None:
    done = run(ENTRIES["table-9"], as_in_the_paper)
    assert done.table["published"].notna().all()
    assert np.allclose(done.table["difference"], done.table["measured"] - done.table["published"])
    row = done.table[(done.table["row"] == "MSP") & (done.table["metric"] == "fpr95")].set_index("ood")["published"]
    assert row["Textures"] == pytest.approx(0.6452)  # where the paper prints LSUN-Crop
    assert row[AVERAGE] == pytest.approx(0.4869)
    assert any("order SVHN, LSUN-Crop" in one for one in done.slips)
    assert any("Fewer images" in one for one in done.remarks)


def test_another_network_is_for_orientation_only(as_in_the_paper: ReproductionInput) -> None:
    done = run(ENTRIES["table-3"], as_in_the_paper)
    assert done.beside is None
    assert done.table["difference"].isna().all()
    assert "for orientation" in done.remarks[0]
    assert (done.table["ood"] == f"{ORIENTATION}average of MobileNetV2").any()


def test_a_method_without_its_fit_split_says_so_and_the_rest_goes_on(
    subject: ReproductionInput, evaluation_data: EvaluationData
) -> None:
    done = run(ENTRIES["table-2"], ReproductionInput(replace(subject.data, context=context(evaluation_data, None))))
    assert {"KNN", "NAP-K", "DICE", "ReAct"} <= set(done.unable)
    assert "fit split" in done.unable["KNN"]
    assert "KNN" not in tables.by_dataset(done, "fpr95").index
    assert done.finding.of == 2 * 4


def test_w_is_searched_and_what_it_lost_is_that_of_the_search(
    subject: ReproductionInput, evaluation_data: EvaluationData
) -> None:
    entry = replace(ENTRIES["table-11"], rows=ENTRIES["table-11"].rows[:2])
    done = run(entry, subject)
    expected = weight_search.search(evaluation_data, weight_search.extracted(evaluation_data), "nap+energy")
    row = done.table[done.table["row"] == "NAP-E"].set_index("metric")
    assert row.loc["w", "measured"] == expected.w
    assert row.loc["w", "published"] == 0.4
    assert row.loc["w", "difference"] == pytest.approx(expected.w - 0.4)
    assert row.loc["lost", "measured"] == pytest.approx(expected.lost())
    assert done.finding.of == 2


def test_the_curve_counts_the_weights_at_which_nap_is_better(
    subject: ReproductionInput, evaluation_data: EvaluationData
) -> None:
    entry = replace(ENTRIES["figure-4b"], rows=ENTRIES["figure-4b"].rows[:2])
    done = run(entry, subject)
    curve = evaluation.weight_curve(evaluation_data, "nap+energy")
    values = curve.average("fpr95")
    row = done.table[done.table["row"] == "NAP-E"].set_index("metric")["measured"]
    assert row["better"] == pytest.approx(np.mean(values[1:-1] < values[-1]))
    assert row["alone"] == values[-1]


def test_the_front_has_the_methods_that_none_beats(subject: ReproductionInput) -> None:
    done = run(ENTRIES["figure-6"], subject)
    front = tables.by_metric(done)["on the front", "here"]
    assert set(front) <= {0.0, 100.0}
    assert done.finding.of == (front == 100).sum()


def test_the_deepest_layer_is_compared_with_every_other(
    subject: ReproductionInput, evaluation_data: EvaluationData
) -> None:
    done = run(ENTRIES["table-7"], subject)
    rows = [row.printed for row in ENTRIES["table-7"].rows]
    assert list(dict.fromkeys(done.table["row"])) == rows
    scores = evaluation.method_scores(evaluation_data, "nap")
    one = done.table.query("row == 'NAP(p)' and ood == 'mnist' and metric == 'auroc'")["measured"].iloc[0]
    assert one == pytest.approx(metrics.auroc(scores.id, scores.ood["mnist"]))
    assert done.finding.of == 2 * (len(rows) - 1)
    assert done.table.query("row == 'NAP(t2)'")["published"].notna().any()


def test_the_oracle_and_its_correlation(subject: ReproductionInput, evaluation_data: EvaluationData) -> None:
    done = run(ENTRIES["figure-4a"], subject)
    expected = oracle.oracle(evaluation_data)
    values = done.table.set_index("metric")["measured"]
    assert values["correlation"] == pytest.approx(expected.correlation)
    assert states(done.finding.sentence, f"{expected.correlation:.2f}")


def test_the_cost_is_a_share_of_the_forward_pass(subject: ReproductionInput) -> None:
    done = run(ENTRIES["section-6.5"], subject)
    values = done.table.dropna(subset=["measured"]).set_index("metric")["measured"]
    assert values["share"] == pytest.approx(values["nap_ms"] / values["forward_ms"])
    assert states(done.finding.sentence, "0.0462")
    assert done.table["published"].dropna().tolist() == [0.000462]


def test_earlier_layers_take_images(subject: ReproductionInput) -> None:
    bare = ReproductionInput(replace(subject.data, id=ImageSet(subject.data.id.activations)))
    with pytest.raises(UserError, match="the images themselves"):
        run(ENTRIES["table-7"], bare)
    with pytest.raises(UserError, match="timed"):
        run(ENTRIES["section-6.5"], bare)


def test_it_stops_when_it_is_asked_to(subject: ReproductionInput) -> None:
    with pytest.raises(ExtractionStopped):
        run(ENTRIES["table-9"], subject, RunCallbacks(should_stop=lambda: True))


def test_what_has_no_numbers_cannot_be_run(subject: ReproductionInput) -> None:
    with pytest.raises(UserError, match="no numbers"):
        measure(ENTRIES["figure-1"], subject)


def test_without_id_images_w_cannot_be_searched(subject: ReproductionInput) -> None:
    bare = ReproductionInput(replace(subject.data, id=ImageSet(subject.data.id.activations)))
    with pytest.raises(UserError, match="cannot be distorted"):
        run(ENTRIES["table-11"], bare)


def _measured(fpr95: dict[str, float], auroc: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"row": row, "ood": "a", "heading": "", "metric": metric, "measured": value, "note": ""}
        for metric, values in (("fpr95", fpr95), ("auroc", auroc))
        for row, value in values.items()
    ]
    return pd.DataFrame(rows)


def test_a_claim_holds_in_part_where_one_comparison_fails(says: Says) -> None:
    entry = ENTRIES["table-13"]
    better = {"Energy": 0.5, "NAP-E": 0.2, "MSP": 0.4, "NAP-M": 0.45}
    claim = finding(entry, _measured(better, {name: 1 - value for name, value in better.items()}))
    assert (claim.held, claim.of, claim.verdict) == (2, 4, "holds in part")
    says(claim.sentence, "FPR95 lower 1 2 NAP-M MSP AUROC higher 1 NAP-E 20.0 Energy 50.0")


def test_a_claim_about_one_dataset_is_looked_at_there(says: Says) -> None:
    both = [("far", "", 0.1), ("near", "CIFAR-100", 0.6)]
    rows = [
        {"row": row, "ood": ood, "heading": heading, "metric": metric, "measured": value + extra, "note": ""}
        for ood, heading, value in both
        for row, extra in (("Energy", 0.0), ("NAP-E", -0.3 if ood == "far" else 0.1))
        for metric in ("fpr95", "auroc")
    ]
    claim = finding(ENTRIES["table-12"], pd.DataFrame(rows))
    says(claim.sentence, "FPR95 lower 0 1 AUROC higher 1 FPR95 NAP-E 70.0 Energy 60.0")


def test_published_and_measured_without_a_counterpart() -> None:
    keys = {"row": ["a"], "method": ["nap"], "w": [np.nan], "heading": [""], "metric": ["auroc"]}
    measured = pd.DataFrame({**keys, "ood": ["mnist"], "measured": [0.9], "note": [""]})
    published = pd.DataFrame(columns=["row", "heading", "metric", "published", "note"])
    both = compare(measured, published)
    assert len(both) == 1
    assert both["difference"].isna().all()


def test_data_named_by_headings_and_by_the_catalogue_agree(
    subject: ReproductionInput, as_in_the_paper: ReproductionInput
) -> None:
    entry = ENTRIES["figure-2"]
    here = run(entry, subject).table.query("ood == 'mnist'").set_index(["row", "metric"])["measured"]
    there = run(entry, as_in_the_paper).table.query("ood == 'SVHN'").set_index(["row", "metric"])["measured"]
    assert len(here) and here.tolist() == there[here.index].tolist()
    assert set(subject.headings.values()) == {""}
    assert as_in_the_paper.headings == {name: name for name in spec.CIFAR_HEADINGS}
