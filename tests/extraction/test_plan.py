"""A plan of several steps: what it lacks, the order of what it gives, one progress, a stop that loses nothing."""

import pytest

from nap_core.extraction import ExtractionPlan, ExtractionStep, extract, sites_of
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from tests.extraction.test_extraction import CHANNELS, assert_close, assert_equal, pictures, stop_after, tiny
from tests.extraction.test_several_layers import deep


def plan_of(*counts: int, limit: int | None = None, **more) -> ExtractionPlan:
    """A step for each count: as many pictures, each set of its own, through the same network."""
    model = tiny()
    steps = [ExtractionStep((model,), pictures(count, seed), limit) for seed, count in enumerate(counts)]
    return ExtractionPlan(steps, device="cpu", **more)


def test_missing_counts_images_by_title_and_in_all(store_root) -> None:
    store, plan = Store(store_root), plan_of(10, 4)
    assert plan.missing(None) == plan.missing(store) == {"Pictures 0": 10, "Pictures 1": 4}
    extract(tiny(), pictures(10), limit=7, store=store, device="cpu")
    assert plan.missing(store) == {"Pictures 0": 3, "Pictures 1": 4}
    assert plan.missing(store).total() == 7
    assert plan_of(10, 4, limit=2).missing(store) == {"Pictures 1": 2}
    plan.run(store)
    assert not plan.missing(store)
    assert plan_of(10, 4, limit=99).missing(store) == {}


def test_datasets_of_one_title_are_counted_together() -> None:
    steps = [ExtractionStep((tiny(),), pictures(count)) for count in (3, 5)]
    assert ExtractionPlan(steps).missing(None) == {"Pictures 0": 8}


def test_another_precision_of_computing_has_entries_of_its_own(store_root) -> None:
    store = Store(store_root)
    plan_of(3).run(store)
    assert plan_of(3, autocast=True).missing(store) == {"Pictures 0": 3}


@pytest.mark.parametrize("stored", [False, True])
def test_activations_come_in_the_order_of_steps_and_sites(store_root, stored: bool) -> None:
    model = deep()
    sites = sites_of(model, ("first", "", "first"))
    assert list(sites) == ["first", ""]
    assert sites[""] is model
    plan = ExtractionPlan(
        [
            ExtractionStep(tuple(sites.values()), pictures(4)),
            ExtractionStep((tiny(),), pictures(0)),
            ExtractionStep((tiny(),), pictures(6, 1), 5),
        ],
        device="cpu",
    )
    first, own, none, tinys = plan.run(Store(store_root) if stored else None)
    assert [len(one) for one in (first, own, none, tinys)] == [4, 4, 0, 5]
    assert none.channels == CHANNELS
    for one, site in zip((first, own), sites.values(), strict=True):
        assert_equal(one, extract(site, pictures(4), device="cpu"), rtol=1e-5, atol=1e-6)
    assert_close(tinys, extract(tiny(), pictures(6, 1), limit=5, device="cpu"))


def test_a_plan_without_steps_gives_nothing() -> None:
    assert ExtractionPlan([]).run() == []


def test_one_progress_counts_the_images_of_all_steps(store_root) -> None:
    """Stored images count as done from the beginning, those of later steps too; the time left is of what is left."""
    store, heard = Store(store_root), list[Progress]()
    extract(tiny(), pictures(6, 1), limit=2, store=store, device="cpu")
    extract(tiny(), pictures(3, 2), store=store, device="cpu")
    plan_of(4, 6, 3, batch_size=2).run(store, RunCallbacks(heard.append))
    assert [(each.title, each.done, each.total) for each in heard] == [
        ("Pictures 0", 2 + 5, 13),
        ("Pictures 0", 4 + 5, 13),
        ("Pictures 1", 4 + 4 + 3, 13),
        ("Pictures 1", 4 + 6 + 3, 13),
    ]
    assert heard[1].seconds_left == pytest.approx(4 / heard[1].speed)
    assert heard[-1].seconds_left == 0


def test_a_stop_keeps_what_was_done_and_the_same_plan_goes_on(store_root) -> None:
    store, plan = Store(store_root), plan_of(4, 6, batch_size=2)
    with pytest.raises(ExtractionStopped):
        plan.run(store, RunCallbacks(should_stop=stop_after(3)))
    assert plan.missing(store) == {"Pictures 1": 4}
    network = plan.steps[0].sites[0].network
    network.batches.clear()
    for one, seed, count in zip(plan.run(store), (0, 1), (4, 6), strict=True):
        assert_close(one, extract(tiny(), pictures(count, seed), device="cpu"))
    assert network.batches == [2, 2]
    network.batches.clear()
    plan.run(store)
    assert network.batches == []
