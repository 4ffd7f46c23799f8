"""The search for w on a study: on what it runs, what it finds, and what that costs against the best w."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nap_core import methods, metrics
from nap_core.analysis import evaluation, weight_search
from nap_core.analysis.weight_search import SearchStep, binary_search
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.weight_search import reading, search_picture, steps_table, unknowable
from nap_core.methods import EvaluationData, ImageSet, combination
from nap_core.methods.combination import INNER_WEIGHTS, combine, weight_curve
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, RunCallbacks
from nap_core.studies.study import Study, run

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 30)
BANK = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5)
TITLES = {"cifar10": "CIFAR-10", "mnist": "MNIST", "uniform-noise": "Uniform noise"}


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture(scope="module")
def pseudo(found: EvaluationData) -> ImageSet:
    return weight_search.extracted(found)


def test_every_id_image_is_distorted_in_every_way(found: EvaluationData) -> None:
    images = weight_search.pseudo_images(found)
    assert len(images) == 15 * 30
    plan = images.plan
    assert all(sorted(plan.corruption[plan.source == source]) == list(range(15)) for source in range(30))
    assert set(plan.severity) == {1, 2, 3, 4, 5}
    assert images.scale == "imagenet"
    again = weight_search.pseudo_images(found)
    np.testing.assert_array_equal(np.asarray(images.image(77)), np.asarray(again.image(77)))
    assert again.fingerprint == images.fingerprint != weight_search.pseudo_images(found, seed=1).fingerprint


def test_they_are_extracted_once(tmp_path) -> None:
    small = run(Study("resnet20-cifar10", "cifar10", ("mnist",), 2), Store(tmp_path))
    assert weight_search.extraction_plan(small).missing(small.context.store).total() == 30
    with pytest.raises(ExtractionStopped):
        weight_search.extracted(small, RunCallbacks(should_stop=lambda: True))
    first = weight_search.extracted(small).activations
    assert not weight_search.extraction_plan(small).missing(small.context.store)

    def nothing(_progress: object) -> None:
        raise AssertionError("what is stored is not computed again")

    again = weight_search.extracted(small, RunCallbacks(progress=nothing)).activations
    np.testing.assert_array_equal(again.maximum, first.maximum)


def test_the_table_is_the_same_before_and_after_a_search(tmp_path) -> None:
    study, store = Study("resnet20-cifar10", "cifar10", ("mnist",), 20), Store(tmp_path)
    specs = ["nap+msp", "nap+energy", "nap-minus+msp"]
    before = evaluation.evaluate(run(study, store), specs).drop(columns="seconds")
    data = run(study, store)
    searched = weight_search.search_all(data, weight_search.extracted(data), specs)
    assert not weight_search.extraction_plan(data).missing(store)
    for again in (data, run(study, store)):
        pd.testing.assert_frame_equal(evaluation.evaluate(again, specs).drop(columns="seconds"), before)
    assert before["w_origin"].tolist() == ["published", "published", "assumed"]
    weights = {spec: methods.Weight(w, "searched") for spec, w in searched.items()}
    after = evaluation.evaluate(data, specs, weights)
    assert after["w"].tolist() == list(searched.values()) != before["w"].tolist()
    assert set(after["w_origin"]) == {"searched"}


def test_only_what_can_be_searched_is(found: EvaluationData, pseudo: ImageSet) -> None:
    specs = ["energy", "nap+energy", "nap+odin", "nap-variance+msp"]
    weights = weight_search.search_all(found, pseudo, specs)
    assert weights == {spec: weight_search.search(found, pseudo, spec).w for spec in ("nap+energy", "nap-variance+msp")}
    # Without its fit split, a method is left out until that has been extracted.
    waiting = replace(found, context=replace(found.context, store=None))
    assert "nap+knn" not in weight_search.search_all(waiting, pseudo, ["nap+knn"])


def test_a_bank_has_no_images_to_distort() -> None:
    bank = run(BANK, Store())
    with pytest.raises(UserError, match="not shipped, so they cannot be distorted"):
        weight_search.extraction_plan(bank)


@pytest.mark.parametrize("spec", ["nap+energy", "nap+msp", pytest.param("nap+knn", marks=pytest.mark.slow)])
def test_the_w_found_is_the_best_on_the_distorted_images(found: EvaluationData, pseudo: ImageSet, spec: str) -> None:
    result = weight_search.search(found, pseudo, spec)
    _, other = methods.combination_parts(spec)
    known = found.id
    aurocs = [
        metrics.auroc(
            combination.combine(methods.positive(other, known, found.context), methods.score("nap", found.id), w),
            combination.combine(
                methods.positive(other, pseudo, found.context), methods.score("nap", pseudo.activations), w
            ),
        )
        for w in combination.INNER_WEIGHTS
    ]
    best = max(aurocs)
    # A binary search may end beside the best where the curve is all but flat.
    assert aurocs[combination.INNER_WEIGHTS.index(result.w)] > best - 0.002
    np.testing.assert_allclose(result.pseudo.auroc[0][1:-1], aurocs)
    assert result.lost() >= 0 and all(result.lost(name) >= 0 for name in STUDY.ood_datasets)
    here = combination.WEIGHTS.index(result.w)
    lowest = result.true.average("fpr95").min()
    assert result.lost() == pytest.approx(result.true.average("fpr95")[here] - lowest)


def test_what_is_no_combination_or_needs_images_is_refused(found: EvaluationData, pseudo: ImageSet) -> None:
    with pytest.raises(UserError, match="no combination"):
        weight_search.search(found, pseudo, "energy")
    with pytest.raises(UserError, match="needs the images themselves"):
        weight_search.search(found, pseudo, "nap+odin")


def test_picture_words_and_steps(found: EvaluationData, pseudo: ImageSet) -> None:
    result = weight_search.search(found, pseudo, "nap+energy")
    picture = search_picture(result, "nap+energy", TITLES, colours("cifar10", STUDY.ood_datasets))
    assert [trace.name for trace in picture.figure.data] == ["distorted ID images", "MNIST", "Uniform noise"]
    assert f"NAP+Energy w = {result.w:g}" in picture.reading == reading(result, "nap+energy", TITLES)
    marked = [shape.x0 for shape in picture.figure.layout.shapes]
    assert marked == ([result.oracle] if result.oracle != result.w else []) + [result.w]
    table = steps_table(result)
    assert len(table) == len(result.steps) and table["AUROC"].between(50, 100).all()
    assert picture.table.groupby("dataset").size().to_dict() == dict.fromkeys(
        ["distorted ID images", "mnist", "uniform-noise"], len(combination.WEIGHTS)
    )
    worse = [name for name in STUDY.ood_datasets if result.lost(name) > 0.01]
    assert all(TITLES[name] in unknowable(result, TITLES) for name in worse)
    assert bool(unknowable(result, TITLES)) == bool(worse)


def searched(
    id_other: np.ndarray, id_nap: np.ndarray, pseudo_other: np.ndarray, pseudo_nap: np.ndarray
) -> tuple[float, tuple[SearchStep, ...]]:
    return binary_search(lambda w: metrics.auroc(combine(id_other, id_nap, w), combine(pseudo_other, pseudo_nap, w)))


def scores_that_peak_at(best: float, images: int = 4000) -> tuple[np.ndarray, ...]:
    """Scores whose logarithms share a signal, and noise a part of which cancels at the best w."""
    rng = np.random.default_rng(7)
    noise, rest = rng.normal(size=(2, 2, images))
    signal = np.array([0.6, 0.0])[:, None] + 0.5 * rest  # ID lies higher than pseudo-OOD
    other = np.exp(signal + 2 * (1 - best) * noise)
    nap = np.exp(signal - 2 * best * noise)
    return other[0], nap[0], other[1], nap[1]


@pytest.mark.parametrize("best", [0.2, 0.4, 0.5, 0.65, 0.8])
def test_the_search_finds_what_every_weight_tried_finds(best: float) -> None:
    known_other, known_nap, met_other, met_nap = scores_that_peak_at(best)
    w, steps = searched(known_other, known_nap, met_other, met_nap)
    curve = weight_curve(known_other, known_nap, {"pseudo": met_other}, {"pseudo": met_nap}, INNER_WEIGHTS)
    assert w == curve.best("auroc") == pytest.approx(best, abs=0.051)
    assert 4 <= len(steps) <= 5


def test_each_step_halves_what_is_left() -> None:
    _, steps = searched(*scores_that_peak_at(0.4))
    assert (steps[0].low, steps[0].high, steps[0].w, steps[0].w_next) == (0.05, 0.95, 0.5, 0.55)
    for step, after in itertools.pairwise(steps):
        assert (after.low, after.high) == ((step.w_next, step.high) if step.goes_up else (step.low, step.w))
    assert all(0.5 < step.auroc <= 1 for step in steps)


@pytest.mark.parametrize("one_sided", [0, 1])
def test_a_score_that_says_nothing_gets_no_weight(one_sided: int) -> None:
    rng = np.random.default_rng(3)
    useless = np.exp(rng.normal(size=(2, 500)))
    useful = np.exp(rng.normal(size=(2, 500)) + np.array([2.0, 0.0])[:, None])
    pair = (useful, useless) if one_sided else (useless, useful)
    w, _ = searched(pair[0][0], pair[1][0], pair[0][1], pair[1][1])
    assert w >= 0.85 if one_sided else w <= 0.15


def test_a_search_needs_weights() -> None:
    with pytest.raises(ValueError, match="weights to choose from"):
        binary_search(float, ())
