"""Writers that die, and writers that meet: run as a script by test_kills.py, in processes of their own."""

import itertools
import os
import random
import shutil
import signal
import stat
import sys
import time
import traceback
from pathlib import Path

from nap_core.storage.activation_store import Store
from tests.storage.truth import KEY, TRUTH, fill, no_sync, part

CALLS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.scandir", "os.listdir", "fcntl.flock"}


def die(point, torn):
    """Kill this process at its ``point``-th file-system call from here; if torn, at a sync, with half the file written.

    Between the calls that are counted (audit events and syncs) the disk only changes by the content of open files.
    """
    count = itertools.count(1)

    def call(event, _arguments=()):
        if event in CALLS and not torn and next(count) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def sync(descriptor):
        call("open")
        if torn and stat.S_ISREG(os.fstat(descriptor).st_mode) and next(count) == point:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = sync
    sys.addaudithook(call)


def in_child(action):
    """Run ``action`` in a fork; the process id to wait for."""
    child = os.fork()
    if child == 0:
        try:
            action()
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    return child


def exit_code(child):
    """What a fork ended with: 0, or −9 when it was killed; anything else is an error here."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code


def append_all(root, ends):
    entry = Store(root).entry(KEY)
    for start, stop in zip((0, *ends), ends, strict=False):
        if start >= entry.rows:
            entry.append(part(TRUTH, start, stop), start)


def prepare(root, scenario):
    if scenario != "first":
        entry = fill(root, TRUTH, *((1, 2) if scenario == "joined" else (2,)))
        shutil.copytree(next(entry.path.glob("0*")), entry.path / "000000002-00000000")  # renamed, never named
        shutil.copytree(next(entry.path.glob("0*")), entry.path / ".tmp-00000000")


def die_at_every_call(root):
    """A store for every scenario and call at which a writer was killed: ROOT/scenario-torn-call."""
    os.fsync = no_sync
    fill(root / "warm-up", TRUTH, 2)  # else the calls counted would be those of imports
    for scenario, torn in itertools.product(("first", "resumed", "removed", "joined"), (False, True)):
        for point in itertools.count(1):
            store = root / f"{scenario}-{torn:d}-{point}"
            prepare(store, scenario)

            def act(store=store, scenario=scenario, torn=torn, point=point):
                die(point, torn)
                if scenario == "removed":
                    Store(store).clear()
                elif scenario == "joined":
                    Store(store).entry(KEY).compact()
                else:
                    append_all(store, (2, 4))

            if exit_code(in_child(act)) == 0:
                break
    shutil.rmtree(root / "warm-up")


def die_at_random(root):
    """Stores whose writers were killed three times in a row, each some time after it had come to some shard."""
    os.fsync = no_sync
    ends = range(2, 31, 2)
    started = time.perf_counter()
    exit_code(in_child(lambda: append_all(root / "whole", ends)))
    seconds_a_shard = (time.perf_counter() - started) / len(ends)
    draw = random.Random(0)
    for store in (root / f"{number}" for number in range(8)):
        for shards in sorted(draw.sample(range(len(ends) - 1), 3)):
            child = in_child(lambda store=store: append_all(store, ends))
            patience = time.monotonic() + 60
            while len(list(store.glob("*/0*"))) < shards:
                assert time.monotonic() < patience
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 2 * seconds_a_shard))
            os.kill(child, signal.SIGKILL)
            exit_code(child)


def write_as_rival(root, size):
    """Extract as if alone, but slowly enough to meet the other."""
    os.fsync = lambda _descriptor: time.sleep(0.001)
    entry = Store(root).entry(KEY)
    entry.append(part(TRUTH, 0, 0))
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(entry.rows, len(TRUTH), size):
        entry.append(part(TRUTH, start, start + size))


if __name__ == "__main__":
    deed, folder, *numbers = sys.argv[1:]
    {"die_at_every_call": die_at_every_call, "die_at_random": die_at_random, "write_as_rival": write_as_rival}[deed](
        Path(folder), *map(int, numbers)
    )
