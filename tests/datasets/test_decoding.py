"""Bytes that may or may not be a picture."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from nap_core.datasets import decode
from nap_core.errors import UserError


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is width × height."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    parts = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


NOISE_PNG = png(np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(12_000, 10_001), (15_000, 15_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.parametrize("action", ["default", "error"])
def test_a_huge_picture_is_refused_before_it_is_decoded(size: tuple[int, int], action: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if action == "default" else "error", Image.DecompressionBombWarning)
        with pytest.raises(UserError, match="120 million pixels"):
            decode(bomb(*size), "bomb.png")


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "0 bytes"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (b"PK\x03\x04" + b"\0" * 99, "not a picture"),
        (NOISE_PNG[:3000], "damaged"),
        (bomb(30, 300), "damaged"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(data: bytes, part: str) -> None:
    with pytest.raises(UserError, match=part) as caught:
        decode(data, "mine.jpg")
    assert "“mine.jpg”" in str(caught.value)


def test_a_picture_is_turned_upright() -> None:
    pixels = np.zeros((2, 4, 3), dtype=np.uint8)
    pixels[0, 0] = 255
    picture, file = Image.fromarray(pixels), io.BytesIO()
    exif = picture.getexif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    picture.save(file, "PNG", exif=exif)
    upright = np.asarray(decode(file.getvalue(), "turned.png"))
    assert upright.shape == (4, 2, 3)
    assert (upright[0, 1] == 255).all()
    assert upright.sum() == 3 * 255


@pytest.mark.parametrize(
    ("pixels", "mode", "shown"),
    [
        (np.array([[0, 32768, 65535]], dtype=np.uint16), None, [0, 128, 255]),
        (np.array([[True, False]]), None, [255, 0]),
        (np.array([[[9, 0], [9, 255]]], dtype=np.uint8), "LA", [255, 9]),
        (np.array([[-2.0, 0.0, 2.0]], dtype=np.float32), None, [0, 128, 255]),
        (np.array([[7, 7]], dtype=np.int32), None, [0, 0]),
    ],
)
def test_every_mode_becomes_rgb(pixels: np.ndarray, mode: str | None, shown: list[int]) -> None:
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    assert mode is None or picture.mode == mode
    picture.save(file, "TIFF")
    decoded = decode(file.getvalue(), "mode.tif")
    assert decoded.mode == "RGB"
    assert np.asarray(decoded)[0].tolist() == [[value] * 3 for value in shown]


def test_an_animation_shows_its_first_frame() -> None:
    frames, file = [Image.new("RGB", (4, 3), colour) for colour in ("red", "blue")], io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert decode(file.getvalue(), "moving.gif").getpixel((0, 0)) == (255, 0, 0)
