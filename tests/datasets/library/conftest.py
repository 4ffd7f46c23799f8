"""A library of small datasets: archives in the layout of the originals, on a server of this machine."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core.datasets.library import records
from tests.file_server import FileServer

Publish = Callable[[str, Mapping[str, bytes]], None]


def picture(colour: str | tuple[int, int, int] = "red", kind: str = "PNG", size: tuple[int, int] = (8, 6)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], compressed: bool = True) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    # Without the time: the same files are the same archive.
    return gzip.compress(buffer.getvalue(), mtime=0) if compressed else buffer.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def noise(count: int, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this test's library, empty."""
    monkeypatch.setenv("NAP_DATASETS", str(tmp_path / "library"))
    return tmp_path / "library"


@pytest.fixture
def publish(library: Path, file_server: FileServer, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """``publish("svhn-test", {"test_32x32.mat": …})``: small files in place of the published ones, with their MD5."""

    def publish(name: str, files: Mapping[str, bytes]) -> None:
        entry = records.ENTRIES[name]
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
        monkeypatch.setitem(records.ENTRIES, name, replace(entry, files=small))

    return publish
