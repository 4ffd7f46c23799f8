"""Downloads from a server on this machine: whole and checked, or not there; every fault has its sentence."""

import hashlib
import os
import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from nap_core.errors import UserError
from nap_core.storage.downloads import Download, fetch, transfer
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from tests.file_server import FileServer

REPOSITORY = Path(__file__).resolve().parents[2]
CONTENT = random.Random(0).randbytes(3_000_000)
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
SHA256 = hashlib.sha256(CONTENT).hexdigest()

Make = Callable[..., Download]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PAUSE", 0.0)


@pytest.fixture
def download(file_server: FileServer, tmp_path: Path) -> Make:
    """``download(checksum=…)``: a file of three million bytes that is on the server and not here yet."""
    file_server.files["data.bin"] = CONTENT

    def make(**options: object) -> Download:
        arguments = {"url": file_server.url("data.bin"), "title": "Data", "size": len(CONTENT), "checksum": MD5}
        return Download(path=tmp_path / "deep" / "data.bin", **arguments | options)

    return make


def left(one: Download) -> list[str]:
    """The files in the folder, the lock aside."""
    return sorted(path.name for path in one.path.parent.iterdir() if not path.name.endswith(".lock"))


@pytest.mark.parametrize("checksum", ["", MD5, f"sha256:{SHA256}", f"sha256-prefix:{SHA256[:8]}"])
def test_a_file_arrives_whole_and_is_not_loaded_twice(download: Make, file_server: FileServer, checksum: str) -> None:
    one = download(checksum=checksum)
    assert not one.present
    assert fetch(one) == one.path
    assert one.path.read_bytes() == CONTENT
    assert one.present and left(one) == ["data.bin"]
    fetch(one)
    assert file_server.requests == [None]


def test_progress_is_in_bytes_and_bytes_a_second(download: Make) -> None:
    heard: list[Progress] = []
    fetch(download(), RunCallbacks(heard.append))
    assert (heard[0].done, heard[-1].done) == (0, len(CONTENT))
    assert [one.done for one in heard] == sorted(one.done for one in heard)
    assert {(one.title, one.total, one.unit) for one in heard} == {("Data", len(CONTENT), "bytes")}
    assert heard[-1].speed > 0 and heard[-1].seconds_left == 0


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_server_that_does_not_say_how_long_it_is(download: Make, file_server: FileServer, size: int | None) -> None:
    file_server.length = False
    heard: list[Progress] = []
    fetch(download(size=size), RunCallbacks(heard.append))
    assert heard[-1].done == len(CONTENT)
    assert heard[-1].total == (size or 0)


@pytest.mark.parametrize("validator", [("ETag", '"1"'), ("Last-Modified", "Sat, 21 Nov 2026 10:00:00 GMT"), None])
def test_a_cut_is_taken_up_again_where_it_was(
    download: Make, file_server: FileServer, validator: tuple[str, str] | None
) -> None:
    file_server.cut_after, file_server.validator = 1_000_000, validator
    heard: list[Progress] = []
    fetch(download(), RunCallbacks(heard.append))
    assert file_server.requests == [None, "bytes=1000000-"]
    assert [one.done for one in heard] == sorted(one.done for one in heard)
    assert download().path.read_bytes() == CONTENT


def test_cuts_are_no_failures_as_long_as_more_comes_through(download: Make, file_server: FileServer) -> None:
    file_server.cut_after, file_server.cuts = 300_000, 20
    fetch(download())
    assert len(file_server.requests) == 10
    assert download().path.read_bytes() == CONTENT


def test_a_connection_that_stays_broken_keeps_what_came_for_the_next_time(
    download: Make, file_server: FileServer
) -> None:
    file_server.cut_after = 1_000_000
    one = download()

    def note(now: Progress) -> None:
        if now.done:
            file_server.cut_after, file_server.cuts = 0, 10**6  # from now on nothing comes through

    with pytest.raises(UserError, match=r"broke off after 1.0 MB of “Data”, which are kept: start it again"):
        fetch(one, RunCallbacks(note))
    assert left(one) == ["data.bin.part", "data.bin.part.json"]
    file_server.cut_after = None
    fetch(one)
    assert one.path.read_bytes() == CONTENT
    assert file_server.requests[-1] == "bytes=1000000-"


def test_a_server_without_ranges_sends_all_of_it_again(download: Make, file_server: FileServer) -> None:
    file_server.ranges, file_server.cut_after = False, 1_000_000
    fetch(download())
    assert file_server.requests == [None, "bytes=1000000-"]
    assert download().path.read_bytes() == CONTENT


def test_without_a_version_or_a_checksum_nothing_is_pieced_together(download: Make, file_server: FileServer) -> None:
    file_server.validator, file_server.cut_after = None, 1_000_000
    fetch(download(checksum=""))
    assert file_server.requests == [None, None]
    assert download().path.read_bytes() == CONTENT


def stopped_after(one: Download, count: int) -> None:
    """Fetch, and stop once ``count`` bytes are there."""
    done = [0]
    with pytest.raises(ExtractionStopped):
        fetch(one, RunCallbacks(lambda now: done.__setitem__(0, now.done), lambda: done[0] >= count))


def test_stop_and_go_on(download: Make, file_server: FileServer) -> None:
    one = download()
    stopped_after(one, 500_000)
    have = one.path.with_name("data.bin.part").stat().st_size
    assert 500_000 <= have < len(CONTENT) and not one.present
    heard: list[Progress] = []
    fetch(one, RunCallbacks(heard.append))
    assert heard[0].done == have
    assert file_server.requests == [None, f"bytes={have}-"]
    assert one.path.read_bytes() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("length", [400_000, 3_500_000])
def test_a_file_that_changed_in_between_starts_over(
    download: Make, file_server: FileServer, length: int, ranges: bool
) -> None:
    one = download(checksum="", size=None)
    stopped_after(one, 500_000)
    changed = random.Random(1).randbytes(length)
    file_server.files["data.bin"], file_server.validator, file_server.ranges = changed, ("ETag", '"2"'), ranges
    fetch(one)
    assert one.path.read_bytes() == changed


def test_a_changed_file_of_a_server_that_gives_no_version_is_noticed(download: Make, file_server: FileServer) -> None:
    file_server.validator = None
    one = download()
    stopped_after(one, 500_000)
    file_server.files["data.bin"] = CONTENT[:400_000]  # shorter than what is here
    with pytest.raises(UserError, match="not the published “Data”"):
        fetch(one)
    assert left(one) == []


def test_another_address_starts_over(download: Make, file_server: FileServer) -> None:
    stopped_after(download(), 500_000)
    file_server.files["copy.bin"] = CONTENT
    fetch(download(url=file_server.url("copy.bin")))
    assert file_server.requests == [None, None]


def test_a_part_that_was_whole_when_the_process_died_is_used(download: Make, file_server: FileServer) -> None:
    one = download()
    fetch(one)
    one.path.rename(one.path.with_name("data.bin.part"))
    fetch(one)  # without a note it is nobody's part
    assert file_server.requests == [None, None]
    note = one.path.with_name("data.bin.part.json")
    note.write_text(f'{{"url": "{one.url}", "validator": "\\"1\\"", "total": {len(CONTENT)}}}')
    one.path.rename(one.path.with_name("data.bin.part"))
    fetch(one)
    assert len(file_server.requests) == 2
    assert left(one) == ["data.bin"]


@pytest.mark.parametrize(
    "checksum", ["md5:" + "0" * 32, "sha256:" + "0" * 64, "sha256-prefix:00000000"], ids=lambda text: text[:8]
)
def test_a_wrong_checksum_leaves_nothing_and_says_so(download: Make, checksum: str) -> None:
    one = download(checksum=checksum)
    with pytest.raises(UserError, match=r"not the published “Data”: it has the .* in place of 000.*It was removed"):
        fetch(one)
    assert left(one) == []


def test_a_wrong_size_is_told_before_it_is_loaded(download: Make) -> None:
    with pytest.raises(UserError, match="another file in place of “Data”: 3,000,000 bytes, not 17"):
        fetch(download(size=17, checksum=""))


def test_a_wrong_size_that_nobody_announced_is_removed(download: Make, file_server: FileServer) -> None:
    file_server.length = False
    one = download(size=17, checksum="")
    with pytest.raises(UserError, match=r"3,000,000 bytes in place of 17\. It was removed"):
        fetch(one)
    assert left(one) == []


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, r"“Data” is no longer at http://127.*\(404\)\. Look for data\.bin elsewhere and put it into .*deep"),
        (410, r"no longer at"),
        (403, r"127\.0\.0\.1 does not send “Data” now \(403 Forbidden\): try again later, or download http"),
        (503, r"does not send “Data” now \(503 Service Unavailable\)"),
    ],
)
def test_what_the_server_refuses(download: Make, file_server: FileServer, status: int, sentence: str) -> None:
    file_server.status = status
    with pytest.raises(UserError, match=sentence):
        fetch(download())
    assert left(download()) == []


def test_a_web_page_is_no_archive(download: Make, file_server: FileServer) -> None:
    file_server.content_type = "text/html; charset=utf-8"
    with pytest.raises(UserError, match=r"127\.0\.0\.1 returns a web page in place of “Data”"):
        fetch(download(checksum="", size=None))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/data.bin", "http://nowhere.invalid/data.bin"])
def test_no_network_says_which_file_to_put_where(download: Make, url: str) -> None:
    one = download(url=url)
    host = "127.0.0.1" if "127" in url else "nowhere.invalid"
    with pytest.raises(UserError) as raised:
        fetch(one)
    folder = one.path.parent
    assert str(raised.value) == (
        f"There is no connection to {host}. Download {url} elsewhere and put it as data.bin into {folder}."
    )


def test_a_server_that_never_answers(download: Make, file_server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", (0.2, 0.2))
    file_server.pause = threading.Event()
    with pytest.raises(UserError, match=r"broke off after \d\.0 MB of “Data”, which are kept"):
        fetch(download())
    file_server.pause.set()
    fetch(download())
    assert download().path.read_bytes() == CONTENT


def test_a_disk_that_is_too_small_is_told_before(download: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=1000))
    with pytest.raises(UserError, match=r"The disk is too full for “Data”\. Make room in .*deep and start it again"):
        fetch(download())


def test_a_disk_that_fills_up_keeps_what_was_loaded(download: Make, file_server: FileServer) -> None:
    """In a process of its own, whose files may have a million bytes and no more."""
    script = """
        import resource, sys
        from pathlib import Path
        from nap_core.storage.downloads import Download, fetch, transfer
        from nap_core.errors import UserError
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        try:
            fetch(Download(sys.argv[1], Path(sys.argv[2]), "Data"))
        except UserError as error:
            print(error)
    """
    one = download()
    command = [sys.executable, "-c", textwrap.dedent(script), one.url, str(one.path)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.startswith("The disk is too full for “Data”. 1.0 MB of it are kept. Make room in"), done.stderr
    assert one.path.with_name("data.bin.part").stat().st_size == 1_000_000
    fetch(one)
    assert file_server.requests == [None, "bytes=1000000-"]
    assert one.path.read_bytes() == CONTENT


def test_a_folder_that_may_not_be_written(download: Make, tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"“Data” cannot be written into .*deep"):
        fetch(download())


def test_two_at_once_load_it_once(download: Make, file_server: FileServer) -> None:
    file_server.pause = threading.Event()
    one, waited = download(), threading.Event()

    def second() -> Path:
        return fetch(one, RunCallbacks(lambda _now: waited.set()))

    with ThreadPoolExecutor(2) as pool:
        began = threading.Event()
        first = pool.submit(fetch, one, RunCallbacks(lambda now: began.set() if now.done else None))
        assert began.wait(30)
        other = pool.submit(second)
        assert waited.wait(30)
        file_server.pause.set()
        assert first.result(30) == other.result(30) == one.path
    assert file_server.requests == [None]
    assert one.path.read_bytes() == CONTENT


def test_who_waits_for_another_can_be_stopped(download: Make, file_server: FileServer) -> None:
    file_server.pause = threading.Event()
    one, began = download(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(fetch, one, RunCallbacks(lambda now: began.set() if now.done else None))
        assert began.wait(30)
        with pytest.raises(ExtractionStopped):
            fetch(one, RunCallbacks(should_stop=lambda: True))
        file_server.pause.set()
        first.result(30)


def test_what_asks_a_person_to_agree_is_not_fetched(download: Make, file_server: FileServer) -> None:
    with pytest.raises(UserError, match=r"agree to its terms: get it from http.* and put it as data.bin into .*deep"):
        fetch(download(by_hand=True))
    assert file_server.requests == []
