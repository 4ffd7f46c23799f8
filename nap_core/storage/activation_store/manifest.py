"""The key of a store entry and its manifest.json."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import metadata
from typing import Literal

import numpy as np

from nap_core.activations import Activations
from nap_core.storage.activation_store.disk import file_size

FORMAT = 1  # part of every digest: a new format uses new entries and never reads old files
SHARD_NAME = re.compile(r"\d{9,}-[0-9a-f]{8}")
_DTYPES = {"float32": "<f4", "float16": "<f2"}
_HALVED = ("maximum", "mean", "features")
"""The arrays stored in half precision. Variances would overflow float16. Logits are few, and methods like Energy need
their precision."""


@dataclass(frozen=True)
class StoreKey:
    """What determines activations: equal keys mean equal numbers, and any difference means another entry.

    Attributes:
        weights: sha256 of the network's weights.
        layer: description of the penultimate layer, ``str`` of the hook.
        transform: description of the preprocessing, ``Transform.describe()``.
        dataset: fingerprint of the images, their order and labels.
        dtype: type of maximum, mean and features; variance and logits are always float32, labels int64.

    Raises:
        ValueError: another dtype.
    """

    weights: str
    layer: str
    transform: str
    dataset: str
    dtype: Literal["float32", "float16"] = "float32"

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(_DTYPES)}, not {self.dtype!r}")

    @property
    def digest(self) -> str:
        """sha256 (hex) of the key's canonical JSON and the store's format."""
        canonical = json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Shard:
    """A folder of one .npy file per field: rows ``start`` to ``start + rows``, and the sha256 of each file."""

    name: str
    start: int
    rows: int
    sha256: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """The state of an entry: shards that it does not name do not exist.

    ``features`` is the width D of the stored head inputs (N, D), 0 if they are not stored.
    """

    key: StoreKey
    title: str
    channels: int
    classes: int
    shards: tuple[Shard, ...] = ()
    features: int = 0

    @classmethod
    def of(cls, key: StoreKey, title: str, activations: Activations) -> Manifest:
        """A manifest without shards for activations of these widths."""
        features = 0 if activations.features is None else int(activations.features.shape[1])
        return cls(key, title, activations.channels, int(activations.logits.shape[1]), features=features)

    @property
    def widths(self) -> str:
        """The widths that all shards share, as text."""
        features = f", {self.features} features" if self.features else ""
        return f"{self.channels} channels, {self.classes} logits{features}"

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays of each shard, in the order of Activations' fields."""
        every = (field.name for field in fields(Activations))
        return tuple(name for name in every if name != "features" or self.features)

    def layout(self, rows: int) -> Iterator[tuple[str, str, tuple[int, ...]]]:
        """Field, dtype and shape of each file of a shard of ``rows`` rows, in the order of ``names``."""
        widths = {"logits": self.classes, "features": self.features}
        for name in self.names:
            if name == "labels":
                yield name, "<i8", (rows,)
            else:
                dtype = _DTYPES[self.key.dtype if name in _HALVED else "float32"]
                yield name, dtype, (rows, widths.get(name, self.channels))

    def size(self, rows: int) -> int:
        """Exact number of bytes on disk of an entry of ``rows`` rows in one shard, including the manifest."""
        token = f"{0:09d}-{'0' * 8}"
        shard = Shard(token, 0, rows, dict.fromkeys(self.names, "0" * 64))
        manifest = len(replace(self, shards=(shard,)).to_json())
        return manifest + sum(file_size(dtype, shape) for _, dtype, shape in self.layout(rows))

    def to_json(self) -> bytes:
        """The content of manifest.json."""
        text = json.dumps({"format": FORMAT, **asdict(self), "written_with": _versions()}, indent=1, ensure_ascii=False)
        return text.encode(errors="backslashreplace")  # a folder's name may not be valid Unicode

    @classmethod
    def from_json(cls, text: bytes) -> Manifest | None:
        """Parse a manifest, up to the first shard that does not continue the one before; None for invalid content."""
        try:
            data = json.loads(text)
            widths = data["channels"], data["classes"], data.get("features", 0)
            manifest = cls(StoreKey(**data["key"]), data["title"], *widths[:2], features=widths[2])
            records = [Shard(**record) for record in data["shards"]]
            sound = data["format"] == FORMAT and isinstance(manifest.title, str)
            if not sound or not all(map(_is_count, widths)):
                return None
            shards: list[Shard] = []
            rows = 0
            for shard in records:
                follows = _is_count(shard.start) and shard.start == rows and _is_count(shard.rows) and shard.rows > 0
                if not follows or not SHARD_NAME.fullmatch(shard.name) or shard.sha256.keys() != set(manifest.names):
                    break
                shards.append(shard)
                rows += shard.rows
            return replace(manifest, shards=tuple(shards))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # all that wrong JSON can raise
            return None


@cache
def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    with suppress(metadata.PackageNotFoundError):  # from metadata: importing torch takes seconds
        versions["torch"] = metadata.version("torch")
    return versions


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0  # True is an int as well, and 3.0 equals 3
