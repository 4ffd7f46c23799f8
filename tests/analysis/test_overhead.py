"""NAP's cost: what is counted, told by a clock that only the work moves, and that the work is NAP."""

import numpy as np
import pytest
import torch

from nap_core import datasets, models, nap
from nap_core.activations import Activations
from nap_core.analysis import overhead
from nap_core.models import LoadedModel
from nap_core.paper import published_tables
from nap_core.storage.progress import ExtractionStopped, RunCallbacks

IMAGES, REPEATS, BATCH = 6, 5, 4  # two batches


class Clock:
    """A clock that stands still but for what the work adds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overhead, "BATCH", {"cpu": BATCH})


@pytest.fixture
def model() -> LoadedModel:
    return models.load("resnet20-cifar10")


@pytest.fixture
def clock(model: LoadedModel, monkeypatch: pytest.MonkeyPatch):
    """The network takes a second a batch, ten in its first two runs; NAP a tenth."""
    clock, runs = Clock(), []

    def passed(*_: object) -> None:
        runs.append(1)
        clock.now += 10 if len(runs) <= 3 else 1  # the one that gets a map, and the two that warm up

    real = overhead._nap_score

    def scored(*maps: torch.Tensor) -> torch.Tensor:
        clock.now += 0.1
        return real(*maps)

    monkeypatch.setattr(overhead, "_nap_score", scored)
    handle = model.network.register_forward_hook(passed)
    clock.runs = runs
    yield clock
    handle.remove()


def measured(model: LoadedModel, **options: object) -> overhead.Cost:
    return overhead.measure(model, datasets.load("cifar10"), images=IMAGES, repeats=REPEATS, device="cpu", **options)


def test_the_forward_pass_and_nap_are_timed_apart_and_the_warm_up_is_not(model: LoadedModel, clock: Clock) -> None:
    found = measured(model, clock=clock)
    assert found.forward_seconds == pytest.approx(2)
    assert found.nap_seconds == pytest.approx(0.2)
    assert found.share == pytest.approx(0.1)
    assert found.shares == pytest.approx((0.1,) * REPEATS)
    assert len(clock.runs) == 1 + 2 * (1 + REPEATS)
    assert (found.images, found.batch, found.repeats, found.model) == (IMAGES, BATCH, REPEATS, "ResNet-20")
    assert "CPU" in found.device


def test_the_median_stands_against_one_slow_repeat(model: LoadedModel, clock: Clock) -> None:
    turns = []

    def slow_once(_: object) -> None:
        turns.append(1)
        if len(turns) == 2:  # after the warm-up and a repeat: the next one is disturbed
            clock.runs.clear()

    found = measured(model, clock=clock, callbacks=RunCallbacks(slow_once))
    assert found.forward_seconds == pytest.approx(2)
    assert min(found.shares) < found.share


def test_a_real_clock_gives_a_small_positive_share(model: LoadedModel) -> None:
    found = measured(model)
    assert 0 < found.share < 1
    assert all(share > 0 for share in found.shares)


def test_what_is_timed_is_nap() -> None:
    maps = torch.rand(5, 7, 4, 4)
    few = Activations(
        maps.amax((2, 3)).numpy(), maps.mean((2, 3)).numpy(), maps.var((2, 3)).numpy(), np.zeros((5, 2)), np.zeros(5)
    )
    timed = overhead._nap_score(maps, maps.mean((2, 3)))
    assert timed.numpy() == pytest.approx(nap.nap_score(few), rel=1e-5)
    timed = overhead._attention_score(maps, maps.mean((2, 3)))
    assert timed.numpy() == pytest.approx(nap.attention_score(few))


def test_progress_is_told_and_a_stop_is_heeded(model: LoadedModel) -> None:
    heard = []
    measured(model, callbacks=RunCallbacks(heard.append))
    assert [one.done for one in heard] == [IMAGES * turn for turn in range(1, REPEATS + 2)]
    assert heard[-1].total == heard[-1].done
    with pytest.raises(ExtractionStopped):
        measured(model, callbacks=RunCallbacks(should_stop=lambda: True))


@pytest.mark.parametrize("options", [{"images": 0}, {"repeats": 0}])
def test_nothing_cannot_be_measured(model: LoadedModel, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="needs images and repeats"):
        overhead.measure(model, datasets.load("cifar10"), **options)


def test_the_papers_share_is_its_two_times() -> None:
    share = published_tables.PAPER_SECONDS / published_tables.PAPER_TOTAL
    assert share == pytest.approx(published_tables.PAPER_SHARE, rel=1e-3)
