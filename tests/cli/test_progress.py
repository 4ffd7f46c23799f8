"""A bar on a terminal, a line now and then elsewhere, nothing when told to be quiet."""

import io

import pytest

from nap_core.cli import progress
from nap_core.cli.progress import Meter
from nap_core.storage.progress import Progress
from tests.sentences import Says


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def at(done: int) -> Progress:
    return Progress("Mine", done, 1000, 250.0, (1000 - done) / 250)


def test_lines_come_seconds_apart(clock: list[float]) -> None:
    stream = io.StringIO()
    with Meter(stream=stream) as meter:
        for step in range(100):
            meter(at(10 * step))
            clock[0] += 0.2
    found = stream.getvalue().splitlines()
    assert found[0] == "Mine: 0 of 1,000 · 250 images/s, 4 s left"
    assert len(found) == 4
    assert "\r" not in stream.getvalue()


def test_a_bar_stays_on_its_line_and_is_taken_away(clock: list[float]) -> None:
    stream = Terminal()
    with Meter(stream=stream) as meter:
        for step in range(11):
            meter(at(100 * step))
            clock[0] += 0.2
    drawn = stream.getvalue().split("\r")
    assert "\n" not in stream.getvalue()
    assert drawn[1].startswith("Mine ░░")
    assert "500 of 1,000 · 250 images/s, 2 s left" in drawn[6]
    assert drawn[6].count("█") == drawn[6].count("░") == 12
    assert drawn[-1] == "\x1b[K"


def test_a_bar_never_wraps(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    Meter(stream=stream)(at(500))
    assert len(stream.getvalue().strip("\r").removesuffix("\x1b[K")) == 29


def test_a_quiet_meter_says_nothing(clock: list[float]) -> None:
    for stream in (io.StringIO(), Terminal()):
        with Meter(quiet=True, stream=stream) as meter:
            meter(at(500))
            meter.reading("folder")(3, 10)
        assert stream.getvalue() == ""


def test_files_of_a_folder_are_counted(clock: list[float]) -> None:
    stream = io.StringIO()
    Meter(stream=stream).reading("pictures")(3, 10)
    assert stream.getvalue() == "reading pictures: 3 of 10\n"


def test_downloads_are_counted_in_megabytes(clock: list[float], says: Says) -> None:
    stream = io.StringIO()
    meter = Meter(stream=stream)
    meter(Progress("SVHN", 12_000_000, 64_275_384, 5.2e6, 10.0, "bytes"))
    clock[0] += 10
    meter(Progress("SVHN", 12_000_000, 0, 5.2e6, 0.0, "bytes"))
    clock[0] += 10
    meter(Progress("DTD", 400_000, 625_239_812, 3e7, 21.0, "packed bytes"))
    known, unknown, unpacked = stream.getvalue().splitlines()
    says(known, "SVHN 12 MB 64 MB 5.2 MB/s 10 s")
    says(unknown, "SVHN 12 MB 5.2 MB/s")
    says(unpacked, "DTD 400 kB 625 MB 30.0 MB/s 21 s")
    drawn = Terminal()
    Meter(stream=drawn)(Progress("SVHN", 12_000_000, 0, 5.2e6, 0.0, "bytes"))
    assert "░" * 24 in drawn.getvalue()


@pytest.mark.parametrize(("seconds", "said"), [(3.4, "3 s"), (119, "2 min"), (5400, "1.5 h")])
def test_time_left_in_words(clock: list[float], seconds: float, said: str) -> None:
    stream = io.StringIO()
    Meter(stream=stream)(Progress("Mine", 1, 2, 1.0, seconds))
    assert stream.getvalue().endswith(f" {said} left\n")
