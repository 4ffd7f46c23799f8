"""What figures hang on: subsets of the images, of the fit split, and other sizes of the views."""

from dataclasses import replace

import numpy as np
import pytest

from nap_core import metrics
from nap_core.activations import Activations
from nap_core.analysis import evaluation, sensitivity
from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores
from nap_core.analysis.sensitivity import input_size, number_of_images
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ScoringContext
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, RunCallbacks
from nap_core.studies.study import Study, run
from tests.made_data import made_data

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 20)
BANK = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5)


def scores(known: int = 60, **unknown: int) -> MethodScores:
    draw = np.random.default_rng(0)
    # Rounded, so that there are ties.
    ood = {name: draw.normal(0, 1, count).round(1) for name, count in unknown.items()}
    return MethodScores("nap", None, draw.normal(1, 1, known).round(1), ood)


def test_a_subset_has_the_metrics_of_its_images() -> None:
    given = scores(near=50, far=40)
    table = sensitivity.by_images(given, [20], draws=8, seed=3)
    known = number_of_images._drawn(60, 20, 8, (3, 20, 0))
    for stream, (name, values) in enumerate(given.ood.items(), start=1):
        met = number_of_images._drawn(len(values), 20, 8, (3, 20, stream))
        for metric, measure in (("fpr95", metrics.fpr_at_tpr), ("auroc", metrics.auroc)):
            each = [measure(given.id[a], values[b]) for a, b in zip(known, met, strict=True)]
            row = table.set_index(["images", "ood", "metric"]).loc[(20, name, metric)]
            assert row[["low", "median", "high"]].tolist() == pytest.approx(np.quantile(each, [0.05, 0.5, 0.95]))


def test_no_image_is_drawn_twice_and_all_methods_meet_the_same() -> None:
    drawn = number_of_images._drawn(30, 12, 40, (0, 12, 1))
    assert all(len(set(row)) == 12 for row in drawn.tolist())
    assert set(drawn.ravel().tolist()) == set(range(30))
    given = scores(near=50)
    other = replace(given, method="energy")
    assert (
        sensitivity.by_images(given).drop(columns="method").equals(sensitivity.by_images(other).drop(columns="method"))
    )


def test_the_last_rows_are_the_whole_study() -> None:
    given = scores(near=50, far=45)
    table = sensitivity.by_images(given)
    assert sorted(table["images"].unique()) == [10, 20, 60]
    whole = table[table["images"] == 60].set_index(["ood", "metric"])
    expected = [metrics.fpr_at_tpr(given.id, values) for values in given.ood.values()]
    assert whole.loc[("near", "fpr95"), "median"] == pytest.approx(expected[0])
    assert whole.loc[(AVERAGE, "fpr95"), "median"] == pytest.approx(np.mean(expected))
    assert (whole["low"] == whole["high"]).all()


def test_more_images_scatter_less() -> None:
    table = (
        sensitivity.by_images(scores(4000, near=4000), [10, 100, 1000]).query("metric == 'auroc'").sort_values("images")
    )
    width = (table["high"] - table["low"]).tolist()
    assert width == sorted(width, reverse=True)


def test_sizes_leave_half_of_the_smallest_dataset_out() -> None:
    assert number_of_images.sizes_for(scores(1000, near=999, far=205)) == (10, 20, 50, 100)
    assert number_of_images.sizes_for(scores(8, near=8)) == ()
    with pytest.raises(ValueError, match="cannot be drawn"):
        sensitivity.by_images(scores(10, near=10), [20])


def made(count: int, seed: int) -> Activations:
    draw = np.random.default_rng(seed)
    mean = draw.random((count, 8)).astype(np.float32)
    labels = np.arange(count) % 3
    return Activations(2 * mean, mean, mean**2, mean[:, :3] * 4, labels)


@pytest.fixture
def with_fit() -> EvaluationData:
    return made_data(
        made(30, 1),
        {"mnist": made(30, 2), "uniform-noise": made(30, 3)},
        ScoringContext(fit_activations=made(120, 4)),
    )


def test_a_smaller_fit_split_is_fitted_anew(with_fit: EvaluationData) -> None:
    heard = []
    table = sensitivity.by_fit_images(with_fit, ["knn:k=5"], callbacks=RunCallbacks(heard.append))["knn:k=5"]
    assert sorted(table["images"].unique()) == [10, 20, 50, 120]
    whole = evaluation.method_scores(with_fit, "knn:k=5")
    row = table.query("images == 120 and ood == 'mnist' and metric == 'auroc'").iloc[0]
    assert row["median"] == pytest.approx(metrics.auroc(whole.id, whole.ood["mnist"]))
    row = sensitivity.by_fit_images(with_fit, ["knn:k=5"], draws=1)["knn:k=5"].query(
        "images == 50 and ood == 'mnist' and metric == 'auroc'"
    )
    first = number_of_images._drawn(120, 50, 1, (0, 50))[0]
    few = ScoringContext(fit_activations=made(120, 4).take(np.sort(first)))
    again = evaluation.method_scores(replace(with_fit, context=few), "knn:k=5")
    assert row.iloc[0]["median"] == pytest.approx(metrics.auroc(again.id, again.ood["mnist"]))
    assert (heard[-1].done, heard[-1].total, heard[-1].unit) == (9, 9, "fits")


def test_only_methods_with_a_fit_split_can_have_a_smaller_one(with_fit: EvaluationData) -> None:
    with pytest.raises(UserError, match="does not estimate"):
        sensitivity.by_fit_images(with_fit, ["energy"])
    with pytest.raises(UserError, match="needs a fit split"):
        sensitivity.by_fit_images(replace(with_fit, context=ScoringContext()), ["knn"])
    with pytest.raises(ExtractionStopped):
        sensitivity.by_fit_images(with_fit, ["knn"], callbacks=RunCallbacks(should_stop=lambda: True))


@pytest.fixture
def few_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_size, "FACTORS", (0.1, 1.0, 1.5))
    monkeypatch.setattr(input_size, "IMAGES", 12)


@pytest.mark.usefixtures("few_factors")
def test_every_size_is_a_study_of_its_own_and_a_refused_one_says_why() -> None:
    heard = []
    store = Store()
    plan = input_size.extraction_plan(STUDY)
    waiting = plan.missing(store).total()
    outcomes = sensitivity.by_size(STUDY, store, callbacks=RunCallbacks(heard.append))
    assert [one.side for one in outcomes] == [3, 32, 48]
    assert "maps of one neuron" in outcomes[0].refused
    assert outcomes[0].data is None
    assert waiting >= 36  # of the 48 pixels, and of the own size what no other test has seen
    assert not plan.missing(store)
    if heard:
        assert heard[-1].total == 72
    own = run(replace(STUDY, images=12), store)
    np.testing.assert_array_equal(outcomes[1].data.id.activations.maximum, own.id.activations.maximum)
    large = run(replace(STUDY, images=12, transform="48/48/bilinear"), store)
    np.testing.assert_array_equal(outcomes[2].data.id.activations.maximum, large.id.activations.maximum)


@pytest.mark.usefixtures("few_factors")
def test_figures_of_a_size_are_those_of_its_study() -> None:
    outcomes = sensitivity.by_size(STUDY, Store())
    assert input_size.figures(outcomes[0], "nap").empty
    table = input_size.figures(outcomes[2], "nap+energy")
    expected = evaluation.evaluate(outcomes[2].data, ["nap+energy"])
    assert table["fpr95"].tolist() == expected["fpr95"].tolist()
    assert table["auroc"].tolist() == expected["auroc"].tolist()
    assert table["id_accuracy"].tolist() == expected["id_accuracy"].tolist()
    assert set(table["side"]) == {48}


def test_a_study_that_asks_for_another_size_is_scaled_from_there() -> None:
    asked = replace(STUDY, transform="40/36/bicubic")
    assert input_size.sized(asked, 0.5).transform == "20/18/bicubic"
    assert input_size.sized(asked, 1.0).transform == "40/36/bicubic"
    assert input_size.sized(STUDY, 1.0).transform == ""


def test_activations_without_images_have_one_size() -> None:
    for ask in (lambda: input_size.extraction_plan(BANK), lambda: sensitivity.by_size(BANK, Store())):
        with pytest.raises(UserError, match="activations, not images"):
            ask()


@pytest.mark.parametrize(("spec", "able"), [("nap+energy", True), ("knn", False), ("nap+knn", False), ("odin", False)])
def test_methods_that_are_fitted_or_need_a_pass_stay_out_of_other_sizes(spec: str, able: bool) -> None:
    assert input_size.can_be_sized(spec) is able
