"""What the server keeps: once for a key; a folder that changes lets go of what is about it, and of nothing else."""

from pathlib import Path

import pytest

from nap_core.runs.background import Jobs
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study
from pages.components.study import cache
from pages.components.study.cache import cached
from tests.pages.test_own import pictures

CALLS: list[str] = []


def computed(text: str, *, times: int = 1) -> list[str]:
    CALLS.append(text)
    return [text] * times


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()


def test_a_key_is_computed_once_whatever_the_arguments() -> None:
    assert cached(("a",), computed, "one", times=2) == ["one", "one"]
    assert cached(("a",), computed, "two") == ["one", "one"]
    assert cached(("b",), computed, "two") == ["two"]
    assert CALLS == ["one", "two"]


def test_each_caller_has_a_copy_unless_it_is_shared() -> None:
    cached(("a",), computed, "one").append("changed")
    assert cached(("a",), computed, "one") == ["one"]
    first = cached(("s",), computed, "one", shared=True)
    assert cached(("s",), computed, "one", shared=True) is first


@pytest.fixture
def folders(data_root: Path) -> Path:
    pictures(data_root / "garden", ["wren/1.png", "wren/2.png"])
    pictures(data_root / "forest", ["wren/1.png", "wren/2.png", "wren/3.png"])
    for name in ("own:garden", "own:forest"):
        cache.note_stamp(name)
    return data_root


def study(name: str) -> Study:
    return Study("resnet20-cifar10", name, ("textures",), 2)


def test_a_changed_folder_lets_go_of_its_own_results_alone(folders: Path) -> None:
    keys = [
        (study("own:garden"), "nap"),
        (study("own:forest"), "nap"),
        ("own:garden", 0),
        ("own:garden:0",),
        ("cifar10",),
    ]
    for key in keys:
        cached(key, computed, str(key[0]))
    CALLS.clear()
    pictures(folders / "garden", ["wren/3.png"])
    assert cache.note_stamp("own:garden")
    assert not cache.note_stamp("own:garden")
    assert not cache.note_stamp("own:forest")
    again = [bool(CALLS.clear() or cached(key, computed, "again") == ["again"]) for key in keys]
    assert again == [True, False, True, True, False]


def test_ended_runs_of_a_changed_folder_are_dropped_alone(folders: Path) -> None:
    jobs = Jobs(Store())
    owners = [("oracle", study("own:garden")), ("oracle", study("own:forest")), ("NAC-ME", "m", "own:garden")]
    for owner in owners:
        jobs.start_task(owner, lambda _callbacks: 1).wait(60)
    jobs.forget(lambda owner: cache.mentions(owner, "own:garden"))
    assert [jobs.task_of(owner) is None for owner in owners] == [True, False, True]
