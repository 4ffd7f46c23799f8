"""What the store promises when its files are damaged and when the disk lets it down."""

import errno
import itertools
import os
import pathlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nap_core.errors import UserError
from nap_core.storage.activation_store import Store
from tests.storage.truth import FIELD_FILES, KEY, TRUTH, assert_holds, assert_resumes, fill, make, part

posix_only = pytest.mark.skipif(os.name == "nt", reason="POSIX only: needs permission bits or folders that sync")


def truncate(path):
    os.truncate(path, path.stat().st_size - 1)


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\0")


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def reshape(path):
    path.write_bytes(path.read_bytes().replace(b"(2,", b"(1,"))


@pytest.mark.parametrize("damage", [truncate, lengthen, zero, reshape, Path.unlink, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("name", FIELD_FILES)
def test_a_damaged_shard_ends_the_entry(tmp_path, name, damage):
    for index, rows in ((2, 4), (0, 0)):
        root = tmp_path / f"{index}"
        entry = fill(root, TRUTH, 2, 4, 6, 8)
        damage(sorted(entry.path.glob("0*"))[index] / name)
        assert_resumes(root, rows, 8)


def test_a_shard_that_is_a_file(tmp_path):
    entry = fill(tmp_path, TRUTH, 2, 4)
    shard = sorted(entry.path.glob("0*"))[1]
    shutil.rmtree(shard)
    shard.write_text("")
    assert_resumes(tmp_path, 2, 4)


@pytest.mark.parametrize("name", FIELD_FILES)
def test_flipped_bits_are_found_by_verifying(tmp_path, name):
    entry = fill(tmp_path, TRUTH, 2, 4, 6)
    path = sorted(entry.path.glob("0*"))[1] / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert entry.rows == 6  # looking is cheap and does not find it
    assert entry.verify() == 2
    assert not path.exists()
    assert_resumes(tmp_path, 2, 6)


DAMAGED_MANIFESTS = {
    "empty": lambda text: b"",
    "cut short": lambda text: text[: len(text) // 2],
    "zeroed": lambda text: bytes(len(text)),
    "not text": lambda text: b"\xff\xfe" + text,
    "nested": lambda text: b"[" * 100_000,
    "another JSON": lambda text: b'["key"]',
    "a part missing": lambda text: text.replace(b'"shards"', b'"shard"'),
    "another format": lambda text: text.replace(b'"format": 1', b'"format": 2'),
    "another key": lambda text: text.replace(b'"layer3"', b'"layer4"'),
    "another dtype": lambda text: text.replace(b'"float32"', b'"float16"'),
    "a title that is none": lambda text: text.replace('"ResNet-20 · CIFAR-10"'.encode(), b"7"),
    "other widths": lambda text: text.replace(b'"channels": 3', b'"channels": 4'),
    "features that are none": lambda text: text.replace(b'"features": 0', b'"features": -1'),
    "widths that are none": lambda text: text.replace(b'"channels": 3', b'"channels": 3.0'),
    "a name that is a path": lambda text: text.replace(b'"name": "0', f'"name": "../{KEY.digest[:16]}/0'.encode()),
    "no rows": lambda text: text.replace(b'"rows": 2', b'"rows": -2'),
    "far too many rows": lambda text: text.replace(b'"rows": 2', b'"rows": 2000000000000'),
    "a gap": lambda text: text.replace(b'"start": 0', b'"start": 1'),
    "no checksum": lambda text: text.replace(b'"labels":', b'"label":'),
}


@pytest.mark.parametrize("damage", DAMAGED_MANIFESTS.values(), ids=DAMAGED_MANIFESTS)
def test_a_damaged_manifest_empties_the_entry(tmp_path, damage):
    entry = fill(tmp_path, TRUTH, 2, 4)
    path = entry.path / "manifest.json"
    path.write_bytes(damage(path.read_bytes()))
    store = Store(tmp_path)
    assert all(other.rows == 0 for other in store.entries())
    assert store.size_bytes() > 0
    assert_resumes(tmp_path, 0, 4)
    path.write_bytes(damage(path.read_bytes()))
    store.clear()
    assert store.size_bytes() == 0


def test_a_manifest_that_cannot_be_read(tmp_path):
    entry = fill(tmp_path, TRUTH, 2)
    path = entry.path / "manifest.json"
    aside = path.rename(tmp_path / "aside")
    path.mkdir()
    assert_holds(tmp_path, 0)
    assert Store(tmp_path).entries() == []
    with pytest.raises(UserError, match="cannot be changed"):
        entry.append(part(TRUTH, 0, 2), 0)
    path.rmdir()
    aside.rename(path)
    assert_resumes(tmp_path, 2, 4)  # what cannot be read for a while is not swept away


@pytest.fixture(scope="module")
def spare(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("spare"), TRUTH, 2, 4, 6)


@settings(max_examples=150)
@given(data=st.data())
def test_a_manifest_with_any_bytes_changed_never_lies(spare, data):
    path = spare.path / "manifest.json"
    sound = path.read_bytes()
    where = data.draw(st.integers(0, len(sound)))
    length = data.draw(st.integers(0, 4))
    path.write_bytes(
        sound[:where] + data.draw(st.binary(max_size=4) | st.from_regex(rb"[0-9\",:]*")) + sound[where + length :]
    )
    try:
        entry = Store(spare.path.parent).entry(KEY)
        assert entry.rows in (0, 2, 4, 6)
        assert_holds(spare.path.parent, entry.rows)
    finally:
        path.write_bytes(sound)


def sentence_of(error, root):
    text = str(error.value)
    assert str(root) in text
    assert "NAP_STORE" in text
    return text


class HalfWritten:
    """A file on a disk that is full after half of what is written."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, content):
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("file", range(1, len(FIELD_FILES) + 2))  # the last is the manifest
def test_a_disk_that_is_full_in_the_middle_of_a_file(tmp_path, monkeypatch, file):
    entry = fill(tmp_path, TRUTH, 2)
    size = entry.size_bytes
    count = itertools.count(1)
    open_path = Path.open

    def open_until_full(path, mode="r", *arguments, **options):
        opened = open_path(path, mode, *arguments, **options)
        return HalfWritten(opened) if mode == "xb" and next(count) == file else opened

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "open", open_until_full)
        with pytest.raises(UserError) as error:
            entry.append(part(TRUTH, 2, 4))
    assert "full" in sentence_of(error, tmp_path)
    assert_holds(tmp_path, 2)
    assert entry.size_bytes == size
    assert_resumes(tmp_path, 2, 4)


def test_a_disk_that_is_full_when_its_turn_comes(tmp_path, monkeypatch):
    failures = 0
    for turn in itertools.count(1):
        root = tmp_path / f"{turn}"
        entry = fill(root, TRUTH, 2)
        count = itertools.count(1)

        def sync(_descriptor, turn=turn, count=count):
            if next(count) == turn:
                raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", sync)
            try:
                entry.append(part(TRUTH, 2, 4))
            except UserError:
                failures += 1
            else:
                break
        assert_resumes(root, entry.rows, 6)
    assert failures >= len(FIELD_FILES) + 1


@posix_only
def test_everything_is_on_the_disk_before_it_is_named(tmp_path, monkeypatch):
    synced, names = set(), []
    rename = os.rename

    def sync(descriptor):
        synced.add(os.fstat(descriptor).st_ino)

    def checked(source, target):
        source = Path(source)
        assert {path.stat().st_ino for path in (source, *source.rglob("*"))} <= synced
        if source.is_file():  # the manifest: what it names must be there to stay
            assert source.parent.stat().st_ino in synced
        synced.discard(source.parent.stat().st_ino)
        rename(source, target)
        names.append(Path(target).name)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "rename", checked)
    monkeypatch.setattr(os, "replace", checked)
    entry = fill(tmp_path, TRUTH, 2, 4)
    assert tmp_path.stat().st_ino in synced
    assert entry.path.stat().st_ino in synced
    assert [name == "manifest.json" for name in names] == [False, True] * 2


@posix_only
def test_a_folder_that_may_not_be_written_to():
    root = Path(tempfile.mkdtemp())  # not tmp_path, which nobody but its owner may look into
    try:
        entry = fill(root, TRUTH, 2)
        for folder in (root, entry.path):
            folder.chmod(0o555)
        superuser = os.geteuid() == 0
        if superuser:
            os.seteuid(65534)
        try:
            with pytest.raises(UserError) as error:
                entry.append(part(TRUTH, 2, 4))
            with pytest.raises(UserError, match="cannot be changed"):
                entry.remove()
            assert_holds(root, 2)
        finally:
            if superuser:
                os.seteuid(0)
        assert "Permission denied" in sentence_of(error, root)
        for folder in (root, entry.path):
            folder.chmod(0o755)
        assert_resumes(root, 2, 4)
    finally:
        shutil.rmtree(root)


def test_files_that_cannot_be_deleted(tmp_path, monkeypatch):
    """As on Windows, where somebody has them mapped."""

    def rmtree(_path):
        raise PermissionError(errno.EACCES, "Access is denied")

    entry = fill(tmp_path, TRUTH, 2, 4)
    truncate(next(entry.path.glob("000000002-*")) / "mean.npy")
    other = Store(tmp_path).entry(replace(KEY, layer="other"))
    other.append(make(2))
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", rmtree)
        entry.append(part(TRUTH, 2, 4), 2)  # beside the damaged shard of the same rows
        assert_holds(tmp_path, 4)
        with pytest.raises(UserError, match="Access is denied"):
            Store(tmp_path).clear()
        assert (entry.rows, other.rows) == (0, 0)
    assert_resumes(tmp_path, 0, 4)


def test_a_store_that_is_a_file(tmp_path):
    root = tmp_path / "file"
    root.write_text("mine")
    with pytest.raises(UserError) as error:
        fill(root, TRUTH, 2)
    sentence_of(error, root)
    store = Store(root)
    assert (store.entry(KEY).rows, store.entries(), store.size_bytes()) == (0, [], 0)
    store.clear()
    assert root.read_text() == "mine"
