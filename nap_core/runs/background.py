"""Background jobs: each runs in a thread, reports progress, can be stopped, and continues when its page is left."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from nap_core import methods
from nap_core.analysis import evaluation
from nap_core.errors import UserError
from nap_core.methods import EvaluationData
from nap_core.runs import pending
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from nap_core.studies.study import Study, prepare, run

KEPT = 16  # ended runs whose results stay open; older ones are read from the store again

Result = TypeVar("Result")
AnyJob = TypeVar("AnyJob", bound="Job[Any]")


class Job(ABC, Generic[Result]):
    """One run in a thread of its own. ``state`` is "running", "done", "stopped" or "failed"."""

    def __init__(self) -> None:
        self.state = "running"
        self.progress: Progress | None = None
        self.result: Result | None = None
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=type(self).__name__, daemon=True)
        self._thread.start()

    @abstractmethod
    def _run(self, callbacks: RunCallbacks) -> Result:
        """The work itself."""

    def _note(self, progress: Progress) -> None:
        self.progress = progress

    def _work(self) -> None:
        try:
            self.result = self._run(RunCallbacks(self._note, self._stop.is_set))
            self.state = "done"
        except ExtractionStopped:
            self.state = "stopped"
        except (UserError, OSError, RuntimeError, ValueError) as error:
            self.error = error
            self.state = "failed"
        except MemoryError:
            self.error = UserError("This machine has too little memory for the study. Take fewer images.")
            self.state = "failed"
        finally:
            if self.state == "running":  # unforeseen: threading writes its traceback to the terminal
                self.error = UserError("An error that was not foreseen ended it; the terminal says which.")
                self.state = "failed"

    def stop(self) -> None:
        """Request the end of the run after the current batch; the store keeps what has been computed."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the run ends, at most ``seconds``."""
        self._thread.join(seconds)


class StudyJob(Job[EvaluationData]):
    """One run of one study: what is missing is downloaded and unpacked, then the images are extracted."""

    def __init__(self, study: Study, store: Store, device: str | None = None) -> None:
        self.study, self._store, self._device = study, store, device
        super().__init__()

    def _run(self, callbacks: RunCallbacks) -> EvaluationData:
        prepare(self.study, callbacks)
        return run(self.study, self._store, device=self._device, callbacks=callbacks)


class MethodsJob(Job[None]):
    """What methods need beyond stored activations: the fit split, and passes of their own.

    ``unable`` has the methods that cannot run, each with the reason in a sentence. ``step`` of ``steps`` counts, from
    1, the passes over the images of a dataset.
    """

    def __init__(self, data: EvaluationData, specs: Sequence[str], unable: Mapping[str, str] | None = None) -> None:
        self.data, self.specs = data, tuple(specs)
        self.unable = {spec: reason for spec, reason in (unable or {}).items() if spec not in specs}
        self.step, self.steps = 0, 0
        super().__init__()

    def _note(self, progress: Progress) -> None:
        if self.progress is None or progress.title != self.progress.title:
            self.step += 1
        self.steps = max(self.steps, self.step)
        super()._note(progress)

    def _run(self, callbacks: RunCallbacks) -> None:
        self.steps = self._steps()
        for spec in self.specs:
            try:
                needs = pending.waiting(self.data, spec)
                if needs.fit:
                    self.data.context.fit(methods.title(spec), callbacks)
                if needs.images:
                    evaluation.method_scores(self.data, spec, callbacks=callbacks)
            except UserError as error:
                self.unable[spec] = str(error)

    def _steps(self) -> int:
        """The number of passes: the fit split is extracted once, a method and its combinations share a pass."""
        count = int(self.data.context.missing_fit() > 0)
        for spec in {methods.parse(spec).alone.spec: spec for spec in self.specs}.values():
            try:
                count += pending.steps(self.data, spec)
            except UserError:  # raised again, and kept, when its turn comes
                continue
        return count


class Task(Job[Result]):
    """A run of one function of ``RunCallbacks``."""

    def __init__(self, work: Callable[[RunCallbacks], Result]) -> None:
        self._given = work
        super().__init__()

    def _run(self, callbacks: RunCallbacks) -> Result:
        return self._given(callbacks)


class Jobs:
    """The runs of one server: a study, and the methods of a study, run once at a time, for all visitors."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._jobs: dict[Hashable, StudyJob] = {}
        self._methods: dict[Hashable, MethodsJob] = {}
        self._tasks: dict[Hashable, Task[Any]] = {}
        self._lock = threading.Lock()

    def get(self, study: Study) -> StudyJob | None:
        """The newest run of ``study``, running or ended."""
        return self._jobs.get(study)

    def start(self, study: Study, device: str | None = None) -> StudyJob:
        """The run of ``study`` that is under way, or a new one."""
        return self._started(self._jobs, study, lambda _ended: StudyJob(study, self.store, device))

    def methods_of(self, owner: Hashable) -> MethodsJob | None:
        """The newest run of methods for ``owner``, a study for example, running or ended."""
        return self._methods.get(owner)

    def start_methods(self, owner: Hashable, data: EvaluationData, specs: Sequence[str]) -> MethodsJob:
        """The run of methods for ``owner`` that is under way, whichever they are, or a new one for ``specs``.

        One at a time: methods share the network and what has been fitted.
        """
        return self._started(
            self._methods, owner, lambda ended: MethodsJob(data, specs, ended.unable if ended else None)
        )

    def forget(self, concerned: Callable[[Hashable], bool]) -> None:
        """Drop the ended runs whose owner is ``concerned``: their images have changed."""
        with self._lock:
            for kept in (self._jobs, self._methods, self._tasks):
                for owner in [owner for owner, job in kept.items() if job.state != "running" and concerned(owner)]:
                    del kept[owner]

    def task_of(self, owner: Hashable) -> Task[Any] | None:
        """The newest run of the task called ``owner``, running or ended."""
        return self._tasks.get(owner)

    def start_task(self, owner: Hashable, work: Callable[[RunCallbacks], Any]) -> Task[Any]:
        """The run of the task called ``owner`` that is under way, or a new one of ``work``."""
        return self._started(self._tasks, owner, lambda _ended: Task(work))

    def _started(
        self, kept: dict[Hashable, AnyJob], owner: Hashable, make: Callable[[AnyJob | None], AnyJob]
    ) -> AnyJob:
        """The job of ``owner`` that is under way, or a new one; ``make`` is given the one that has ended, if any."""
        with self._lock:
            job = kept.pop(owner, None)
            if job is None or job.state != "running":
                job = make(job)
            kept[owner] = job
            _forget(kept)
            return job


def _forget(jobs: dict[Hashable, AnyJob]) -> None:
    """Drop all but the newest ended runs."""
    ended = [owner for owner, job in jobs.items() if job.state != "running"]
    for owner in ended[:-KEPT]:
        del jobs[owner]
