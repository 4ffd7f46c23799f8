"""Bundled datasets: one lossless WebP contact sheet and one JSON file each.

The tiles of a sheet are in order of presentation, row by row. The JSON file contains labels and fingerprint; the sheet
is decoded once, when the first image is read.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nap_core.datasets.images import BaseImages, Pixels
from nap_core.errors import UserError
from nap_core.storage.bundled_assets import ASSETS


@dataclass(frozen=True, eq=False)
class SheetImages(BaseImages):
    """The images of one contact sheet; made by ``open_sheet``. Several threads may use one object."""

    path: Path
    tile: tuple[int, int]
    columns: int
    pixels_sha256: str
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _decoded: list[Pixels] = field(default_factory=list, repr=False, compare=False)

    def image(self, index: int) -> Image.Image:
        return Image.fromarray(self.pixels[index]).convert("RGB")

    @property
    def pixels(self) -> Pixels:
        """All images, (N, H, W) grey or (N, H, W, 3) RGB uint8, read-only.

        Raises UserError when the sheet is missing, unreadable or does not match the JSON file.
        """
        with self._lock:
            if not self._decoded:
                self._decoded.append(self._decode())
            return self._decoded[0]

    def _decode(self) -> Pixels:
        try:
            with Image.open(self.path, formats=("WEBP",)) as sheet:
                tiles = split(np.asarray(sheet.convert("RGB")), self.tile, self.columns, len(self))
        except (OSError, ValueError) as error:
            raise UserError(f"The bundled images {self.path.name} cannot be read ({error}). {_FETCH_AGAIN}") from error
        for pixels in (tiles, tiles[..., 0]):  # WebP has no grey mode: a grey sheet is decoded as three equal channels
            pixels = np.ascontiguousarray(pixels)
            if hashlib.sha256(pixels.data).hexdigest() == self.pixels_sha256:
                pixels.setflags(write=False)
                return pixels
        raise UserError(f"The bundled images {self.path.name} are not those this version expects. {_FETCH_AGAIN}")


_FETCH_AGAIN = "Get the folder assets/datasets again from the repository."


def open_sheet(name: str, title: str, folder: Path = ASSETS / "datasets") -> SheetImages:
    """The dataset ``name`` of ``folder``. Raises UserError when its JSON file is missing or invalid."""
    path = folder / f"{name}.json"
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        labels = np.asarray(about["labels"], dtype=np.int64)
        labels.setflags(write=False)
        return SheetImages(
            name=name,
            title=title,
            stated_fingerprint=about["fingerprint"],
            classes=tuple(about["classes"]),
            labels=labels,
            path=folder / f"{name}.webp",
            tile=(about["tile"][0], about["tile"][1]),
            columns=about["columns"],
            pixels_sha256=about["pixels_sha256"],
            digits_are_names=True,
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(f"The description {path.name} of bundled images cannot be read. {_FETCH_AGAIN}") from error


def arrange(tiles: Pixels, columns: int) -> Pixels:
    """(N, H, W, …) tiles → one sheet of ``columns`` tiles a row; the rest of the last row is black."""
    rows = -(-len(tiles) // columns)
    height, width = tiles.shape[1:3]
    filled = np.zeros((rows * columns, *tiles.shape[1:]), dtype=np.uint8)
    filled[: len(tiles)] = tiles
    grid = filled.reshape(rows, columns, *tiles.shape[1:])
    return np.ascontiguousarray(grid.swapaxes(1, 2)).reshape(rows * height, columns * width, *tiles.shape[3:])


def split(sheet: Pixels, tile: tuple[int, int], columns: int, count: int) -> Pixels:
    """The first ``count`` tiles of an RGB sheet, (count, H, W, 3): the inverse of ``arrange``.

    Raises ValueError when the sheet has another size.
    """
    height, width = tile
    rows = -(-count // columns)
    if sheet.shape != (rows * height, columns * width, 3):
        raise ValueError(f"it has {sheet.shape[1]} × {sheet.shape[0]} pixels")
    grid = sheet.reshape(rows, height, columns, width, 3).swapaxes(1, 2)
    return grid.reshape(rows * columns, height, width, 3)[:count]
