"""What methods wait for, and why some cannot run: told before anything is computed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nap_core import datasets, models
from nap_core.analysis import evaluation
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ScoringContext
from nap_core.runs import pending
from nap_core.runs.background import Jobs
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run

SMALL = Study("resnet20-cifar10", "cifar10", ("mnist",), 6)
BANK = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 4)


def limited(data: EvaluationData, fit_limit: int) -> EvaluationData:
    """The same images with the first ``fit_limit`` images of the fit split."""
    return replace(data, context=replace(data.context, fit_limit=fit_limit))


@pytest.fixture
def data(store_root: Path) -> EvaluationData:
    found = run(SMALL, Store(store_root), device="cpu")
    return limited(found, 40)


def test_stored_activations_are_enough_for_most(data: EvaluationData) -> None:
    assert not pending.waiting(data, "nap+energy")
    assert pending.waiting(data, "knn").fit == 40
    assert pending.waiting(data, "nap+knn:k=3").fit == 40
    assert pending.waiting(data, "nap+vim").fit == 40
    assert not pending.waiting(data, "react:threshold=1.5")


def test_a_job_computes_what_is_missing_and_the_store_keeps_it(data: EvaluationData, store_root: Path) -> None:
    needs = pending.waiting(data, "odin")
    assert (needs.fit, dict(needs.images)) == (0, {"CIFAR-10": 6, "MNIST": 6})
    job = Jobs(Store(store_root)).start_methods("owner", data, ["knn:k=3", "odin", "nap+odin"])
    job.wait(120)
    assert (job.state, job.unable, job.step, job.steps) == ("done", {}, 3, 3)
    assert job.progress.title == "ODIN, MNIST"
    again = limited(run(SMALL, Store(store_root), device="cpu"), 40)
    for spec in ("knn:k=3", "odin", "nap+odin"):
        assert not pending.waiting(again, spec)
        np.testing.assert_array_equal(evaluation.method_scores(again, spec).id, evaluation.method_scores(data, spec).id)


def test_a_stopped_job_goes_on_where_it_was(
    data: EvaluationData, store_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nap_core.methods.image_based.BATCH", 2)
    jobs = Jobs(Store(store_root))
    job = jobs.start_methods("owner", data, ["odin"])
    while job.progress is None and job.state == "running":
        job.wait(0.01)
    job.stop()
    job.wait(120)
    assert job.state == "stopped"
    left = pending.waiting(data, "odin")
    assert 0 < sum(left.images.values()) < 12
    again = jobs.start_methods("owner", data, ["odin"])
    again.wait(120)
    assert again is not job
    assert again.state == "done"
    assert not pending.waiting(data, "odin")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("mc-dropout", "MC dropout needs a network with dropout, and ResNet-20 has none"),
        ("ash-early:back=3", "back must be 1 to 2 here, where ResNet-20 names 3 layers, not 3"),
        ("nonsense", "There is no method called “nonsense”"),
    ],
)
def test_what_cannot_run_says_why(data: EvaluationData, spec: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        pending.waiting(data, spec)


@pytest.mark.parametrize("spec", ["odin", "nap+rankfeat"])
def test_a_bank_has_no_images_for_a_pass(spec: str, store_root: Path) -> None:
    with pytest.raises(UserError, match="needs the images themselves, and only activations are at hand"):
        pending.waiting(run(BANK, Store(store_root)), spec)


@pytest.mark.parametrize("spec", ["knn", "nap+gradnorm", "gram"])
def test_a_network_without_fit_split(spec: str, store_root: Path) -> None:
    found = run(BANK, Store(store_root))
    if spec == "nap+gradnorm":
        assert not pending.waiting(found, spec)
        return
    with pytest.raises(UserError, match="needs a fit split"):
        pending.waiting(found, spec)


def test_reasons_of_one_run_outlive_the_next(data: EvaluationData, store_root: Path) -> None:
    jobs = Jobs(Store(store_root))
    data = limited(data, 5)  # the first five images hold fewer than ten classes
    first = jobs.start_methods("owner", data, ["gram"])
    first.wait(120)
    assert list(first.unable) == ["gram"]
    second = jobs.start_methods("owner", data, ["odin"])
    second.wait(120)
    assert list(jobs.methods_of("owner").unable) == ["gram"]
    assert jobs.methods_of("somebody else") is None


def test_one_run_at_a_time_for_one_owner(data: EvaluationData, store_root: Path) -> None:
    jobs = Jobs(Store(store_root))
    job = jobs.start_methods("owner", data, ["odin"])
    assert jobs.start_methods("owner", data, ["rankfeat"]) is job or job.state != "running"
    job.wait(120)


def test_ground_without_a_fit_split_misses_none_of_it() -> None:
    assert ScoringContext().missing_fit() == 0
    context = ScoringContext(models.load("resnet20-cifar10"), "CIFAR-10", datasets.load("cifar10-fit"), fit_limit=7)
    assert context.missing_fit() == 7
