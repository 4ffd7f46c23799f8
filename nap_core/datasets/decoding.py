"""Encoded bytes → an upright RGB image, or a UserError."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nap_core.datasets.images import Pixels
from nap_core.datasets.windows import Family, ValueRange, Window, family_of
from nap_core.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
"""The only formats that Pillow may try on untrusted files; it also reads PostScript, fonts and others."""
SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".avif"}
)
READABLE = "PNG, JPEG, WebP, GIF, BMP, TIFF, PPM, JPEG 2000 and AVIF files can be read."
MAX_PIXELS = 120_000_000
"""Photographs of current phones have up to 108 million pixels."""
MAX_RATIO = 30
"""Limit of long to short side. Preprocessing enlarges the short side, so 1 × 10,000,000 pixels would take gigabytes."""
Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow warns above this and refuses above twice as many

_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
"""Pillow's modes of more than 8 bits, all of them grey."""
_SHORTENED = "nap-shortened"

_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# Exceptions of Pillow's readers on damaged content, in addition to OSError.
DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)


@dataclass(frozen=True)
class Examined:
    """What an image file holds.

    Attributes:
        pixels: (H, W, 3) uint8; None where more than 8 bits of grey have still to become 8.
        values: the range of grey of more than 8 bits; None for other images.
        shortened: whether only the upper 8 of 16 bits of a colour were read, which is all that Pillow reads.
    """

    pixels: Pixels | None
    values: ValueRange | None = None
    shortened: bool = False


def decode(data: bytes, name: str, windows: Mapping[Family, Window] | None = None) -> Image.Image:
    """Decode an image as a viewer shows it: first frame, EXIF orientation applied, RGB.

    Transparent pixels are blended with white. Grey of more than 8 bits becomes 8 by one of the ``windows`` of its
    dataset, whole numbers and floats apart. Without a window, 16 bits are scaled as a whole; 32 bits, which have no
    defined white, are stretched from their minimum to their maximum. Raises UserError, with the file's ``name``, for
    empty, damaged or incomplete files and other formats, and, before a pixel is decoded, for more than ``MAX_PIXELS``
    pixels or an aspect ratio above ``MAX_RATIO``.
    """
    with _loaded(data, name) as picture:
        return _rgb(picture, windows or {})


def examine(data: bytes, name: str) -> Examined:
    """The pixels of an image, or the range of its values where they have more than 8 bits; raises as ``decode``."""
    with _loaded(data, name) as picture:
        if picture.mode in _DEEP:
            values = np.asarray(picture)
            finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
            low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
            return Examined(None, ValueRange(family_of(values.dtype), low, high))
        return Examined(np.asarray(_rgb(picture, {})), shortened=bool(picture.info.get(_SHORTENED)))


@contextmanager
def _loaded(data: bytes, name: str) -> Iterator[Image.Image]:
    """The decoded, upright image; exceptions of the readers become a UserError."""
    if not data:
        raise UserError(f"“{name}” is empty (0 bytes). Save or export the picture again and take the new file.")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise UserError(
                    f"“{name}” has {width:,} × {height:,} pixels; pictures up to "
                    f"{MAX_PIXELS // 1_000_000} million pixels can be taken. Scale it down first."
                )
            if max(width, height) > MAX_RATIO * min(width, height):
                raise UserError(
                    f"“{name}” has {width:,} × {height:,} pixels, more than {MAX_RATIO} times as long as wide. "
                    "Cut out the part you mean."
                )
            shortened = picture.mode != "L" and any("16" in str(tile[3]) for tile in picture.tile)
            picture.load()
            upright = _upright(picture)
            upright.info[_SHORTENED] = shortened
            yield upright
    except UnidentifiedImageError:
        raise UserError(f"“{name}” is not a picture. {READABLE}") from None
    except (*_TOO_LARGE, MemoryError):
        raise UserError(
            f"“{name}” is too large: pictures up to {MAX_PIXELS // 1_000_000} million pixels can be taken. "
            "Scale it down first."
        ) from None
    except DAMAGED:
        raise UserError(f"“{name}” is damaged or incomplete and cannot be read. Copy or export it again.") from None


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except DAMAGED:  # a damaged EXIF block does not affect the pixels
        return picture


def _rgb(picture: Image.Image, windows: Mapping[Family, Window]) -> Image.Image:
    if picture.mode in _DEEP:
        return Image.fromarray(_eight_bits(picture, windows)).convert("RGB")
    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", opaque.size, "white"), opaque).convert("RGB")
    return picture.convert("RGB")


def _eight_bits(picture: Image.Image, windows: Mapping[Family, Window]) -> Pixels:
    """Grey of more than 8 bits in 8, (H, W)."""
    values = np.asarray(picture)
    window = windows.get(family_of(values.dtype))
    if window:
        if values.dtype.kind == "f":
            values = np.nan_to_num(values, nan=window.low, posinf=window.high, neginf=window.low)
        return window.apply(values)
    if picture.mode.startswith("I;16"):
        return Window(0, 65535).apply(values)
    # In place: a copy of the largest accepted image takes a gigabyte.
    stretched = np.nan_to_num(values.astype(np.float64), copy=False)
    low, high = stretched.min(), stretched.max()
    stretched -= low
    stretched *= 255 / (high - low) if high > low else 0
    return np.rint(stretched, out=stretched).astype(np.uint8)
