"""Which entry of the store activations go to, how large it becomes, and that it is mapped in the end."""

from dataclasses import replace

import numpy as np
import pytest

from nap_core import datasets, models
from nap_core.datasets.images import ArrayImages
from nap_core.errors import UserError
from nap_core.extraction import Stored, extract, plan
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, RunCallbacks
from tests.extraction.test_extraction import CHANNELS, CLASSES, Tiny, assert_equal, pictures, stop_after, tiny

FIELDS = ("maximum", "mean", "variance", "logits", "labels")


@pytest.fixture
def half_from_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten images of the tiny network are many."""
    found = Stored(Store("/nowhere"), tiny(), pictures(1))
    monkeypatch.setattr(plan, "HALF_FROM", found._size(found.single, 10))


@pytest.fixture(autouse=True)
def _shards_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "SHARD_ROWS", 4)


def run(model: LoadedModel, dataset: ArrayImages, store: Store, limit: int, **more):
    return extract(model, dataset, limit=limit, store=store, device="cpu", batch_size=2, **more)


def rows(store: Store, model: LoadedModel, dataset: ArrayImages) -> tuple[int, int]:
    """In single and in half precision."""
    found = Stored(store, model, dataset)
    return found.single.rows, found.half.rows


@pytest.mark.usefixtures("half_from_ten")
class TestPrecision:
    def test_few_images_are_kept_as_they_were_computed(self, store_root) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(20)
        found = run(model, dataset, store, 9)
        assert rows(store, model, dataset) == (9, 0)
        assert_equal(found, extract(tiny(), dataset, limit=9, device="cpu", batch_size=2))

    def test_many_are_kept_in_half_precision(self, store_root) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(20)
        found = run(model, dataset, store, 12)
        assert rows(store, model, dataset) == (0, 12)
        whole = extract(tiny(), dataset, limit=12, device="cpu", batch_size=2)
        for name in ("maximum", "mean"):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name).astype(np.float16))
        for name in ("variance", "logits", "labels"):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))

    def test_what_is_there_in_either_precision_is_used(self, store_root) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(20)
        run(model, dataset, store, 12)
        model.network.batches.clear()
        assert run(model, dataset, store, 5).maximum.dtype == np.float16
        assert model.network.batches == []
        assert rows(store, model, dataset) == (0, 12)

    def test_few_in_single_precision_are_rounded_not_computed_again(self, store_root) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(20)
        few = run(model, dataset, store, 9)
        model.network.batches.clear()
        found = run(model, dataset, store, 20)
        assert sum(model.network.batches) == 11
        assert rows(store, model, dataset) == (0, 20)
        np.testing.assert_array_equal(found.maximum[:9], few.maximum.astype(np.float16))

    def test_half_precision_that_was_begun_goes_on(self, store_root, monkeypatch) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(20)
        with pytest.raises(ExtractionStopped):
            run(model, dataset, store, 20, callbacks=RunCallbacks(should_stop=stop_after(3)))
        assert rows(store, model, dataset) == (0, 6)
        monkeypatch.setattr(plan, "HALF_FROM", 2**40)
        model.network.batches.clear()
        run(model, dataset, store, 8)
        assert sum(model.network.batches) == 2
        assert rows(store, model, dataset) == (0, 8)

    @pytest.mark.parametrize("rounded_first", [0, 5])
    def test_maxima_beyond_its_range_start_the_pass_again_in_single_precision(self, store_root, rounded_first) -> None:
        """From the seventh image on they have no place in two bytes, and what is clipped would be another score."""
        dataset, model = bright_from(7), amplified()
        store = Store(store_root)
        if rounded_first:
            run(model, dataset, store, rounded_first)
        found = run(model, dataset, store, 20)
        assert rows(store, model, dataset) == (20, 0)
        assert found.maximum.max() > 65_504
        assert_equal(found, extract(amplified(), dataset, device="cpu", batch_size=2))
        model.network.batches.clear()
        assert_equal(run(model, dataset, store, 20), found)
        assert model.network.batches == []

    def test_a_stop_is_heard_where_such_a_maximum_waits_to_be_written(self, store_root) -> None:
        with pytest.raises(ExtractionStopped):
            run(amplified(), bright_from(4), Store(store_root), 20, callbacks=RunCallbacks(should_stop=stop_after(3)))


def amplified() -> LoadedModel:
    model = tiny()
    model.network.conv.weight.data *= 1e5
    return model


def bright_from(first: int) -> ArrayImages:
    """Twenty pictures, of which those before ``first`` are nearly what the network takes for zero."""
    dataset = pictures(20)
    dataset.pixels[:first] = 128
    return dataset


class TestSize:
    @pytest.mark.parametrize("limit", [3, 20])
    @pytest.mark.parametrize("half_from", [0, 2**40])
    def test_the_store_takes_what_was_predicted_to_the_byte(self, store_root, limit, half_from, monkeypatch) -> None:
        monkeypatch.setattr(plan, "HALF_FROM", half_from)
        store, model, dataset = Store(store_root / f"{limit}-{half_from}"), tiny(), pictures(20)
        predicted = Stored(store, model, dataset).size(limit)
        run(model, dataset, store, limit)
        assert store.size_bytes() == predicted
        assert Stored(store, model, dataset).size(limit) == predicted
        bytes_of_numbers = CHANNELS * (2 + 2 + 4 if half_from == 0 else 12) + CLASSES * 4 + 8
        assert 0 < predicted - limit * bytes_of_numbers < 2500  # the manifest and the headers

    def test_imagenet_scale_by_hand(self) -> None:
        """A ResNet-50 on 50,000 images: 2,048 × (2 + 2 + 4) bytes, 1,000 logits, a label."""
        network = Tiny()
        wide = replace(
            tiny(),
            network=network,
            classes=tuple(map(str, range(1000))),
            head_weight=np.zeros((1000, 2048), np.float32),
        )
        found = Stored(Store("/nowhere"), wide, pictures(1))
        assert found.chosen(50_000) is found.half
        assert found.chosen(9000) is found.single
        assert found.size(50_000) == pytest.approx(50_000 * (2048 * 8 + 4000 + 8), rel=1e-5)

    def test_widths_of_a_network_without_a_linear_head_are_seen(self) -> None:
        assert plan.widths(tiny()) == (CHANNELS, CLASSES, 0)
        assert plan.widths(replace(tiny(), head_weight=None, head_bias=None)) == (CHANNELS, CLASSES, 0)


class TestMapping:
    def test_what_is_stored_comes_back_mapped(self, store_root) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(20)
        for found in (run(model, dataset, store, 18), run(model, dataset, store, 18), run(model, dataset, store, 20)):
            assert all(isinstance(array, np.memmap) for array in found.arrays.values())

    def test_a_disk_without_room_to_join_shards(self, store_root, monkeypatch) -> None:
        def full(_entry) -> None:
            raise UserError("The disk is full.")

        monkeypatch.setattr("nap_core.storage.activation_store.Entry.compact", full)
        store, model, dataset = Store(store_root), tiny(), pictures(20)
        assert_equal(run(model, dataset, store, 20), extract(tiny(), dataset, device="cpu", batch_size=2))

    def test_a_store_emptied_at_the_last_moment(self, store_root, monkeypatch) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(20)
        monkeypatch.setattr("nap_core.storage.activation_store.Entry.compact", lambda entry: store.clear())
        with pytest.raises(UserError, match="Start again"):
            run(model, dataset, store, 20)


def test_the_store_key_of_the_default_studys_id_images_never_changes() -> None:
    # Computed at commit 0eb7062: another digest would orphan the activations that users have stored.
    key = plan.store_key(models.load("resnet20-cifar10"), datasets.load("cifar10"))
    assert key.digest == "985d732e8d95c4958c806facec29235841c49e23d1347a0beca1321ebfa1c015"
