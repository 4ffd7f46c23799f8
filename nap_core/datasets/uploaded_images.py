"""Decoding of uploaded images, with notes on conversions and error messages.

``nap_core.datasets.decode`` decodes: only ``decoding.FORMATS``, with the size checked before a pixel is
read. This module adds what a file of another type seems to be, and what was converted in an image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath

from PIL import ExifTags, Image

from nap_core.datasets.decoding import DAMAGED, FORMATS, decode
from nap_core.errors import UserError

MAX_MEGABYTES = 50
"""Limit of one file; pixels and aspect ratio are limited in ``decoding``."""
MAX_FILES = 100
TINY = 64
"""Long side in pixels up to which an image suits a network for small images better than one for photographs."""

_AS_PICTURE = "Export it as PNG or JPEG and take that file."
_UNPACK = "Unpack it and take the pictures inside."
_FOREIGN: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"PK\x03\x04", "a ZIP archive or a document packed like one", _UNPACK),
    (0, b"PK\x05\x06", "an empty ZIP archive", "Take the pictures themselves."),
    (0, b"\x1f\x8b", "a gzip archive", _UNPACK),
    (0, b"BZh", "a bzip2 archive", _UNPACK),
    (0, b"\xfd7zXZ", "an xz archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"%PDF", "a PDF document", _AS_PICTURE),
    (0, b"8BPS", "a Photoshop file", _AS_PICTURE),
    (0, b"%!PS", "a PostScript file", _AS_PICTURE),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript file", _AS_PICTURE),
    (4, b"ftyphei", "a HEIC picture, which cannot be read here", _AS_PICTURE),
    (4, b"ftyphev", "a HEIC picture, which cannot be read here", _AS_PICTURE),
    (4, b"ftypmif1", "a HEIC picture, which cannot be read here", _AS_PICTURE),
    (4, b"ftyp", "a video", "Save one of its frames as PNG or JPEG and take that file."),
    (0, b"\x1aE\xdf\xa3", "a video", "Save one of its frames as PNG or JPEG and take that file."),
    (4, b"JXL \r\n", "a JPEG XL picture, which cannot be read here", _AS_PICTURE),
    (0, b"\xff\x0a", "a JPEG XL picture, which cannot be read here", _AS_PICTURE),
    (0, b"\x93NUMPY", "a NumPy array", _AS_PICTURE),
)
_BRIGHT = 2**15
_AVIF = b"ftypavi"
_SUFFIXES = {
    "PNG": {".png", ".apng"},
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"},
    "MPO": {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"},  # several JPEGs in one file, as some phones write
    "WEBP": {".webp"},
    "GIF": {".gif"},
    "BMP": {".bmp", ".dib"},
    "TIFF": {".tif", ".tiff"},
    "PPM": {".ppm", ".pgm", ".pbm", ".pnm"},
    "JPEG2000": {".jp2", ".j2k", ".jpx"},
    "AVIF": {".avif"},
}


@dataclass(frozen=True)
class UploadedImage:
    """An image as a viewer shows it: upright, RGB, first frame. ``notes`` are sentences on conversions."""

    name: str
    image: Image.Image
    notes: tuple[str, ...] = ()

    @property
    def tiny(self) -> bool:
        """Whether the long side has at most ``TINY`` pixels."""
        return max(self.image.size) <= TINY


def read(data: bytes, name: str) -> UploadedImage:
    """Decode an uploaded file.

    Args:
        data: the content of the file.
        name: its name, for messages.

    Raises:
        UserError: the file is empty, damaged, incomplete, too large (bytes, pixels or aspect ratio) or not an image;
            the message names the detected type and what to do.
    """
    if len(data) > MAX_MEGABYTES * 2**20:
        raise UserError(
            f"“{name}” has {len(data) / 2**20:,.0f} MB; files up to {MAX_MEGABYTES} MB can be taken. "
            "Scale it down or save it as JPEG first."
        )
    for offset, magic, what, advice in _FOREIGN:
        if data.startswith(magic, offset) and not data.startswith(_AVIF, 4):
            raise UserError(f"“{name}” is {what}. {advice}")
    if b"<svg" in data[:1000].lower():
        raise UserError(f"“{name}” is an SVG drawing, which has no pixels. {_AS_PICTURE}")
    image = decode(data, name)
    return UploadedImage(name, image, tuple(_notes(data, name)))


def _notes(data: bytes, name: str) -> Iterator[str]:
    """Sentences on what ``decode`` converted, from the image's header."""
    with Image.open(BytesIO(data), formats=FORMATS) as picture:
        kind = picture.format or ""
        suffix = PurePath(name).suffix
        if suffix.lower() not in _SUFFIXES[kind]:
            ending = f"Its name ends in {suffix}" if suffix else "Its name has no ending"
            yield f"{ending}, but it is a {'JPEG' if kind == 'MPO' else kind} picture and was read as one."
        if kind != "MPO" and _safely(lambda: getattr(picture, "is_animated", False)):
            yield "Only its first page is used." if kind == "TIFF" else "It is animated: its first frame is used."
        if picture.has_transparency_data:
            yield "What is transparent in it lies on white."
        if picture.mode == "CMYK":
            yield "Its printing colours (CMYK) were converted to RGB without a colour profile."
        if picture.mode.startswith("I;16"):
            yield "Its 16-bit grey was scaled to 8 bits."
            greatest = picture.getextrema()[1]
            if isinstance(greatest, int | float) and greatest < _BRIGHT:
                yield f"Its greatest value is {greatest:,.0f} of 65,535: it is dark if fewer bits are used."
        elif picture.mode in ("I", "F"):
            yield "Its grey values were stretched from their least to their greatest."
        if _safely(lambda: picture.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)):
            yield "It was turned upright, as its camera noted."


def _safely(question: Callable[[], bool]) -> bool:
    """The result of ``question``; False if that part of the file is damaged."""
    try:
        return question()
    except DAMAGED:
        return False
