"""Durable writing and cheap validation of arrays and folders on disk."""

from __future__ import annotations

import errno
import hashlib
import io
import math
import os
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Content = Iterable[bytes | memoryview]
"""The content of a file, piece by piece."""
_T = TypeVar("_T")


@lru_cache(maxsize=256)
def header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """The first bytes of the .npy file of such an array in C order."""
    first = io.BytesIO()
    np.lib.format.write_array_header_1_0(first, {"descr": dtype, "fortran_order": False, "shape": shape})
    return first.getvalue()


def file_size(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of the .npy file of such an array."""
    return len(header(dtype, shape)) + np.dtype(dtype).itemsize * math.prod(shape)


def array_content(array: NDArray[Any]) -> Content:
    """The content of the .npy file of an array in C order."""
    return header(array.dtype.str, array.shape), array.reshape(-1).view(np.uint8).data


def write_file(path: Path, parts: Content) -> str:
    """Write a new file and flush it to disk; returns the sha256 (hex) of the given content."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def is_whole(path: Path, dtype: str, shape: tuple[int, ...]) -> bool:
    """Whether the file has the size and header of such an array; False if it is missing."""
    first = header(dtype, shape)
    try:
        with path.open("rb") as file:
            # Compared instead of parsed: a parser can raise almost any exception on a damaged header.
            return os.fstat(file.fileno()).st_size == file_size(dtype, shape) and file.read(len(first)) == first
    except (FileNotFoundError, NotADirectoryError):
        return False


def map_array(path: Path, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """The array of a whole file, memory-mapped and read-only."""
    return np.memmap(path, dtype, mode="r", offset=len(header(dtype, shape)), shape=shape)


def has_sha256(path: Path, sha256: str) -> bool:
    """Whether the file can be read and has this checksum."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def sync_folder(path: Path) -> None:
    """Flush the names in a folder to disk, so that they survive a power cut (not supported by Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems
            raise
    finally:
        os.close(descriptor)


def patiently(action: Callable[[], _T]) -> _T:
    """The result of ``action``, tried again for a second on Windows.

    There a file can be neither opened, replaced nor renamed in the moment another process (or a virus scanner) has it.
    """
    for pause in (0.01, 0.04, 0.15, 0.3, 0.5) if os.name == "nt" else ():
        try:
            return action()
        except PermissionError:
            time.sleep(pause)
    return action()


def folder_size(path: Path) -> int:
    """Bytes of all files below a folder; 0 if it is missing. Files that are deleted meanwhile are skipped."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total
