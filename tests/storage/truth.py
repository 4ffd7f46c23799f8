"""What the tests of the store write, and how they tell whether it came back."""

import json

import numpy as np

from nap_core.activations import Activations
from nap_core.storage.activation_store import Store, StoreKey

KEY = StoreKey(weights="ab" * 32, layer="layer3", transform="resize 32", dataset="cd" * 32, dtype="float32")
FIELD_FILES = ("maximum.npy", "mean.npy", "variance.npy", "logits.npy", "labels.npy")


def make(rows, channels=3, classes=4, features=0, dtype="float32", seed=0):
    """Activations in which no two numbers are alike, the same for each call, as an entry of ``dtype`` keeps them."""
    draw = np.random.default_rng(seed)
    widths = (channels, channels, channels, classes)
    maximum, mean, variance, logits = (draw.normal(size=(rows, width)).astype(np.float32) for width in widths)
    labels = draw.permutation(rows).astype(np.int64)
    more = draw.normal(size=(rows, features)).astype(dtype) if features else None
    return Activations(maximum.astype(dtype), mean.astype(dtype), variance, logits, labels, more)


def part(activations, start, stop):
    return activations.take(slice(start, stop))


def assert_same(found, expected):
    """Equal to the last bit, in dtype and in shape."""
    assert found.arrays.keys() == expected.arrays.keys()
    for name, one in found.arrays.items():
        other = expected.arrays[name]
        assert (one.dtype, one.shape) == (other.dtype, other.shape), name
        assert one.tobytes() == np.ascontiguousarray(other).tobytes(), name


def fill(root, truth, *ends):
    """An entry in which ``truth`` lies in shards that end at ``ends``."""
    entry = Store(root).entry(KEY, title="ResNet-20 · CIFAR-10")
    for start, stop in zip((0, *ends), ends, strict=False):
        entry.append(part(truth, start, stop), start)
    return entry


TRUTH = make(30)


def assert_holds(root, rows):
    """The entry holds just the first ``rows`` rows of the truth."""
    entry = Store(root).entry(KEY)
    assert entry.rows == rows
    assert sum(len(shard) for shard in entry.shards()) == rows
    if rows:
        assert_same(entry.read(), part(TRUTH, 0, rows))


def assert_resumes(root, rows, total):
    """The entry holds a prefix, can be continued to the whole, and then nothing else lies about."""
    assert_holds(root, rows)
    entry = Store(root).entry(KEY)
    entry.append(part(TRUTH, entry.rows, total))
    assert_holds(root, total)
    assert entry.verify() == total
    named = {shard["name"] for shard in json.loads((entry.path / "manifest.json").read_bytes())["shards"]}
    assert {path.name for path in entry.path.iterdir()} == {"manifest.json", *named}


def no_sync(_descriptor):
    """Syncing protects from power cuts, takes most of the time, and makes no difference to a kill."""
