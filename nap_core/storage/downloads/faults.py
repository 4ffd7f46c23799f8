"""Error messages of downloads."""

from __future__ import annotations

import errno
from http import HTTPStatus

import requests

from nap_core.errors import UserError
from nap_core.storage import byte_size
from nap_core.storage.downloads.record import Download

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def refused(download: Download, response: requests.Response) -> UserError:
    """The server returned an error status."""
    status = response.status_code
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return UserError(
            f"“{download.title}” is no longer at {download.url} ({status}). Look for {download.path.name} elsewhere "
            f"and put it into {download.path.parent}."
        )
    reply = f"{status} {response.reason or ''}".strip()
    return UserError(
        f"{download.host} does not send “{download.title}” now ({reply}): try again later, or {download.instruction}."
    )


def unreachable(download: Download, error: Exception) -> UserError:
    """The server cannot be reached."""
    instruction = download.instruction[0].upper() + download.instruction[1:]
    if isinstance(error, requests.exceptions.SSLError):
        return UserError(f"{download.host} cannot prove that it is {download.host} (TLS). {instruction}.")
    return UserError(f"There is no connection to {download.host}. {instruction}.")


def unwritable(download: Download, error: OSError, have: int = 0) -> UserError:
    """The file cannot be written; ``have`` bytes of it are stored."""
    folder = download.path.parent
    if error.errno in FULL:
        stored = f" {byte_size.in_words(have)} of it are kept." if have else ""
        return UserError(
            f"The disk is too full for “{download.title}”.{stored} Make room in {folder} and start it again."
        )
    return UserError(
        f"“{download.title}” cannot be written into {folder} ({error.strerror or error}). Check its permissions."
    )
