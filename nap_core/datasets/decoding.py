"""Encoded bytes → an upright RGB image, or a UserError."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nap_core.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""The only formats that Pillow may try on untrusted files; it also reads PostScript, fonts and others."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
MAX_PIXELS = 120_000_000
"""Photographs of current phones have up to 108 million pixels."""
MAX_RATIO = 30
"""Limit of long to short side. Preprocessing enlarges the short side, so 1 × 10,000,000 pixels would take gigabytes."""
Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow warns above this and refuses above twice as many

_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# Exceptions of Pillow's readers on damaged content, in addition to OSError.
DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)


def decode(data: bytes, name: str) -> Image.Image:
    """Decode an image as a viewer shows it: first frame, EXIF orientation applied, RGB.

    Transparent pixels are blended with white. 16-bit grey is scaled to 8 bits; 32-bit grey, which has no defined white,
    is stretched from its minimum to its maximum. Raises UserError, with the file's ``name``, for empty, damaged or
    incomplete files and other formats, and, before a pixel is decoded, for more than ``MAX_PIXELS`` pixels or an aspect
    ratio above ``MAX_RATIO``.
    """
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
            picture.load()
            return _rgb(_upright(picture))
    except UnidentifiedImageError:
        raise UserError(f"“{name}” is not a picture. PNG, JPEG, WebP, GIF, BMP and TIFF files can be read.") from None
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


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        grey = np.asarray(picture).astype(np.uint32)
        return Image.fromarray(((grey * 255 + 32767) // 65535).astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        # In place: a copy of the largest accepted image takes a gigabyte.
        values = np.nan_to_num(np.array(picture, dtype=np.float64), copy=False)
        low, high = values.min(), values.max()
        values -= low
        values *= 255 / (high - low) if high > low else 0
        return Image.fromarray(np.rint(values, out=values).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", opaque.size, "white"), opaque).convert("RGB")
    return picture.convert("RGB")
