"""What the store promises when writers are killed, meet, or hang."""

import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

import nap_core.storage.activation_store.entry as entry_module
from nap_core.errors import UserError
from nap_core.storage.activation_store import Store
from tests.storage import writers
from tests.storage.truth import FIELD_FILES, KEY, TRUTH, assert_holds, assert_resumes, assert_same, fill, make, part

REPOSITORY = Path(__file__).resolve().parents[2]
posix_only = pytest.mark.skipif(os.name == "nt", reason="POSIX only: needs fork and signals")


def start(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, writers.__file__, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@posix_only
def test_a_writer_killed_at_any_call(tmp_path):
    with start("die_at_every_call", tmp_path) as process:
        assert process.wait() == 0
    found = {}
    for root in sorted(tmp_path.iterdir()):
        scenario, torn, _ = root.name.split("-")
        rows = Store(root).entry(KEY).rows
        assert rows in {"first": (0, 2, 4), "resumed": (2, 4), "removed": (0, 2), "joined": (2,)}[scenario], root.name
        assert_resumes(root, rows, 6)
        found.setdefault((scenario, torn), []).append(rows)
    # What was killed was the work itself: at many calls, on both sides of every shard's last step.
    assert {key: set(rows) for key, rows in found.items() if key[1] == "0"} == {
        ("first", "0"): {0, 2, 4},
        ("resumed", "0"): {2, 4},
        ("removed", "0"): {0, 2},
        ("joined", "0"): {2},
    }
    assert len(found["first", "0"]) > 60
    assert len(found["first", "1"]) == 2 * (len(FIELD_FILES) + 1) + 1


@posix_only
def test_writers_killed_at_random_moments(tmp_path):
    with start("die_at_random", tmp_path) as process:
        assert process.wait() == 0
    assert_holds(tmp_path / "whole", len(TRUTH))
    reached = []
    for root in sorted(tmp_path.iterdir()):
        rows = Store(root).entry(KEY).rows
        assert rows % 2 == 0
        assert_resumes(root, rows, len(TRUTH))
        reached.append(rows)
    assert len(reached) == 9
    assert len(set(reached)) > 2


def test_a_killed_process_holds_no_lock(tmp_path):
    with start("write_as_rival", tmp_path, 1) as process:
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("\n")
        process.stdin.flush()
        while Store(tmp_path).entry(KEY).rows < 3:
            assert process.poll() in (None, 0)
            time.sleep(0.005)
        process.kill()
    assert_resumes(tmp_path, Store(tmp_path).entry(KEY).rows, len(TRUTH))


def test_two_processes_write_the_same_entry(tmp_path):
    with start("write_as_rival", tmp_path, 2) as one, start("write_as_rival", tmp_path, 3) as other:
        assert [process.stdout.readline() for process in (one, other)] == ["ready\n"] * 2
        for process in (one, other):
            process.stdin.write("\n")
            process.stdin.flush()
        assert [process.wait() for process in (one, other)] == [0, 0]
    assert_resumes(tmp_path, len(TRUTH), len(TRUTH))


def test_a_live_writer_is_waited_for_and_its_files_are_left_alone(tmp_path, monkeypatch):
    entry = fill(tmp_path, TRUTH, 2)
    (entry.path / ".tmp-dead").mkdir()
    paused, go_on = threading.Event(), threading.Event()

    def pause_first(_descriptor):
        if not paused.is_set():
            paused.set()
            go_on.wait(30)

    monkeypatch.setattr(os, "fsync", pause_first)
    with ThreadPoolExecutor() as pool:
        try:
            first = pool.submit(Store(tmp_path).entry(KEY).append, part(TRUTH, 2, 5), 2)
            assert paused.wait(30)
            half = next(path for path in entry.path.glob(".tmp-*/*"))
            second = pool.submit(Store(tmp_path).entry(KEY).append, part(TRUTH, 2, 6), 2)
            assert_holds(tmp_path, 2)  # readers neither wait nor sweep
            time.sleep(0.2)
            assert half.exists()
            assert not second.done()
        finally:
            go_on.set()
        assert first.result() is second.result() is None
    assert_resumes(tmp_path, 6, 6)
    assert [len(shard) for shard in entry.shards()] == [2, 3, 1]


def test_leftovers_are_swept_by_writers_not_by_readers(tmp_path):
    entry = fill(tmp_path, TRUTH, 2)
    writers.prepare(tmp_path / "other", "resumed")
    shutil.copytree(next((tmp_path / "other").glob("*/.tmp-*")), entry.path / ".tmp-00000000")
    orphan = shutil.copytree(next((tmp_path / "other").glob("*/*2-0*")), entry.path / "000000002-00000000")
    assert_holds(tmp_path, 2)
    assert entry.verify() == 2
    assert orphan.exists()
    assert_resumes(tmp_path, 2, 4)


def test_a_writer_that_hangs(tmp_path, monkeypatch):
    entry = fill(tmp_path, TRUTH, 2)
    monkeypatch.setattr(entry_module, "LOCK_SECONDS", 0.1)
    with FileLock(f"{entry.path}.lock"):
        for change in (lambda: entry.append(part(TRUTH, 2, 4)), entry.remove, Store(tmp_path).clear):
            with pytest.raises(UserError, match=r"Another process .* NAP_STORE"):
                change()
        assert_holds(tmp_path, 2)
    assert_resumes(tmp_path, 2, 4)


@posix_only
def test_what_is_mapped_outlives_its_removal(tmp_path):
    entry = fill(tmp_path, TRUTH, 4)
    mapped = entry.read()
    entry.remove()
    assert not entry.path.exists()
    fill(tmp_path, make(4, seed=1), 4)
    assert_same(mapped, part(TRUTH, 0, 4))
