"""Covariate shift: which images are made, and what is counted of them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from nap_core import metrics
from nap_core.analysis import covariate_shift, evaluation
from nap_core.analysis.covariate_shift import CORRUPTIONS, SEVERITIES, Shifted
from nap_core.analysis.evaluation import MethodScores
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from nap_core.studies.study import Study, run

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 40)
BANK = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5)
IMAGES = 6


@pytest.fixture(autouse=True, scope="module")
def _few_images() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(covariate_shift, "IMAGES", IMAGES)
        yield


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture(scope="module")
def shifted() -> Shifted:
    return covariate_shift.shifted(STUDY, covariate_shift.extraction_plan(STUDY).run(Store()))


def scored(found: EvaluationData, spec: str) -> MethodScores:
    return evaluation.method_scores(found, spec)


def test_every_image_meets_every_corruption_at_every_severity(shifted: Shifted) -> None:
    assert shifted.images == IMAGES
    assert list(shifted.parts) == list(SEVERITIES)
    for severity in SEVERITIES:
        pairs = set(zip(shifted.source[severity].tolist(), shifted.corruption[severity].tolist(), strict=True))
        assert pairs == {(image, kind) for image in range(IMAGES) for kind in range(len(CORRUPTIONS))}
        assert len(shifted.parts[severity].activations) == IMAGES * len(CORRUPTIONS)
        plan = covariate_shift.shifted_images(STUDY, severity).plan
        assert set(plan.severity.tolist()) == {severity}


def test_the_parameters_are_those_of_the_published_benchmarks() -> None:
    assert covariate_shift.shifted_images(STUDY, 1).scale == "auto"
    assert covariate_shift.parameters_of(STUDY) == "CIFAR-10-C"
    assert covariate_shift.parameters_of(replace(STUDY, transform="128/128")) == "ImageNet-C"


def test_one_pass_is_told_of_all_severities_can_be_stopped_and_goes_on(tmp_path) -> None:
    store, heard = Store(tmp_path), []
    total = IMAGES * len(CORRUPTIONS) * len(SEVERITIES)
    plan = covariate_shift.extraction_plan(STUDY)
    assert plan.missing(store) == {"CIFAR-10, corrupted": total}

    def stop_in_the_third() -> bool:
        return len(heard) >= 4  # batches of 64: two a severity

    with pytest.raises(ExtractionStopped):
        plan.run(store, RunCallbacks(heard.append, stop_in_the_third))
    assert 0 < plan.missing(store).total() < total
    plan.run(store, RunCallbacks(heard.append))
    assert not plan.missing(store)
    assert [one.done for one in heard] == sorted(one.done for one in heard)
    last: Progress = heard[-1]
    assert (last.done, last.total, last.seconds_left) == (total, total, 0)


@pytest.mark.parametrize("spec", ["nap", "nap+energy"])
def test_what_is_kept_is_counted_at_the_threshold_of_all_id_images(
    found: EvaluationData, shifted: Shifted, spec: str
) -> None:
    scores = scored(found, spec)
    response = covariate_shift.respond(found, shifted, scores)
    threshold = scores.threshold()
    for severity in SEVERITIES:
        part = shifted.parts[severity]
        own = evaluation.methods.score(spec, part, found.context, w=scores.w)
        assert response.shift.kept[severity] == pytest.approx(np.mean(own >= threshold))
        assert response.shift.auroc[severity] == pytest.approx(metrics.auroc(scores.id, own))
        first = own[shifted.corruption[severity] == 0]
        assert response.shift.cells["kept"][severity - 1, 0] == pytest.approx(np.mean(first >= threshold))
        assert response.shift.cells["auroc"][severity - 1, 0] == pytest.approx(metrics.auroc(scores.id, first))
        assert response.shift.cells["kept"][severity - 1].mean() == pytest.approx(response.shift.kept[severity])
    assert response.shift.kept[0] == pytest.approx(np.mean(scores.id[:IMAGES] >= threshold))
    for name, values in scores.ood.items():
        assert response.ood[name] == {
            "kept": metrics.fpr_at_tpr(scores.id, values),
            "auroc": metrics.auroc(scores.id, values),
        }
    assert response.average(("mnist", "uniform-noise"), "kept") == pytest.approx(
        np.mean([one["kept"] for one in response.ood.values()])
    )


def test_kept_and_rejected_images_make_up_all_that_are_right(found: EvaluationData, shifted: Shifted) -> None:
    shares = covariate_shift.respond(found, shifted, scored(found, "energy")).shift
    for severity in SEVERITIES:
        part = shifted.parts[severity].activations
        right = np.mean(part.predictions == found.id.activations.labels[shifted.source[severity]])
        assert shares.right[severity] == pytest.approx(right)
        kept = shares.kept[severity]
        among = np.nan_to_num([shares.right_among_kept[severity], shares.right_among_rejected[severity]])
        assert kept * among[0] + (1 - kept) * among[1] == pytest.approx(right)
        assert shares.rejected_among_right[severity] * right == pytest.approx((1 - kept) * among[1])
    assert shares.right[5] < shares.right[0]


def test_without_labels_nothing_is_right_or_wrong(found: EvaluationData, shifted: Shifted) -> None:
    known = found.id.activations
    unknown = replace(found, id=ImageSet(replace(known, labels=np.full(len(known), -1))))
    shares = covariate_shift.respond(unknown, shifted, scored(found, "energy")).shift
    assert np.isnan(shares.right).all()
    assert np.isnan(shares.rejected_among_right).all()
    assert np.isfinite(shares.kept).all()


def test_a_method_that_needs_the_images_says_so(found: EvaluationData, shifted: Shifted) -> None:
    scores = replace(scored(found, "energy"), method="odin")
    response = covariate_shift.respond(found, shifted, scores)
    assert response.shift is None
    assert response.reason
    assert set(response.ood) == set(STUDY.ood_datasets)


def test_without_shifted_images_there_is_the_rest(found: EvaluationData) -> None:
    response = covariate_shift.respond(found, None, scored(found, "nap"))
    assert response.shift is None
    assert not response.reason
    assert np.isnan(response.average((), "kept"))


def test_images_that_are_not_shipped_cannot_be_distorted() -> None:
    with pytest.raises(UserError, match="cannot be distorted"):
        covariate_shift.extraction_plan(BANK)
