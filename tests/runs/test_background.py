"""A study in the background: it runs, stops, goes on, and says what went wrong."""

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core import extraction
from nap_core.errors import UserError
from nap_core.runs import background
from nap_core.runs.background import Job, Jobs
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from nap_core.studies.study import Study, missing_downloads, missing_images, prepared, run
from tests.conftest import Publish
from tests.file_server import FileServer
from tests.small_archives import tarred

SMALL = Study("resnet20-cifar10", "cifar10", ("mnist",), 6)
OTHER = Study("resnet20-cifar10", "cifar10", ("uniform-noise",), 6)


def wait(job: Job) -> Job:
    job.wait(120)
    assert job.state != "running"
    return job


class Held:
    """Stands in for ``study.run``: runs until it is let go or asked to stop, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.go = threading.Event()

    def __call__(self, _study: Study, _store: Store, *, callbacks: RunCallbacks, **_options: object) -> str:
        self.calls += 1
        for _ in range(6000):
            if callbacks.should_stop():
                raise ExtractionStopped
            if self.go.wait(0.01):
                return "result"
        raise AssertionError("nobody let go")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    stand_in = Held()
    monkeypatch.setattr(background, "run", stand_in)
    return stand_in


def failing_with(error: BaseException) -> Callable[..., None]:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    return fail


def test_runs_to_the_end_with_progress(store_root: Path) -> None:
    job = wait(Jobs(Store(store_root)).start(SMALL, "cpu"))
    assert job.state == "done"
    assert job.error is None
    assert (job.progress.title, job.progress.done, job.progress.total) == ("MNIST", 12, 12)
    expected = run(SMALL, Store(store_root), device="cpu")
    np.testing.assert_array_equal(job.result.id.activations.mean, expected.id.activations.mean)
    np.testing.assert_array_equal(job.result.of("mnist").logits, expected.of("mnist").logits)


def test_stops_and_goes_on(store_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped while it works on the first dataset; what that left in the store is not computed again."""
    monkeypatch.setitem(extraction.BATCH, "cpu", 2)
    store, all_jobs = Store(store_root), Jobs(Store(store_root))
    at_work, asked = threading.Event(), threading.Event()

    def slowly(*arguments: object, callbacks: RunCallbacks, **options: object) -> object:
        def note(now: Progress) -> None:
            callbacks.progress(now)
            at_work.set()
            asked.wait(60)

        return run(*arguments, callbacks=RunCallbacks(note, callbacks.should_stop), **options)

    monkeypatch.setattr(background, "run", slowly)
    job = all_jobs.start(SMALL, "cpu")
    assert at_work.wait(120)
    assert job.state == "running"
    job.stop()
    asked.set()
    assert wait(job).state == "stopped"
    assert job.result is None
    assert missing_images(SMALL, store) == {"cifar10": 4, "mnist": 6}
    again = wait(all_jobs.start(SMALL, "cpu"))
    assert again is not job
    assert again.state == "done"
    assert len(again.result.id.activations) == 6


@pytest.fixture
def isun(publish: Publish) -> Study:
    """A study that meets an archive of a megabyte which is on a server and not here."""
    noise = np.random.default_rng(0).integers(0, 256, (8, 224, 224, 3), dtype=np.uint8)
    pictures = {f"iSUN/iSUN_patches/{n}.png": png(pixels) for n, pixels in enumerate(noise)}
    publish("isun", {"iSUN.tar.gz": tarred(pictures)})
    return Study("resnet20-cifar10", "cifar10", ("isun",), 6)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_downloads_unpacks_and_extracts(isun: Study, store_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Progress] = []
    note = background.Job._note
    monkeypatch.setattr(background.Job, "_note", lambda job, now: (heard.append(now), note(job, now)))
    assert [one.title for one in missing_downloads(isun)] == ["iSUN"]
    job = wait(Jobs(Store(store_root)).start(isun, "cpu"))
    assert (job.state, job.error) == ("done", None)
    assert len(job.result.of("isun")) == 6
    units = [one.unit for one in heard]
    assert list(dict.fromkeys(units)) == ["bytes", "packed bytes", "images"]
    assert [one.done for one in heard if one.unit == "bytes"][-1] == heard[0].total > 1_000_000
    assert prepared(isun) and missing_downloads(isun) == []


def test_a_download_that_is_stopped_goes_on(isun: Study, store_root: Path, file_server: FileServer) -> None:
    file_server.pause = threading.Event()
    all_jobs = Jobs(Store(store_root))
    job = all_jobs.start(isun, "cpu")
    while job.progress is None or not job.progress.done:
        time.sleep(0.01)
    assert job.progress.unit == "bytes"
    job.stop()
    file_server.pause.set()
    assert wait(job).state == "stopped"
    assert not prepared(isun)
    assert wait(all_jobs.start(isun, "cpu")).state == "done"
    assert file_server.requests.count(None) == 1  # the whole file was asked for once, the rest by a range


def test_no_network_is_told_and_what_was_put_there_by_hand_is_taken(
    isun: Study, store_root: Path, file_server: FileServer
) -> None:
    content, [download] = file_server.files.pop("iSUN.tar.gz"), missing_downloads(isun)
    all_jobs = Jobs(Store(store_root))
    job = wait(all_jobs.start(isun, "cpu"))
    assert job.state == "failed"
    assert f"Look for iSUN.tar.gz elsewhere and put it into {download.path.parent}" in str(job.error)
    download.path.write_bytes(content)
    assert wait(all_jobs.start(isun, "cpu")).state == "done"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("The device “x” cannot be used here."), "The device “x” cannot be used here."),
        (OSError("disk on fire"), "disk on fire"),
        (RuntimeError("the network broke"), "the network broke"),
        (ValueError("odd"), "odd"),
    ],
)
def test_failure_is_kept_in_words(error: Exception, words: str, store_root: Path, monkeypatch) -> None:
    monkeypatch.setattr(background, "run", failing_with(error))
    job = wait(Jobs(Store(store_root)).start(SMALL))
    assert job.state == "failed"
    assert job.result is None
    assert words in str(job.error)


@pytest.mark.parametrize("error", [KeyError("rows"), MemoryError(), ZeroDivisionError("division by zero")])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_unforeseen_failure_ends_the_run_too(error: Exception, store_root: Path, monkeypatch) -> None:
    """A bar that stands still for ever is worse than any message."""
    monkeypatch.setattr(background, "run", failing_with(error))
    job = wait(Jobs(Store(store_root)).start(SMALL))
    assert job.state == "failed"
    assert str(job.error).endswith(".")


def test_failed_run_can_be_started_again(store_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    all_jobs = Jobs(Store(store_root))
    wait(all_jobs.start(SMALL, "teapot"))
    assert "teapot" in str(all_jobs.get(SMALL).error)
    assert wait(all_jobs.start(SMALL, "cpu")).state == "done"
    assert all_jobs.get(SMALL).state == "done"


def test_one_study_runs_once_at_a_time_whoever_asks(held: Held, store_root: Path) -> None:
    all_jobs = Jobs(Store(store_root))
    found: list[Job] = []
    askers = [threading.Thread(target=lambda: found.append(all_jobs.start(SMALL))) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(60)
    assert len(set(map(id, found))) == 1
    assert all_jobs.get(SMALL) is found[0]
    held.go.set()
    wait(found[0])
    assert held.calls == 1


def test_two_studies_run_side_by_side(held: Held, store_root: Path) -> None:
    all_jobs = Jobs(Store(store_root))
    first, second = all_jobs.start(SMALL), all_jobs.start(OTHER)
    assert first is not second
    first.stop()
    assert wait(first).state == "stopped"
    assert second.state == "running"
    held.go.set()
    assert wait(second).state == "done"


def test_wait_gives_up_after_its_time(held: Held, store_root: Path) -> None:
    job = Jobs(Store(store_root)).start(SMALL)
    began = time.monotonic()
    job.wait(0.05)
    assert job.state == "running"
    assert time.monotonic() - began < 30
    held.go.set()
    wait(job)


def test_only_the_newest_results_stay_open(store_root: Path, held: Held) -> None:
    held.go.set()
    all_jobs = Jobs(Store(store_root))
    several = [Study("resnet20-cifar10", "cifar10", ("mnist",), n) for n in range(1, background.KEPT + 4)]
    for each in several:
        wait(all_jobs.start(each))
    kept = [each for each in several if all_jobs.get(each)]
    assert kept == several[-len(kept) :]
    assert background.KEPT <= len(kept) <= background.KEPT + 1


def test_a_study_nobody_ran(store_root: Path) -> None:
    assert Jobs(Store(store_root)).get(SMALL) is None
