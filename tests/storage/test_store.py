"""What the store promises in good weather."""

import errno
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nap_core.storage.activation_store.entry as entry_module
from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.storage.activation_store import Manifest, Store, StoreKey, TooLarge
from tests.storage.truth import KEY, assert_same, fill, make, part


def test_every_part_of_the_key_makes_another_entry(tmp_path):
    changes = ({}, {"weights": "x"}, {"layer": "x"}, {"transform": "x"}, {"dataset": "x"}, {"dtype": "float16"})
    keys = [replace(KEY, **change) for change in changes]
    assert len({key.digest for key in keys}) == len({Store(tmp_path).entry(key).path for key in keys}) == len(keys)


def test_the_digest_of_a_key_never_changes():
    # sha256 of the canonical JSON, from the shell: a digest that moved would orphan what users have stored.
    # printf '{"dataset":"d","dtype":"float32","format":1,"layer":"l","transform":"t","weights":"w"}' | sha256sum
    expected = "1138fead037eba826aa32d0fa56f082a88a47bebf51cb06e3f215601d8634321"
    assert StoreKey("w", "l", "t", "d", "float32").digest == expected


def test_a_key_knows_two_dtypes():
    with pytest.raises(ValueError, match="float64"):
        StoreKey("w", "l", "t", "d", "float64")


def test_the_place_is_the_argument_then_the_variable_then_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAP_STORE", str(tmp_path / "variable"))
    monkeypatch.chdir(tmp_path)
    assert Store("argument").root == tmp_path / "argument"
    assert Store().root == tmp_path / "variable"
    monkeypatch.setenv("NAP_STORE", "")
    assert Store().root == platformdirs.user_cache_path("nap-explorer", appauthor=False) / "store"


def test_looking_makes_nothing_on_disk(tmp_path):
    store = Store(tmp_path / "store")
    entry = store.entry(KEY, title="title")
    assert (entry.rows, entry.size_bytes, list(entry.shards()), entry.verify()) == (0, 0, [], 0)
    assert (store.entries(), store.size_bytes()) == ([], 0)
    entry.remove()
    store.clear()
    with pytest.raises(KeyError, match="nothing is stored"):
        entry.read()
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25)
@given(
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    limit=st.none() | st.integers(0, 25),
    widths=st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
    dtype=st.sampled_from(["float32", "float16"]),
)
def test_what_went_in_comes_out(sizes, limit, widths, dtype):
    truth = make(sum(sizes), *widths, dtype=dtype)
    ends = np.cumsum(sizes)
    with tempfile.TemporaryDirectory() as folder:
        key = replace(KEY, dtype=dtype)
        entry = Store(folder).entry(key)
        for start, stop in zip((0, *ends), ends, strict=False):
            entry.append(part(truth, start, stop))
        assert entry.rows == entry.verify() == len(truth)
        again = Store(folder).entry(key)
        if len(truth):
            assert_same(again.read(limit), truth if limit is None else truth.head(limit))
            assert_same(Activations.concatenate(list(again.shards())), truth)
        assert [len(shard) for shard in again.shards()] == [size for size in sizes if size]


def test_any_numbers_in_any_memory_order(tmp_path):
    odd = np.array([[np.inf, -np.inf, np.nan], [-0.0, 1e-45, 3.4e38]], np.float32)
    truth = Activations(np.asfortranarray(odd), odd[:, ::-1], odd[::-1], odd.astype(">f4"), np.array([-1, 2], np.int32))
    Store(tmp_path).entry(KEY).append(truth)
    found = Store(tmp_path).entry(KEY).read()
    assert_same(found, Activations(odd, odd[:, ::-1], odd[::-1], odd, np.array([-1, 2])))


def test_one_shard_is_mapped_not_copied(tmp_path):
    truth = make(9)
    entry = fill(tmp_path, truth, 6, 9)
    for found in (entry.read(6), entry.read(4), next(entry.shards())):
        for array in found.arrays.values():
            assert isinstance(array, np.memmap)
            assert not array.flags.writeable
    assert_same(entry.read(8), part(truth, 0, 8))


def test_many_shards_need_few_descriptors(tmp_path):
    resource = pytest.importorskip("resource", reason="POSIX only: the limit is set by setrlimit")
    truth = make(30)
    entry = fill(tmp_path, truth, *range(1, 31))
    descriptors = Path("/dev/fd") if Path("/dev/fd").exists() else Path("/proc/self/fd")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(path.name) for path in descriptors.iterdir()) + 20, limit[1]))
    try:
        found = entry.read()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert_same(found, truth)


def test_half_precision(tmp_path):
    entry = Store(tmp_path).entry(replace(KEY, dtype="float16"))
    truth = make(5, features=2)
    entry.append(truth)
    assert_same(entry.read(), make(5, features=2, dtype="float16"))
    assert {name: array.dtype.str for name, array in entry.read().arrays.items()} == {
        "maximum": "<f2",
        "mean": "<f2",
        "variance": "<f4",
        "logits": "<f4",
        "labels": "<i8",
        "features": "<f2",
    }


@pytest.mark.parametrize("name", ["maximum", "mean", "features"])
def test_a_number_without_a_place_in_half_precision_is_refused(tmp_path, name):
    entry = Store(tmp_path).entry(replace(KEY, dtype="float16"))
    truth = make(5, features=2)
    entry.append(truth)
    for value in (65_520, -65_520):  # rounds to infinity
        with pytest.raises(TooLarge, match="Store them as float32"):
            entry.append(replace(truth, **{name: np.full_like(truth.arrays[name], value)}))
    assert entry.rows == 5
    largest = replace(truth, **{name: np.full_like(truth.arrays[name], 65_519)})
    entry.append(largest)
    assert (entry.read().arrays[name][5:] == 65_504).all()


def test_variance_and_logits_have_the_range_of_single_precision(tmp_path):
    entry = Store(tmp_path).entry(replace(KEY, dtype="float16"))
    truth = make(3)
    large = replace(truth, variance=truth.variance * np.float32(1e30), logits=truth.logits * np.float32(1e30))
    entry.append(large)
    assert (entry.read().variance == large.variance).all()
    assert (entry.read().logits == large.logits).all()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("features", [0, 6])
def test_the_manifest_knows_the_size_beforehand(tmp_path, dtype, features):
    key = replace(KEY, dtype=dtype)
    for rows in (1, 10, 1234):
        store = Store(tmp_path / f"{rows}")
        entry = store.entry(key, title="größer")
        expected = Manifest(key, "größer", 3, 4, features=features).size(rows)
        truth = make(rows, features=features)
        for start in range(0, rows, 500):
            entry.append(part(truth, start, start + 500))
        entry.compact()
        assert entry.size_bytes == store.size_bytes() == expected


class TestCompact:
    def test_many_shards_become_one_that_is_mapped(self, tmp_path):
        truth = make(30, features=2)
        entry = fill(tmp_path, truth, 2, 3, 17, 30)
        entry.compact()
        again = Store(tmp_path).entry(KEY)
        assert [len(shard) for shard in again.shards()] == [30]
        assert_same(again.read(), truth)
        assert all(isinstance(array, np.memmap) for array in again.read(29).arrays.values())
        assert again.verify() == 30
        assert again.title == "ResNet-20 · CIFAR-10"
        assert len(list(entry.path.iterdir())) == 2

    def test_nothing_is_done_where_there_is_nothing_to_join(self, tmp_path):
        Store(tmp_path).entry(KEY).compact()
        assert list(tmp_path.iterdir()) == [tmp_path / f"{KEY.digest[:16]}.lock"]
        entry = fill(tmp_path, make(4), 4)
        before = (entry.path / "manifest.json").read_bytes()
        entry.compact()
        assert (entry.path / "manifest.json").read_bytes() == before

    def test_rows_are_added_afterwards(self, tmp_path):
        truth = make(12)
        entry = fill(tmp_path, truth, 2, 5)
        entry.compact()
        entry.append(part(truth, 5, 9))
        other = Store(tmp_path).entry(KEY)
        other.append(part(truth, 8, 12), 8)
        other.compact()
        assert_same(entry.read(), truth)

    def test_who_has_the_old_shards_open_keeps_them(self, tmp_path):
        truth = make(20)
        entry = fill(tmp_path, truth, 5, 12, 20)
        mapped = Store(tmp_path).entry(KEY).read(4)
        reading = Store(tmp_path).entry(KEY).shards()
        parts = [next(reading), next(reading)]
        entry.compact()
        parts += reading  # goes on in the new shard at row 12
        assert [len(one) for one in parts] == [5, 7, 8]
        assert_same(Activations.concatenate(parts), truth)
        assert_same(mapped, part(truth, 0, 4))

    def test_who_looks_in_the_middle_of_it_finds_every_row(self, tmp_path, monkeypatch):
        """The old manifest was read, and then the shards it names are gone."""
        truth = make(20)
        entry = fill(tmp_path, truth, 5, 12, 20)
        old = entry_module.read_manifest(entry.path)
        entry.compact()
        true_reading = entry_module.read_manifest
        for look in (lambda it: it.rows, lambda it: len(it.read()), lambda it: sum(map(len, it.shards()))):
            told = iter([old, old])  # one for the title, one for the first look
            monkeypatch.setattr(entry_module, "read_manifest", lambda path, told=told: next(told, true_reading(path)))
            assert look(Store(tmp_path).entry(KEY)) == 20

    def test_a_shard_with_flipped_bits_is_not_given_a_new_checksum(self, tmp_path):
        truth = make(20)
        entry = fill(tmp_path, truth, 5, 12, 20)
        path = sorted(entry.path.glob("0*"))[1] / "logits.npy"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        entry.compact()
        assert [len(shard) for shard in entry.shards()] == [5, 7, 8]
        assert len(list(entry.path.iterdir())) == 4
        assert entry.verify() == 5

    def test_a_full_disk_leaves_the_shards(self, tmp_path, monkeypatch):
        truth = make(20)
        entry = fill(tmp_path, truth, 5, 12, 20)

        def full(_descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(UserError, match="is full"):
                entry.compact()
        assert [len(shard) for shard in entry.shards()] == [5, 7, 8]
        assert len(list(entry.path.iterdir())) == 4
        assert_same(entry.read(), truth)


def test_append_takes_what_follows_and_nothing_else(tmp_path):
    truth = make(6)
    entry = fill(tmp_path, truth, 4)
    for start in (5, -1):
        with pytest.raises(ValueError, match="cannot follow the 4 rows"):
            Store(tmp_path).entry(KEY).append(part(truth, 4, 6), start)
    for other in (make(2, channels=2), make(2, classes=5), make(2, features=7)):
        with pytest.raises(ValueError, match="cannot follow 3 channels, 4 logits"):
            entry.append(other)
    assert_same(entry.read(), part(truth, 0, 4))


def test_rows_that_another_has_stored_meanwhile_are_left_out(tmp_path):
    truth = make(10)
    mine = fill(tmp_path, truth, 2)
    assert mine.rows == 2
    theirs = Store(tmp_path).entry(KEY)
    theirs.append(part(truth, 2, 5))
    assert_same(mine.read(), part(truth, 0, 5))  # reading is not asking how many rows there are …
    mine.append(part(truth, 2, 4))  # … so these are still rows 2 and 3, there already
    mine.append(part(truth, 4, 7))  # row 4 is there, 5 and 6 are new
    mine.append(part(truth, 7, 10))
    assert_same(theirs.read(), truth)
    manifest = (theirs.path / "manifest.json").read_bytes()
    theirs.append(part(truth, 0, 10), start=0)
    assert (theirs.path / "manifest.json").read_bytes() == manifest
    assert [len(shard) for shard in theirs.shards()] == [2, 3, 2, 3]


def test_an_entry_emptied_while_it_is_added_to(tmp_path):
    truth = make(6)
    entry = fill(tmp_path, truth, 4)
    Store(tmp_path).clear()
    for start in (None, 4):
        with pytest.raises(UserError, match="was emptied"):
            entry.append(part(truth, 4, 6), start)
    assert entry.rows == 0
    entry.append(truth)
    assert_same(entry.read(), truth)


def test_a_limit_is_a_number_of_rows(tmp_path):
    entry = fill(tmp_path, make(4), 2, 4)
    with pytest.raises(ValueError, match="-1"):
        entry.read(-1)
    assert len(entry.read(0)) == 0
    assert len(entry.read(99)) == 4


def test_the_manifest_can_be_read_by_people(tmp_path):
    entry = fill(tmp_path, make(5), 2, 5)
    text = (entry.path / "manifest.json").read_text(encoding="utf-8")
    assert "ResNet-20 · CIFAR-10" in text
    manifest = json.loads(text)
    assert (manifest["key"]["layer"], manifest["channels"], manifest["classes"]) == ("layer3", 3, 4)
    assert [(shard["start"], shard["rows"]) for shard in manifest["shards"]] == [(0, 2), (2, 3)]
    assert manifest["written_with"]["numpy"] == np.__version__


def test_the_store_lists_weighs_and_clears_its_entries(tmp_path):
    store = Store(tmp_path)
    second = store.entry(KEY, title="b: \udcff")  # a file name that is not Unicode
    first = store.entry(replace(KEY, layer="other"), title="a")
    for entry in (second, first):
        entry.append(make(3))
    assert [(entry.title, entry.key) for entry in store.entries()] == [("a", first.key), ("b: \udcff", KEY)]
    assert store.entry(KEY).title == second.title
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert store.size_bytes() == first.size_bytes + second.size_bytes == sum(path.stat().st_size for path in files)
    first.remove()
    assert first.rows == 0
    assert [entry.key for entry in store.entries()] == [KEY]
    store.clear()
    assert (store.entries(), store.size_bytes()) == ([], 0)


def test_clearing_deletes_nothing_that_is_not_the_stores(tmp_path):
    entry = fill(tmp_path, make(3), 3)
    foreign = (tmp_path / "thesis.txt", tmp_path / "0123456789abcdef" / "data.npy", entry.path / "notes" / "a.txt")
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    Store(tmp_path).clear()
    assert entry.rows == 0
    kept = {path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert kept == set(foreign)
