"""Downloads one file: resumes after a broken connection, checks, renames."""

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
from nap_core.storage.downloads.part import PartMetadata, discard, note_of, part_of, size_of
from nap_core.storage.downloads.record import Download
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and between two chunks of a file."""
ATTEMPTS = 3
"""Attempts without new data before the download fails."""
PAUSE = 1.0
"""Seconds between two attempts."""
_CHUNK = 2**20
_LOCK_POLL = 0.2


def fetch(download: Download, callbacks: RunCallbacks = NO_CALLBACKS) -> Path:
    """Download a file, unless it exists.

    A broken or cancelled download resumes, in this call or a later one, if the server's version is unchanged. While
    another thread or process downloads the same file, the call blocks.

    Args:
        download: the file.
        callbacks: progress in bytes and bytes per second after each chunk, and cancellation between two.

    Returns:
        The file's path.

    Raises:
        ExtractionStopped: the call was cancelled.
        UserError: the download failed. What was loaded is kept, except after a wrong checksum or size.
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
            _commit(download)
    return download.path


class _Meter:
    """Reports the progress of one download, and ends it on request."""

    def __init__(self, download: Download, callbacks: RunCallbacks) -> None:
        self._title, self._callbacks = download.title, callbacks
        self._began, self._start = time.monotonic(), size_of(part_of(download))
        self.total = download.size or 0

    def at(self, done: int) -> None:
        """Report ``done`` bytes. Raises ExtractionStopped."""
        # At least half a second: data that was buffered at the start is no measure of the connection.
        speed = max(0, done - self._start) / max(time.monotonic() - self._began, 0.5)
        self._callbacks.report(self._title, done, self.total, speed, "bytes")
        self.pause()

    def start(self, done: int) -> None:
        """Start measuring the speed, with ``done`` bytes loaded before."""
        self._began, self._start = time.monotonic(), done

    def pause(self, seconds: float = 0.0) -> None:
        """Sleep. Raises ExtractionStopped."""
        until = time.monotonic() + seconds
        while True:
            self._callbacks.raise_if_stopped()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _LOCK_POLL))


@contextmanager
def _locked(download: Download, meter: _Meter) -> Iterator[None]:
    """Hold the lock on the partial file, against other threads and processes."""
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
    """Complete the partial file. Broken connections are retried; only attempts without new data count."""
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
    """One request: the rest of the partial file if the server's version is unchanged, else the whole file."""
    part = part_of(download)
    metadata = PartMetadata.read(download)
    have = size_of(part) if metadata.resumable(download) else 0
    if have and have == metadata.total:
        return
    # Identity: some servers declare a .tar.gz as gzip-encoded, and it must not be decompressed.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if metadata.validator:
            headers["If-Range"] = metadata.validator
    with requests.get(download.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        status, total = response.status_code, _total(response)
        if have and status == HTTPStatus.PARTIAL_CONTENT and _continues(response, have, metadata):
            meter.start(have)
        elif have and status in (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            if total != have:  # the file has changed: request it without a range
                discard(download)
                _transfer(download, meter)
            return
        elif status == HTTPStatus.OK:
            have = 0
            meter.start(0)
            PartMetadata(download.url, _validator(response), total).write(download)
        else:
            raise faults.refused(download, response)
        meter.total = total or download.size or 0
        _check_announced(download, response, total)
        _write(download, response, have, meter)
        if total and size_of(part) < total:
            raise requests.ConnectionError("the response ended early")


def _write(download: Download, response: requests.Response, have: int, meter: _Meter) -> None:
    part = part_of(download)
    try:
        if meter.total and shutil.disk_usage(part.parent).free < meter.total - have:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        # Unbuffered: after a kill the file contains everything that was written.
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
    """Raise UserError and delete the partial file if it is not the published file."""
    part = part_of(download)
    if download.checksum:
        kind, _, expected = download.checksum.lower().partition(":")
        hasher = hashlib.md5(usedforsecurity=False) if kind == "md5" else hashlib.sha256()
        with part.open("rb") as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
                meter.pause()
        digest = hasher.hexdigest()
        right = digest.startswith(expected) if kind == "sha256-prefix" else digest == expected
        fault = f"it has the {kind.removesuffix('-prefix')} {digest[: len(expected)]} in place of {expected}"
    else:
        right = download.size is None or size_of(part) == download.size
        fault = f"it has {size_of(part):,} bytes in place of {download.size:,}" if download.size is not None else ""
    if not right:
        discard(download)
        raise UserError(
            f"What {download.host} sent is not the published “{download.title}”: {fault}. It was removed; try again, "
            f"or {download.instruction}."
        )


def _commit(download: Download) -> None:
    try:
        os.replace(part_of(download), download.path)
        note_of(download).unlink(missing_ok=True)
    except OSError as error:
        raise faults.unwritable(download, error) from error


def _validator(response: requests.Response) -> str:
    """The identifier of the file's version: a strong ETag, else Last-Modified."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _total(response: requests.Response) -> int:
    """The length of the whole file, 0 if it was not announced."""
    announced = response.headers.get("Content-Range", "").rpartition("/")[2]
    if response.status_code == HTTPStatus.OK:
        announced = response.headers.get("Content-Length", "")
    return int(announced) if announced.isdigit() else 0


def _continues(response: requests.Response, have: int, metadata: PartMetadata) -> bool:
    """Whether a partial response is the requested rest of the same file."""
    same_length = not metadata.total or _total(response) in (0, metadata.total)
    return same_length and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _check_announced(download: Download, response: requests.Response, total: int) -> None:
    """Raise UserError for a response that cannot be the file, before it is loaded."""
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/html") and download.path.suffix.lower() not in (".html", ".htm"):
        raise UserError(
            f"{download.host} returns a web page in place of “{download.title}”: look at {download.url} in a "
            f"browser, and put the file as {download.path.name} into {download.path.parent}."
        )
    if total and not download.checksum and download.size not in (None, total):
        discard(download)
        raise UserError(
            f"{download.host} has another file in place of “{download.title}”: {total:,} bytes, not "
            f"{download.size:,}. Look for the published one, and put it as {download.path.name} into "
            f"{download.path.parent}."
        )
