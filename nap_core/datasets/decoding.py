"""Bytes that somebody says are an image → an upright RGB picture, or one sentence on why not."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nap_core.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Named to Pillow so that nothing else of what it reads (PostScript, fonts, …) is ever tried on a stranger's file."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
MAXIMUM_PIXELS = 120_000_000
"""The photographs of today's phones have up to 108 million."""
MAXIMUM_RATIO = 30
"""Of the long side to the short one. Networks scale the short side up to theirs, so a hair of 1 × 10,000,000 pixels
would take gigabytes to show its middle."""
Image.MAX_IMAGE_PIXELS = MAXIMUM_PIXELS  # from where Pillow itself warns; it refuses twice as many

_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# What Pillow's readers are known to raise on damaged content, beside OSError.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)


def decode(data: bytes, name: str) -> Image.Image:
    """The picture in ``data``, as a viewer shows it: first frame, EXIF orientation applied, RGB.

    Transparency lies on white; 16-bit grey is scaled to 8 bits; 32-bit grey, which has no natural white, is stretched
    from its minimum to its maximum. Raises UserError, naming the file ``name``, for empty, foreign, damaged or
    incomplete files and, before a pixel is decoded, for pictures of more than ``MAXIMUM_PIXELS`` pixels or with sides
    of more than ``MAXIMUM_RATIO``.
    """
    if not data:
        raise UserError(f"“{name}” is empty (0 bytes). Save or export the picture again and take the new file.")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAXIMUM_PIXELS:
                raise UserError(
                    f"“{name}” has {width:,} × {height:,} pixels; pictures up to "
                    f"{MAXIMUM_PIXELS // 1_000_000} million pixels can be taken. Scale it down first."
                )
            if max(width, height) > MAXIMUM_RATIO * min(width, height):
                raise UserError(
                    f"“{name}” has {width:,} × {height:,} pixels, more than {MAXIMUM_RATIO} times as long as wide. "
                    "Cut out the part you mean."
                )
            picture.load()
            return _rgb(_upright(picture))
    except UnidentifiedImageError:
        raise UserError(f"“{name}” is not a picture. PNG, JPEG, WebP, GIF, BMP and TIFF files can be read.") from None
    except (*_TOO_LARGE, MemoryError):
        raise UserError(
            f"“{name}” is too large: pictures up to {MAXIMUM_PIXELS // 1_000_000} million pixels can be taken. "
            "Scale it down first."
        ) from None
    except _DAMAGED:
        raise UserError(f"“{name}” is damaged or incomplete and cannot be read. Copy or export it again.") from None


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except _DAMAGED:  # a broken EXIF block says nothing about the picture itself
        return picture


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        grey = np.asarray(picture).astype(np.uint32)
        return Image.fromarray(((grey * 255 + 32767) // 65535).astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        # In place: a copy of the largest picture that is taken has a gigabyte.
        values = np.nan_to_num(np.array(picture, dtype=np.float64), copy=False)
        low, high = values.min(), values.max()
        values -= low
        values *= 255 / (high - low) if high > low else 0
        return Image.fromarray(np.rint(values, out=values).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", opaque.size, "white"), opaque).convert("RGB")
    return picture.convert("RGB")
