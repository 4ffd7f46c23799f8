"""Several layers in the one pass: the numbers of one layer, one forward call an image, entries that studies share."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nap_core import models
from nap_core.datasets.images import ArrayImages
from nap_core.errors import UserError
from nap_core.extraction import Stored, extract, extract_layers, plan
from nap_core.models import FeatureHook, LoadedModel, Transform
from nap_core.models.architectures import Architecture
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from tests.extraction.test_extraction import SIDE, assert_equal, pictures, stop_after

LAYERS = ("first", "relu", "second", "")
CLASSES = ("a", "b", "c")


class Deep(nn.Module):
    """Two convolutions; the ReLU between them writes over what the first put out. It notes how large each batch was."""

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(4, 5, 3)
        self.last = nn.ReLU()
        self.fc = nn.Linear(5, len(CLASSES))
        self.most, self.batches = most, list[int]()

    def forward(self, x: Tensor) -> Tensor:
        self.batches.append(len(x))
        if self.most is not None and len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.fc(self.last(self.second(self.relu(self.first(x)))).mean((2, 3)))


def deep(most: int | None = None, scale: float = 1.0) -> LoadedModel:
    """``scale`` is what the first layer's weights are multiplied with."""
    torch.manual_seed(0)
    network = Deep().eval()
    with torch.no_grad():
        network.first.weight.mul_(scale)
        network.second.weight.div_(scale)
    transform = Transform(SIDE, SIDE, (0.5,) * 3, (0.25,) * 3)
    blueprint = Architecture("deep", "Deep", lambda _classes: Deep(), FeatureHook("last"), "fc", transform)
    model = models.assemble(blueprint, network, transform, CLASSES, f"weights {scale}")
    network.batches.clear()
    network.most = most
    return model


def at(model: LoadedModel, layer: str) -> LoadedModel:
    return models.with_layer(model, layer) if layer else model


def rows(store: Store, model: LoadedModel, dataset: ArrayImages) -> list[int]:
    return [Stored(store, at(model, layer), dataset).rows for layer in LAYERS]


def test_numbers_are_those_of_each_layer_alone(store_root) -> None:
    model, dataset = deep(), pictures(9)
    found = extract_layers(model, dataset, LAYERS, store=Store(store_root), device="cpu", batch_size=4)
    assert list(found) == list(LAYERS)
    assert [one.channels for one in found.values()] == [4, 4, 5, 5]
    for layer, one in found.items():
        alone = extract(at(model, layer), dataset, device="cpu", batch_size=4)
        assert one.arrays.keys() == alone.arrays.keys()
        for name, array in one.arrays.items():
            np.testing.assert_array_equal(array, alone.arrays[name], err_msg=f"{layer} {name}")
        assert (one.features is not None) == (layer in ("first", "relu"))  # second, cut at zero, is what the head reads
    np.testing.assert_array_equal(
        found["first"].maximum, found["relu"].maximum
    )  # cut at zero before it is written over


def test_one_forward_call_an_image_however_many_layers() -> None:
    model = deep()
    extract_layers(model, pictures(10), LAYERS, device="cpu", batch_size=4)
    assert model.network.batches == [4, 4, 2]


def test_the_entries_are_those_of_the_model_read_there(store_root) -> None:
    store, model, dataset = Store(store_root), deep(), pictures(6)
    found = extract_layers(model, dataset, LAYERS, store=store, device="cpu")
    assert len(store.entries()) == len(LAYERS)
    model.network.batches.clear()
    for layer in LAYERS:
        assert_equal(extract(at(deep(), layer), dataset, store=store, device="cpu"), found[layer])
    assert_equal(extract(model, dataset, limit=4, store=store, device="cpu"), found[""].head(4))
    assert model.network.batches == []


def test_what_a_layer_has_is_not_read_again_and_the_rest_is_filled_by_position(store_root) -> None:
    store, model, dataset = Store(store_root), deep(), pictures(10)
    extract(model, dataset, store=store, device="cpu")
    extract(at(model, "relu"), dataset, limit=6, store=store, device="cpu")
    model.network.batches.clear()
    read: list[int] = []
    handle = model.network.last.register_forward_hook(lambda _module, _inputs, out: read.append(len(out)))
    heard: list[Progress] = []
    found = extract_layers(
        model,
        dataset,
        ("relu", "second", ""),
        store=store,
        device="cpu",
        batch_size=4,
        callbacks=RunCallbacks(heard.append),
    )
    handle.remove()
    assert model.network.batches == [4, 2, 4]  # to image 6 for one layer, then for two
    assert [(one.done, one.total) for one in heard] == [(4, 10), (6, 10), (10, 10)]
    for layer, one in found.items():
        assert_equal(one, extract(at(deep(), layer), dataset, device="cpu"), rtol=1e-5, atol=1e-6)
    model.network.batches.clear()
    extract_layers(model, dataset, ("relu", ""), limit=7, store=store, device="cpu")
    assert model.network.batches == []


def test_a_stopped_pass_keeps_every_layer_and_goes_on(store_root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "SHARD_ROWS", 4)
    store, model, dataset = Store(store_root), deep(), pictures(10)
    with pytest.raises(ExtractionStopped):
        extract_layers(
            model,
            dataset,
            LAYERS,
            store=store,
            device="cpu",
            batch_size=3,
            callbacks=RunCallbacks(should_stop=stop_after(2)),
        )
    assert rows(store, model, dataset) == [6] * 4
    model.network.batches.clear()
    found = extract_layers(model, dataset, LAYERS, store=store, device="cpu")
    assert sum(model.network.batches) == 4
    assert_equal(found["relu"], extract(at(deep(), "relu"), dataset, device="cpu"), rtol=1e-5, atol=1e-6)


def test_a_gpu_without_room_takes_smaller_batches_for_all_layers() -> None:
    model, dataset = deep(most=3), pictures(8)
    found = extract_layers(model, dataset, LAYERS, device="cpu", batch_size=8)
    for layer, one in found.items():
        assert_equal(one, extract(at(deep(), layer), dataset, device="cpu"), rtol=1e-5, atol=1e-6)


def test_a_layer_too_large_for_half_precision_goes_to_single_alone(store_root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "HALF_FROM", 1)
    store, model, dataset = Store(store_root), deep(scale=1e6), pictures(6)
    found = extract_layers(model, dataset, ("relu", ""), store=store, device="cpu")
    assert (found["relu"].maximum.dtype, found[""].maximum.dtype) == (np.float32, np.float16)
    assert_equal(found["relu"], extract(at(deep(scale=1e6), "relu"), dataset, device="cpu"), rtol=1e-5)
    assert Stored(store, at(model, "relu"), dataset).half.rows == 0


def test_no_image_and_no_layer(store_root) -> None:
    model = deep()
    empty = extract_layers(model, pictures(3), ("relu", ""), limit=0, store=Store(store_root), device="cpu")
    assert [(len(one), one.channels) for one in empty.values()] == [(0, 4), (0, 5)]
    assert extract_layers(model, pictures(3), (), device="cpu") == {}
    with pytest.raises(UserError, match="no layer “third”"):
        extract_layers(model, pictures(3), ("third",), device="cpu")


@pytest.mark.parametrize("layer", LAYERS)
def test_how_wide_an_entry_will_be_is_known_without_a_pass(layer: str) -> None:
    model = deep()
    found = extract(at(model, layer), pictures(1), device="cpu")
    model.network.batches.clear()
    features = 0 if found.features is None else found.features.shape[1]
    assert plan.widths(at(model, layer)) == (found.channels, len(CLASSES), features)
    assert model.network.batches == []
