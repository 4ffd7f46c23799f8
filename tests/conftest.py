"""What every test shares: a store of its own, few threads, and the optional folder of large reference material."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion

from tests.file_server import FileServer, serving
from tests.sentences import Says, check_facts

Publish = Callable[[str, Mapping[str, bytes]], None]

# Read by torch, numpy and scikit-learn when they are imported, hence set here, before any test module imports them.
# Two: convolutions this small get slower, not faster, on more. One where several processes share the tests: threads
# that wait for one another's cores are slower still.
_threads = 1 if "PYTEST_XDIST_WORKER" in os.environ else min(2, os.cpu_count() or 1)
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, str(_threads))

# A busy machine is no fault of the code under test: examples have no deadline. The rest of the profile is hypothesis's
# own, which with CI set draws the same examples every time.
settings.register_profile("nap", settings(), deadline=None)
settings.load_profile("nap")

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("NAP_SHARED") or REPOSITORY.parent / "shared")

WITHOUT_SHARED = "the folder of reference material is absent"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The file that takes minutes comes first, so that no process is left alone with it at the end.
    items.sort(key=lambda item: item.path.name != "test_published_numbers.py")


@pytest.fixture(scope="session", autouse=True)
def _store_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep every test out of the user's own store: one store for the run, so that an extraction is done once.

    The user's own images and models, and what was fetched by the app or by torch, are not there either.
    """
    root = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAP_STORE", str(root))
        patch.setenv("NAP_DATA_ROOTS", str(tmp_path_factory.mktemp("no-data")))
        patch.setenv("NAP_MODELS_FOLDER", str(tmp_path_factory.mktemp("no-models")))
        patch.setenv("NAP_DATASETS", str(tmp_path_factory.mktemp("no-library")))
        patch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("no-torch")))
        yield root


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one allowed root of this test's own images, empty."""
    root = tmp_path / "data"
    root.mkdir()
    monkeypatch.setenv("NAP_DATA_ROOTS", str(root))
    return root


@pytest.fixture
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's own models are kept; not made yet."""
    folder = tmp_path / "models"
    monkeypatch.setenv("NAP_MODELS_FOLDER", str(folder))
    return folder


@pytest.fixture
def file_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A web server on this machine, without files."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as server:
        yield server


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this test's library, empty."""
    monkeypatch.setenv("NAP_DATASETS", str(tmp_path / "library"))
    return tmp_path / "library"


@pytest.fixture
def publish(library: Path, file_server: FileServer, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """``publish("svhn-test", {"test_32x32.mat": …})``: small files in place of the published ones, with their MD5."""

    from nap_core.datasets.published import catalogue  # not above: it imports numpy

    def publish(name: str, files: Mapping[str, bytes]) -> None:
        entry = catalogue.RECORDS[name]
        assert {one.name for one in entry.files} == set(files)
        file_server.files |= files
        small = tuple(
            replace(
                one,
                url=file_server.url(one.name),
                checksum=f"md5:{hashlib.md5(files[one.name]).hexdigest()}",
                size=len(files[one.name]),
                by_hand=False,
            )
            for one in entry.files
        )
        monkeypatch.setitem(catalogue.RECORDS, name, replace(entry, files=small))

    return publish


@pytest.fixture
def torch_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where torch and torchvision keep this test's weights files; empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def store_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of an empty store that this test has for itself; NAP_STORE points to it."""
    root = tmp_path / "store"
    monkeypatch.setenv("NAP_STORE", str(root))
    return root


@pytest.fixture
def says(snapshot: SnapshotAssertion) -> Says:
    """``says(text, "NAP 35.0 Energy 50.0")``: these are the facts of the text, its words are those of the snapshot.

    The facts are checked first: ``pytest --snapshot-update`` accepts other words, never another number.
    """

    def says(text: str, facts: str) -> None:
        check_facts(text, facts)
        assert text == snapshot

    return says


@pytest.fixture
def shared() -> Path:
    """The folder of large reference material (datasets, published checkpoints), which a clone comes without.

    A test that asks for it is left out where the folder is absent; the summary says so in one line.
    """
    if not SHARED.is_dir():
        pytest.skip(WITHOUT_SHARED)
    return SHARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # From the reports: the processes that share the tests send these, and nothing else.
    left_out = [one for one in terminalreporter.stats.get("skipped", []) if WITHOUT_SHARED in str(one.longrepr)]
    if left_out:
        terminalreporter.write_line(
            f"Tests left out: {len(left_out)}, which compare with reference material that is not at {SHARED} "
            "(elsewhere: NAP_SHARED).",
            yellow=True,
        )
