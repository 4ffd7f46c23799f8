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
MAXIMUM_PIXELS = 50_000_000

_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# What Pillow's readers are known to raise on damaged content, beside OSError.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)


def decode(data: bytes, name: str) -> Image.Image:
    """The picture in ``data``, as a viewer shows it: first frame, EXIF orientation applied, RGB.

    Transparency lies on white; 16-bit grey is scaled to 8 bits; 32-bit grey, which has no natural white, is stretched
    from its minimum to its maximum. Raises UserError, naming the file ``name``, for empty, foreign, damaged or
    incomplete files and for pictures of more than ``MAXIMUM_PIXELS`` pixels (which are refused before decoding).
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
        values = np.nan_to_num(np.asarray(picture, dtype=np.float64))
        low, high = values.min(), values.max()
        stretched = (values - low) * (255 / (high - low)) if high > low else np.zeros_like(values)
        return Image.fromarray(np.rint(stretched).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", opaque.size, "white"), opaque).convert("RGB")
    return picture.convert("RGB")
