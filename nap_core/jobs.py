"""A study that runs in the background: its progress can be looked at, it can be stopped, and it outlives a page."""

from __future__ import annotations

import threading

from nap_core.errors import UserError
from nap_core.extraction import ExtractionStopped, Progress
from nap_core.store import Store
from nap_core.study import Study, StudyActivations, run

KEPT = 16  # ended runs whose results stay open; older ones are read from the store again


class Job:
    """One run of one study in a thread of its own. ``state`` is "running", "done", "stopped" or "failed"."""

    def __init__(self, study: Study, store: Store, device: str | None = None) -> None:
        self.study = study
        self.state = "running"
        self.progress: Progress | None = None
        self.result: StudyActivations | None = None
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(store, device), name="study", daemon=True)
        self._thread.start()

    def _work(self, store: Store, device: str | None) -> None:
        def note(progress: Progress) -> None:
            self.progress = progress

        try:
            self.result = run(self.study, store, device=device, progress=note, should_stop=self._stop.is_set)
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
            if self.state == "running":  # nobody foresaw this one: threading writes its traceback to the terminal
                self.error = UserError("An error that was not foreseen ended it; the terminal says which.")
                self.state = "failed"

    def stop(self) -> None:
        """Ask the run to end after the batch it is at; what it has computed stays in the store."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the run ends, at most ``seconds``."""
        self._thread.join(seconds)


class Jobs:
    """The runs of one server: a study runs once at a time, whoever asks for it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._jobs: dict[Study, Job] = {}
        self._lock = threading.Lock()

    def get(self, study: Study) -> Job | None:
        """The newest run of ``study``, running or ended."""
        return self._jobs.get(study)

    def start(self, study: Study, device: str | None = None) -> Job:
        """The run of ``study`` that is under way, or a new one."""
        with self._lock:
            job = self._jobs.pop(study, None)
            if job is None or job.state != "running":
                job = Job(study, self.store, device)
            self._jobs[study] = job
            ended = [old for old, kept in self._jobs.items() if kept.state != "running"]
            for old in ended[:-KEPT]:
                del self._jobs[old]
            return job
