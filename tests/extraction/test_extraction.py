"""One pass over a tiny network whose maps can be worked out, and over the bundled ones where that matters."""

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nap_core import datasets, extraction, models
from nap_core.datasets.images import ArrayImages
from nap_core.errors import UserError
from nap_core.extraction import choose_device, extract, maps, plan
from nap_core.models import FeatureHook, LoadedModel, Transform
from nap_core.models.architectures import Architecture
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks

FIELDS = ("maximum", "mean", "variance", "logits", "labels")
SIDE, CHANNELS, CLASSES = 6, 5, 3


class Tiny(nn.Module):
    """A convolution, a ReLU (the tap), the spatial mean, a linear head. It notes how large each batch was."""

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, CHANNELS, 3)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(CHANNELS, CLASSES)
        self.most = most
        self.batches: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.batches.append(len(x))
        if self.most is not None and len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.fc(self.relu(self.conv(x)).mean((2, 3)))


def tiny(most: int | None = None, seed: int = 0) -> LoadedModel:
    torch.manual_seed(seed)
    network = Tiny(most).eval()
    transform = Transform(SIDE, SIDE, (0.5,) * 3, (0.25,) * 3)
    return LoadedModel(
        "tiny",
        "Tiny",
        Architecture("tiny", "Tiny", lambda _classes: Tiny(), FeatureHook("relu"), "fc", transform),
        network,
        transform,
        ("a", "b", "c"),
        f"weights {seed}",
        network.fc.weight.detach().numpy(),
        network.fc.bias.detach().numpy(),
    )


def pictures(count: int, seed: int = 0, side: int = SIDE) -> ArrayImages:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    labels = rng.integers(-1, CLASSES, count)
    return ArrayImages(f"pictures-{seed}", f"Pictures {seed}", ("a", "b", "c"), labels, pixels, np.arange(count))


def assert_equal(found, expected, **tolerance: float) -> None:
    for name in FIELDS:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), **tolerance, err_msg=name)


def assert_close(found, expected) -> None:
    assert_equal(found, expected, rtol=1e-5, atol=1e-6)


class TestNumbers:
    def test_statistics_are_numpys_of_the_full_maps(self) -> None:
        model, dataset = tiny(), pictures(7)
        found = extract(model, dataset, device="cpu")
        whole = maps(model, [dataset.image(row) for row in range(7)], device="cpu").astype(np.float64)
        assert whole.shape == (7, CHANNELS, SIDE - 2, SIDE - 2)
        np.testing.assert_allclose(found.maximum, whole.max((2, 3)), rtol=1e-6)
        np.testing.assert_allclose(found.mean, whole.mean((2, 3)), rtol=1e-5)
        np.testing.assert_allclose(found.variance, whole.var((2, 3)), rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found.logits, whole.mean((2, 3)) @ model.head_weight.T + model.head_bias, rtol=1e-4)
        np.testing.assert_array_equal(found.labels, dataset.labels)

    def test_maps_are_what_the_convolution_gives(self) -> None:
        """By hand from the pixels, without the network's own forward pass."""
        model, dataset = tiny(), pictures(1)
        x = (np.asarray(dataset.image(0), np.float64) / 255 - 0.5) / 0.25
        weight, bias = (value.detach().numpy() for value in (model.network.conv.weight, model.network.conv.bias))
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))  # row, column, rgb, 3, 3
        by_hand = np.einsum("yxcij,kcij->kyx", windows, weight) + bias[:, None, None]
        np.testing.assert_allclose(
            maps(model, [dataset.image(0)], device="cpu")[0], by_hand.clip(0), rtol=1e-4, atol=1e-5
        )

    def test_variance_is_that_of_a_population(self) -> None:
        """Over the H × W neurons, divided by their number and not by one less."""
        model, dataset = tiny(), pictures(2)
        whole = maps(model, [dataset.image(row) for row in range(2)], device="cpu")
        found = extract(model, dataset, device="cpu").variance
        assert not np.allclose(found, whole.var((2, 3), ddof=1), rtol=1e-3)

    @pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 8, 64])
    def test_batches_do_not_matter(self, batch_size: int) -> None:
        model, dataset = tiny(), pictures(8)
        assert_close(
            extract(model, dataset, device="cpu", batch_size=batch_size),
            extract(model, dataset, device="cpu", batch_size=5),
        )

    @pytest.mark.parametrize("limit", [0, 1, 5, 8, 9, None])
    def test_limit_takes_the_first(self, limit: int | None) -> None:
        model, dataset = tiny(), pictures(8)
        found = extract(model, dataset, limit=limit, device="cpu")
        count = 8 if limit is None else min(limit, 8)
        assert (len(found), found.channels, found.logits.shape) == (count, CHANNELS, (count, CLASSES))
        assert_close(found, extract(model, dataset, device="cpu").head(count))

    def test_pictures_of_different_sizes_go_into_one_batch(self) -> None:
        model = tiny()
        for side in (SIDE, 7, 31):
            assert len(extract(model, pictures(3, side=side), device="cpu")) == 3
        views = [pictures(1, side=side).image(0) for side in (SIDE, 7, 31)]
        assert maps(model, views, device="cpu").shape[0] == 3

    @pytest.mark.parametrize(
        "name",
        [name if name == "resnet20-cifar10" else pytest.param(name, marks=pytest.mark.slow) for name in models.RECORDS],
    )
    def test_autocast_is_close(self, name: str) -> None:
        """bfloat16 keeps eight bits of a number, and the error grows from layer to layer: 2 % and 14 % were seen."""
        model = models.load(name)
        dataset = datasets.load("textures")
        exact = extract(model, dataset, limit=4, device="cpu")
        quick = extract(model, dataset, limit=4, device="cpu", autocast=True)
        for field in ("maximum", "mean", "logits"):
            one, other = getattr(exact, field), getattr(quick, field)
            assert other.dtype == np.float32
            assert np.linalg.norm(one - other) < 0.25 * np.linalg.norm(one), field
        assert (exact.mean != quick.mean).any(), "autocast was not in force"


class TestProgress:
    def test_says_where_the_pass_stands(self) -> None:
        heard: list[Progress] = []
        extract(tiny(), pictures(10), device="cpu", batch_size=4, callbacks=RunCallbacks(heard.append))
        assert [(each.title, each.done, each.total) for each in heard] == [
            ("Pictures 0", 4, 10),
            ("Pictures 0", 8, 10),
            ("Pictures 0", 10, 10),
        ]
        assert all(each.speed > 0 for each in heard)
        assert heard[0].seconds_left == pytest.approx(6 / heard[0].speed)
        assert heard[-1].seconds_left == 0

    def test_after_a_stop_it_counts_on_but_measures_this_pass_only(self, store_root) -> None:
        heard: list[Progress] = []
        extract(tiny(), pictures(10), limit=6, store=Store(store_root), device="cpu")
        extract(
            tiny(),
            pictures(10),
            store=Store(store_root),
            device="cpu",
            batch_size=2,
            callbacks=RunCallbacks(heard.append),
        )
        assert [each.done for each in heard] == [8, 10]


def stop_after(calls: int) -> Callable[[], bool]:
    """Says stop when it is asked for the time after ``calls``."""
    left = iter([False] * calls)
    return lambda: next(left, True)


class TestStore:
    def test_what_is_stored_is_not_computed_again(self, store_root) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(9)
        first = extract(model, dataset, store=store, device="cpu")
        before = len(model.network.batches)
        assert_equal(extract(model, dataset, store=store, device="cpu"), first)
        assert_equal(extract(model, dataset, limit=4, store=store, device="cpu"), first.head(4))
        assert len(model.network.batches) == before

    def test_more_images_are_added_to_those_that_are_there(self, store_root) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(9)
        extract(model, dataset, limit=4, store=store, device="cpu")
        model.network.batches.clear()
        assert_close(extract(model, dataset, store=store, device="cpu"), extract(tiny(), dataset, device="cpu"))
        assert sum(model.network.batches) == 5

    def test_stopped_pass_keeps_what_it_had_and_goes_on_from_there(self, store_root) -> None:
        store, model, dataset = Store(store_root), tiny(), pictures(10)
        with pytest.raises(ExtractionStopped):
            extract(
                model,
                dataset,
                store=store,
                device="cpu",
                batch_size=3,
                callbacks=RunCallbacks(should_stop=stop_after(2)),
            )
        assert store.entry(extraction.store_key(model, dataset)).rows == 6
        model.network.batches.clear()
        found = extract(model, dataset, store=store, device="cpu")
        assert sum(model.network.batches) == 4
        assert_close(found, extract(tiny(), dataset, device="cpu"))

    def test_failed_pass_keeps_what_it_had(self, store_root) -> None:
        class Broken(ArrayImages):
            def image(self, index: int):
                if index == 7:
                    raise UserError("picture 7 is gone")
                return super().image(index)

        whole = pictures(10)
        broken = Broken(whole.name, whole.title, whole.classes, whole.labels, whole.pixels, whole.order)
        store, model = Store(store_root), tiny()
        with pytest.raises(UserError, match="picture 7 is gone"):
            extract(model, broken, store=store, device="cpu", batch_size=2)
        assert store.entry(extraction.store_key(model, broken)).rows == 6

    def test_shards_are_written_while_the_pass_runs(self, store_root, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(plan, "SHARD_ROWS", 4)
        store, model, dataset = Store(store_root), tiny(), pictures(10)
        rows: list[int] = []
        extract(
            model,
            dataset,
            store=store,
            device="cpu",
            batch_size=2,
            callbacks=RunCallbacks(
                lambda _progress: rows.append(store.entry(extraction.store_key(model, dataset)).rows)
            ),
        )
        assert rows == [0, 4, 4, 8, 8]
        assert_close(extract(model, dataset, store=store, device="cpu"), extract(tiny(), dataset, device="cpu"))

    def test_two_passes_at_once_do_not_store_an_image_twice(self, store_root, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second begins before the first has stored anything, and ends after it."""
        monkeypatch.setattr(plan, "SHARD_ROWS", 4)
        dataset, models_of_both = pictures(10), [tiny(), tiny()]
        second_has_begun, first_is_done = threading.Event(), threading.Event()
        found = {}

        def wait_for_the_first() -> bool:
            second_has_begun.set()
            return not first_is_done.wait(60)

        def second() -> None:
            found["second"] = extract(
                models_of_both[1],
                dataset,
                store=Store(store_root),
                device="cpu",
                batch_size=2,
                callbacks=RunCallbacks(should_stop=wait_for_the_first),
            )

        thread = threading.Thread(target=second)
        thread.start()
        assert second_has_begun.wait(60)
        found["first"] = extract(models_of_both[0], dataset, store=Store(store_root), device="cpu", batch_size=2)
        first_is_done.set()
        thread.join(60)
        expected = extract(tiny(), dataset, device="cpu")
        assert len(found) == 2
        for each in (*found.values(), extract(tiny(), dataset, store=Store(store_root), device="cpu")):
            assert_close(each, expected)
        assert Store(store_root).entry(extraction.store_key(tiny(), dataset)).rows == 10

    @pytest.mark.parametrize(
        ("model", "dataset", "autocast"),
        [
            pytest.param(tiny(seed=1), pictures(6), False, id="weights"),
            pytest.param(tiny(), pictures(6, seed=1), False, id="dataset"),
            pytest.param(tiny(), pictures(6), True, id="precision"),
            pytest.param(
                replace(tiny(), transform=Transform(SIDE, SIDE, (0.4,) * 3, (0.25,) * 3)),
                pictures(6),
                False,
                id="transform",
            ),
            pytest.param(
                replace(tiny(), architecture=replace(tiny().architecture, hook=FeatureHook("conv"))),
                pictures(6),
                False,
                id="tap",
            ),
        ],
    )
    def test_anything_that_changes_the_numbers_has_an_entry_of_its_own(
        self, model, dataset, autocast, store_root
    ) -> None:
        store = Store(store_root)
        usual = extract(tiny(), pictures(6), store=store, device="cpu")
        found = extract(model, dataset, store=store, device="cpu", autocast=autocast)
        assert (found.mean != usual.mean).any()
        assert_close(found, extract(model, dataset, device="cpu", autocast=autocast))


class TestMemory:
    def test_batch_is_halved_until_it_fits_and_stays_so(self) -> None:
        model, dataset = tiny(most=3), pictures(60)
        found = extract(model, dataset, device="cpu", batch_size=16)
        assert_close(found, extract(tiny(), dataset, device="cpu"))
        tried = model.network.batches
        assert tried[:4] == [16, 8, 4, 2]
        # The second sixteen were decoded before the first had failed; the other 28 images come two at a time.
        assert tried[-14:] == [2] * 14

    def test_not_even_one_image(self) -> None:
        with pytest.raises(UserError, match=r"Not even one image fits into the memory of the GPU\. Run on the CPU"):
            extract(tiny(most=0), pictures(5), device="cpu", batch_size=4)


class TestDevices:
    @pytest.mark.parametrize("name", ["cuda:77", "teapot", "", "meta:x"])
    def test_device_that_is_not_there(self, name: str) -> None:
        with pytest.raises(UserError, match=f"The device “{name}” cannot be used here. Choose another one"):
            choose_device(name)

    def test_cpu_is_always_there_and_last(self) -> None:
        assert choose_device("cpu") == torch.device("cpu")
        assert extraction.available_devices()[-1] == "cpu"
        assert choose_device().type == extraction.available_devices()[0].split(":")[0]

    @pytest.mark.parametrize(("threads", "words"), [(1, "CPU, 1 thread"), (2, "CPU, 2 threads")])
    def test_cpu_in_words(self, threads: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        assert extraction.describe_device("cpu") == words


def test_page_that_looks_at_maps_during_a_run_does_not_mix_with_it() -> None:
    """One network, its hooks and two threads: each gets its own maps, batch after batch."""
    model, dataset = tiny(), pictures(300)
    expected = extract(tiny(), dataset, device="cpu")
    looked_at = [dataset.image(row) for row in range(3)]
    their_maps = maps(tiny(), looked_at, device="cpu")
    running = threading.Event()
    seen: list[np.ndarray] = []

    def look() -> None:
        running.wait(60)
        seen.extend(maps(model, looked_at, device="cpu") for _ in range(50))

    thread = threading.Thread(target=look)
    thread.start()
    found = extract(model, dataset, device="cpu", batch_size=2, callbacks=RunCallbacks(lambda _progress: running.set()))
    thread.join(60)
    assert_close(found, expected)
    assert len(seen) == 50
    for each in seen:
        np.testing.assert_allclose(each, their_maps, rtol=1e-5, atol=1e-6)


def test_look_gives_the_statistics_and_the_maps_of_one_pass() -> None:
    model, dataset = tiny(), pictures(4)
    images = [dataset.image(row) for row in range(4)]
    found, whole = extraction.look(model, np.stack([model.transform.view(image) for image in images]), device="cpu")
    assert_close(replace(found, labels=dataset.labels), extract(model, dataset, device="cpu"))
    assert set(found.labels) == {-1}
    np.testing.assert_array_equal(whole, maps(model, images, device="cpu"))


def test_gradients_still_go_through_the_network_afterwards() -> None:
    model = tiny()
    extract(model, pictures(2))
    model.network(torch.rand(1, 3, SIDE, SIDE)).sum().backward()
    assert model.network.conv.weight.grad is not None


class Deep(Tiny):
    """Its head reads a hidden layer, not the mean of the map."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(CHANNELS, 7)
        self.fc = nn.Linear(7, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.hidden(self.relu(self.conv(x)).mean((2, 3))).relu())


def test_features_are_kept_where_the_head_reads_no_mean(tmp_path) -> None:
    torch.manual_seed(0)
    transform = Transform(SIDE, SIDE, (0.5,) * 3, (0.25,) * 3)
    blueprint = Architecture("deep", "Deep", lambda _classes: Deep(), FeatureHook("relu"), "fc", transform)
    model = models.assemble(blueprint, Deep(), transform, ("a", "b", "c"), "weights")
    assert model.keeps_features
    found = extract(model, pictures(5), store=Store(tmp_path))
    assert found.features.shape == (5, 7) and found.maximum.shape == (5, CHANNELS)
    np.testing.assert_allclose(model.logits_of(found.pooled), found.logits, rtol=1e-5, atol=1e-6)
    again = extract(model, pictures(5), store=Store(tmp_path))
    np.testing.assert_array_equal(again.features, found.features)
    assert len(extract(model, pictures(5), limit=0)) == 0


def test_no_features_are_kept_where_the_head_reads_the_mean() -> None:
    model = tiny()
    assert not models.assemble(model.architecture, Tiny(), model.transform, model.classes, "w").keeps_features
    assert extract(model, pictures(2)).features is None
