"""The transfer of a file: resumed where it was cut, checked, then renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import requests
from filelock import FileLock, Timeout
from urllib3.exceptions import HTTPError

from nap_core.errors import UserError
from nap_core.storage import byte_size
from nap_core.storage.downloads import faults
from nap_core.storage.downloads.part import Noted, discard, note_of, part_of, size_of
from nap_core.storage.downloads.record import Download
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and between two pieces of a file."""
ATTEMPTS = 3
"""How often a transfer that was cut is taken up again before that is left to the user."""
PAUSE = 1.0
"""Seconds before it is taken up again."""
_CHUNK = 2**20
_LOCK_POLL = 0.2


def fetch(download: Download, callbacks: RunCallbacks = NO_CALLBACKS) -> Path:
    """Load the file, unless it is there; its place.

    A transfer that was cut or stopped goes on where it was, in this call or a later one, as long as the server says
    that the file is still the same; else it starts over. Every piece is reported, in bytes and bytes per second. A
    transfer of the same file elsewhere goes first.

    Raises ExtractionStopped on request, and UserError for everything that keeps the file from being
    loaded; except for a wrong checksum or size, after which nothing is left, what was loaded is kept.
    """
    if download.present:
        return download.path
    if download.by_hand:
        raise UserError(f"“{download.title}” is given only to people who agree to its terms: {download.instruction}.")
    meter = _Meter(download, callbacks)
    with _locked(download, meter):
        if not download.present:
            _load(download, meter)
            _check(download, meter)
            _settle(download)
    return download.path


class _Meter:
    """Reports how far the transfer is, and ends it on request."""

    def __init__(self, download: Download, callbacks: RunCallbacks) -> None:
        self._title, self._callbacks = download.title, callbacks
        self._began, self._start = time.monotonic(), size_of(part_of(download))
        self.total = download.size or 0

    def at(self, done: int) -> None:
        """``done`` bytes are there. Raises ExtractionStopped."""
        # What lay ready when it began says nothing of the connection: the first half second counts in full.
        speed = max(0, done - self._start) / max(time.monotonic() - self._began, 0.5)
        self._callbacks.report(self._title, done, self.total, speed, "bytes")
        self.pause()

    def start(self, done: int) -> None:
        """The transfer begins with ``done`` bytes, from which its speed is counted."""
        self._began, self._start = time.monotonic(), done

    def pause(self, seconds: float = 0.0) -> None:
        """Wait. Raises ExtractionStopped."""
        until = time.monotonic() + seconds
        while True:
            self._callbacks.raise_if_stopped()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _LOCK_POLL))


@contextmanager
def _locked(download: Download, meter: _Meter) -> Iterator[None]:
    """The right to write the part; others, in this process and elsewhere, wait for it."""
    path = download.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"), thread_local=False)
        while True:
            try:
                lock.acquire(timeout=_LOCK_POLL)
                break
            except Timeout:
                meter.at(size_of(part_of(download)))
    except OSError as error:
        raise faults.unwritable(download, error) from error
    try:
        yield
    finally:
        lock.release()


def _load(download: Download, meter: _Meter) -> None:
    """Bring the part to its full length. A cut is taken up again, and counts only while nothing more comes through."""
    failures = 0
    while True:
        before = size_of(part_of(download))
        try:
            _transfer(download, meter)
            return
        except (requests.ConnectionError, requests.Timeout, HTTPError) as error:
            have = size_of(part_of(download))
            failures = 1 if have > before else failures + 1
            if not have:
                raise faults.unreachable(download, error) from error
            if failures >= ATTEMPTS:
                raise UserError(
                    f"The connection to {download.host} broke off after {byte_size.in_words(have)} of "
                    f"“{download.title}”, which are kept: start it again to go on, or {download.instruction}."
                ) from error
        except requests.RequestException as error:
            raise UserError(
                f"“{download.title}” cannot be loaded from {download.host} ({type(error).__name__}): "
                f"{download.instruction}."
            ) from error
        meter.pause(PAUSE)


def _transfer(download: Download, meter: _Meter) -> None:
    """One request: the rest of the part where the server has the same file still, else all of it."""
    part = part_of(download)
    noted = Noted.read(download)
    have = size_of(part) if noted.resumable(download) else 0
    if have and have == noted.total:
        return
    # Identity: some servers call a .tar.gz gzip-encoded, and what is asked for is the file, not what is in it.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if noted.validator:
            headers["If-Range"] = noted.validator
    with requests.get(download.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        status, total = response.status_code, _total(response)
        if have and status == HTTPStatus.PARTIAL_CONTENT and _continues(response, have, noted):
            meter.start(have)
        elif have and status in (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            if total != have:  # it is another file by now: all of it, by a request without a range
                discard(download)
                _transfer(download, meter)
            return
        elif status == HTTPStatus.OK:
            have = 0
            meter.start(0)
            Noted(download.url, _validator(response), total).write(download)
        else:
            raise faults.refused(download, response)
        meter.total = total or download.size or 0
        _check_announced(download, response, total)
        _write(download, response, have, meter)
        if total and size_of(part) < total:
            raise requests.ConnectionError("the answer ended early")


def _write(download: Download, response: requests.Response, have: int, meter: _Meter) -> None:
    part = part_of(download)
    try:
        if meter.total and shutil.disk_usage(part.parent).free < meter.total - have:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        # Unbuffered: what has been written is what the file holds, whatever ends this.
        with part.open("r+b" if have else "wb", buffering=0) as file:
            file.seek(have)
            meter.at(have)
            while chunk := response.raw.read1(_CHUNK, decode_content=False):
                rest = memoryview(chunk)
                while rest:
                    count = file.write(rest)
                    rest, have = rest[count:], have + count
                meter.at(have)
            os.fsync(file.fileno())
    except OSError as error:
        raise faults.unwritable(download, error, size_of(part)) from error


def _check(download: Download, meter: _Meter) -> None:
    """Raise UserError, and remove the part, where it is not the file that was published."""
    part = part_of(download)
    if download.checksum:
        kind, _, expected = download.checksum.lower().partition(":")
        hasher = hashlib.md5(usedforsecurity=False) if kind == "md5" else hashlib.sha256()
        with part.open("rb") as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
                meter.pause()
        found = hasher.hexdigest()
        right = found.startswith(expected) if kind == "sha256-prefix" else found == expected
        fault = f"it has the {kind.removesuffix('-prefix')} {found[: len(expected)]} in place of {expected}"
    else:
        right = download.size is None or size_of(part) == download.size
        fault = f"it has {size_of(part):,} bytes in place of {download.size:,}" if download.size is not None else ""
    if not right:
        discard(download)
        raise UserError(
            f"What {download.host} sent is not the published “{download.title}”: {fault}. It was removed; try again, "
            f"or {download.instruction}."
        )


def _settle(download: Download) -> None:
    try:
        os.replace(part_of(download), download.path)
        note_of(download).unlink(missing_ok=True)
    except OSError as error:
        raise faults.unwritable(download, error) from error


def _validator(response: requests.Response) -> str:
    """What tells this version of the file from others: a strong ETag, else the time of its last change."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _total(response: requests.Response) -> int:
    """The length of the whole file, 0 where the answer does not tell it."""
    announced = response.headers.get("Content-Range", "").rpartition("/")[2]
    if response.status_code == HTTPStatus.OK:
        announced = response.headers.get("Content-Length", "")
    return int(announced) if announced.isdigit() else 0


def _continues(response: requests.Response, have: int, noted: Noted) -> bool:
    """Whether a partial answer is the rest that was asked for, of the file that it was."""
    same = not noted.total or _total(response) in (0, noted.total)
    return same and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _check_announced(download: Download, response: requests.Response, total: int) -> None:
    """Raise UserError at once for an answer that cannot be the file, before gigabytes of it are loaded."""
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/html") and download.path.suffix.lower() not in (".html", ".htm"):
        raise UserError(
            f"{download.host} answers with a web page in place of “{download.title}”: look at {download.url} in a "
            f"browser, and put the file as {download.path.name} into {download.path.parent}."
        )
    if total and not download.checksum and download.size not in (None, total):
        discard(download)
        raise UserError(
            f"{download.host} has another file in place of “{download.title}”: {total:,} bytes, not "
            f"{download.size:,}. Look for the published one, and put it as {download.path.name} into "
            f"{download.path.parent}."
        )
