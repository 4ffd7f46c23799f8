"""Counts what a run of ``nap_core`` enters: project files, calls, and changes from one file to another.

    python -m tests.walks   # the walks below, with their files in the order of entry

A call is a Python frame that begins or goes on (a generator) in a file of ``nap_core``. Bodies of modules and classes
do not count: they run once, at the import. ``Walk.opened`` lists the files and folders that were opened meanwhile.
"""

from __future__ import annotations

import inspect
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np

import nap_core
from nap_core import methods
from nap_core.activations import Activations
from nap_core.analysis.evaluation import evaluate, method_scores
from nap_core.models import sources
from nap_core.storage.activation_store import Store
from nap_core.studies import Study, run

ROOT = str(Path(nap_core.__file__).parent)
STUDY = Study("resnet20-cifar10", "cifar10", ("mnist",), 64)
OPENING = ("open", "os.listdir", "os.scandir")
"""Audit events of Python for a file or a folder that is opened, whoever does it."""


@dataclass
class Walk:
    """``files`` with the number of calls into each, in the order of entry; ``changes`` from one file to another."""

    files: dict[str, int] = field(default_factory=dict)
    changes: int = 0
    opened: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return sum(self.files.values())

    def __str__(self) -> str:
        lines = [f"{count:6,}  {name}" for name, count in self.files.items()]
        summary = f"{len(self.files)} files, {self.calls:,} calls, {self.changes:,} changes of file"
        return "\n".join([f"{summary}, {len(self.opened)} opened on disk", *lines])


class _Opened:
    """One audit hook for the process, since Python cannot remove one. It records into ``walk`` and only in threads that
    run under ``profile``: what threads of other tests open meanwhile is not part of the walk."""

    def __init__(self) -> None:
        self.walk: Walk | None = None
        self.profile: object = None
        self._hooked = False

    def start(self, walk: Walk, profile: object) -> None:
        self.walk, self.profile = walk, profile
        if not self._hooked:
            sys.addaudithook(self._record)
            self._hooked = True

    def stop(self) -> None:
        self.walk = None

    def _record(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.walk is not None and event in OPENING and sys.getprofile() is self.profile:
            self.walk.opened.append(f"{event} {arguments[0]}")


_OPENED = _Opened()


@contextmanager
def walking() -> Iterator[Walk]:
    """The walk of the thread that runs the block, and of the threads that start in it."""
    walk, lock = Walk(), threading.Lock()
    last = ""

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal last
        code = frame.f_code
        if event != "call" or not code.co_flags & inspect.CO_OPTIMIZED or not code.co_filename.startswith(ROOT):
            return
        name = Path(code.co_filename).relative_to(ROOT).as_posix()
        with lock:
            walk.files[name] = walk.files.get(name, 0) + 1
            walk.changes += last not in ("", name)
            last = name

    before, before_threads = sys.getprofile(), threading.getprofile()
    _OPENED.start(walk, profile)
    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield walk
    finally:
        sys.setprofile(before)
        threading.setprofile(before_threads)  # type: ignore[arg-type]
        _OPENED.stop()


def random_activations(images: int = 64, channels: int = 64, classes: int = 10) -> Activations:
    """Statistics of random maps of 8 × 8 neurons, in memory."""
    rng = np.random.default_rng(0)
    maps = rng.exponential(size=(images, channels, 64)).astype(np.float32)
    logits = rng.normal(size=(images, classes)).astype(np.float32)
    return Activations(maps.max(axis=2), maps.mean(axis=2), maps.var(axis=2), logits, np.zeros(images, np.int64))


def first_run(root: Path) -> Walk:
    """Walk (a): images of a study → FPR95, with one method and an empty store. The network has still to be loaded, from
    a file that is here; what is imported late was imported by a run before, into another store."""
    evaluate(run(STUDY, Store(root / "before")), ["nap"])
    sources._load.cache_clear()
    with walking() as walk:
        evaluate(run(STUDY, Store(root / "empty")), ["nap"])
    return walk


def score_of_study(root: Path) -> Walk:
    """Walk (d): a combination's name → the scores of a study whose activations are in memory and not scored yet."""
    method_scores(run(STUDY, Store(root / "store")), "nap+energy")
    activations = run(STUDY, Store(root / "store"))
    with walking() as walk:
        method_scores(activations, "nap+energy")
    return walk


def score_alone() -> Walk:
    """Walk (d) without a study: a combination's name → the scores of activations, of which nothing else is given."""
    methods.score("nap+energy", random_activations())
    activations = random_activations()
    with walking() as walk:
        methods.score("nap+energy", activations)
    return walk


WALKS: dict[str, Callable[[Path], Walk]] = {
    "(a) images of a study → FPR95, first run": first_run,
    "(d) nap+energy on the activations of a study": score_of_study,
    "(d) nap+energy on activations alone": lambda _root: score_alone(),
}


def main() -> None:
    for title, walk in WALKS.items():
        with tempfile.TemporaryDirectory() as folder:
            print(f"{title}: {walk(Path(folder))}\n")


if __name__ == "__main__":
    main()
