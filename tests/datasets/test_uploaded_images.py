"""Files that people bring: every kind of picture is read as a viewer shows it, everything else gets its sentence."""

import struct
import tracemalloc
import zipfile
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFile

from nap_core.datasets import decoding, uploaded_images
from nap_core.errors import UserError
from tests.sentences import Says


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(width: int = 12, height: int = 8) -> Image.Image:
    """Red grows to the right, green downwards."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return Image.fromarray(np.stack([20 * x, 30 * y, np.full_like(x, 90)], axis=-1).astype(np.uint8))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_lossless_formats_come_back_pixel_by_pixel(kind: str) -> None:
    source = gradient() if kind != "GIF" else gradient().quantize(128)
    image = uploaded_images.read(encoded(source, kind), f"a.{kind.lower()}")
    np.testing.assert_array_equal(np.asarray(image.image), np.asarray(source.convert("RGB")))
    assert (image.image.mode, image.notes) == ("RGB", ())


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "a.jpeg"), ("WEBP", "a.webp")])
def test_lossy_formats_come_back_nearly(kind: str, name: str) -> None:
    image = uploaded_images.read(encoded(gradient(96, 64).resize((96, 64)), kind, quality=95), name)
    assert image.image.size == (96, 64)
    assert image.notes == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_any_mode_gives_rgb(mode: str) -> None:
    image = uploaded_images.read(encoded(gradient().convert(mode), "PNG"), "a.png")
    expected = gradient().convert(mode).convert("RGB")
    np.testing.assert_array_equal(np.asarray(image.image), np.asarray(expected))


def test_transparency_lies_on_white_with_a_note(says: Says) -> None:
    picture = Image.new("RGBA", (4, 2), (200, 0, 0, 255))
    picture.putpixel((0, 0), (200, 0, 0, 0))
    picture.putpixel((1, 0), (200, 0, 0, 51))
    image = uploaded_images.read(encoded(picture, "PNG"), "a.png")
    assert [image.image.getpixel((x, 0)) for x in range(3)] == [(255, 255, 255), (244, 204, 204), (200, 0, 0)]
    says(*image.notes, "transparent white")


def test_a_palette_with_a_transparent_colour_lies_on_white() -> None:
    picture = Image.new("P", (3, 1), 0)
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    image = uploaded_images.read(encoded(picture, "PNG", transparency=1), "a.png")
    assert [image.image.getpixel((x, 0)) for x in range(2)] == [(10, 20, 30), (255, 255, 255)]


def test_sixteen_bits_are_scaled_not_cut(says: Says) -> None:
    picture = Image.fromarray(np.array([[0, 257 * 100, 65535]], dtype=np.uint16))
    image = uploaded_images.read(encoded(picture, "PNG"), "a.png")
    assert [image.image.getpixel((x, 0))[0] for x in range(3)] == [0, 100, 255]
    says(*image.notes, "16-bit 8")


def test_floats_are_stretched(says: Says) -> None:
    picture = Image.fromarray(np.array([[-1.0, 0.0, 1.0]], dtype=np.float32))
    image = uploaded_images.read(encoded(picture, "TIFF"), "a.tif")
    assert [image.image.getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]
    says(*image.notes, "grey stretched")


def test_cmyk_becomes_rgb_with_a_note(says: Says) -> None:
    image = uploaded_images.read(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100), "a.jpg")
    red, green, blue = image.image.getpixel((4, 4))
    assert red > 240
    assert max(green, blue) < 15
    says(*image.notes, "CMYK RGB")


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
    ],
)
def test_exif_orientation_is_respected(orientation: int, undo: Image.Transpose, says: Says) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = uploaded_images.read(encoded(gradient().transpose(undo), "PNG", exif=exif), "a.png")
    np.testing.assert_array_equal(np.asarray(image.image), np.asarray(gradient()))
    says(*image.notes, "upright")


@pytest.mark.parametrize(("kind", "name"), [("GIF", "a.gif"), ("PNG", "a.png"), ("WEBP", "a.webp")])
def test_animations_give_their_first_frame(kind: str, name: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, lossless=True)
    image = uploaded_images.read(data, name)
    assert image.image.getpixel((3, 3)) == (255, 0, 0)
    assert "It is animated: its first frame is used." in image.notes


def test_a_tiff_of_several_pages_gives_its_first(says: Says) -> None:
    data = encoded(Image.new("RGB", (8, 8), "red"), "TIFF", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    image = uploaded_images.read(data, "scan.tiff")
    assert image.image.getpixel((3, 3)) == (255, 0, 0)
    says(*image.notes, "first page")


def test_a_wrong_ending_is_read_and_noted(says: Says) -> None:
    data = encoded(gradient(), "PNG")
    says(*uploaded_images.read(data, "a.JPG").notes, ".JPG PNG")
    says(*uploaded_images.read(data, "a").notes, "no PNG")
    assert uploaded_images.read(data, "A.PNG").notes == ()


def packed(size: int) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("picture.png", bytes(size))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "nothing.png", "“nothing.png” is empty (0 bytes)"),
        (b"hello, these are words", "words.jpg", "“words.jpg” is not a picture"),
        (encoded(gradient(200, 200), "JPEG")[:700], "cut.jpg", "“cut.jpg” is damaged or incomplete"),
        (encoded(gradient(200, 200), "PNG")[:-60], "cut.png", "“cut.png” is damaged or incomplete"),
        (packed(10), "photos.zip", "“photos.zip” is a ZIP archive"),
        (packed(10), "photos.png", "“photos.png” is a ZIP archive"),
        (b"\x1f\x8b\x08" + bytes(40), "photos.tar.gz", "is a gzip archive. Unpack it"),
        (bytes(257) + b"ustar" + bytes(300), "photos.tar", "is a tar archive. Unpack it"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "logo.eps", "is a PostScript file"),
        (b"8BPS\0\1" + bytes(40), "layers.psd", "is a Photoshop file"),
        (b"%PDF-1.7\n", "paper.pdf", "is a PDF document"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'></svg>", "logo.svg", "is an SVG drawing"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "IMG_1.heic", "is a HEIC picture, which cannot be read here. Export it as"),
        (b"\0\0\0\x18ftypmp42" + bytes(40), "film.mp4", "is a video"),
        (
            b"qoif" + struct.pack(">IIBB", 2, 2, 3, 0) + bytes(12),
            "a.qoi",
            "“a.qoi” is not a picture",
        ),  # Pillow could; it is never asked to
    ],
)
def test_what_is_no_picture_gets_a_sentence_that_names_it(data: bytes, name: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        uploaded_images.read(data, name)
    assert said in str(caught.value)
    assert name in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "name"),
    [
        (png_that_claims(50_000, 50_000), "huge.png"),
        (png_that_claims(11_000, 11_000), "large.png"),
        (packed(64 * 2**20), "bomb.zip"),
    ],
)
def test_bombs_are_refused_without_unpacking_them(data: bytes, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(_picture: Image.Image) -> None:
        pytest.fail("a pixel was decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    assert len(data) < 2**20
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=name):
            uploaded_images.read(data, name)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_the_largest_picture_is_named_with_its_size() -> None:
    with pytest.raises(UserError, match=r"11,000 × 11,000 pixels.*120 million"):
        uploaded_images.read(png_that_claims(11_000, 11_000), "large.png")
    assert decoding.MAX_PIXELS == 120_000_000


def test_a_file_of_too_many_bytes_is_refused() -> None:
    with pytest.raises(UserError, match=r"“film.bmp” has 51 MB; files up to 50 MB"):
        uploaded_images.read(bytes(51 * 2**20), "film.bmp")


def test_a_hair_is_refused_because_its_middle_would_be_blown_up() -> None:
    most = decoding.MAX_RATIO
    assert uploaded_images.read(encoded(Image.new("L", (most * 2, 2)), "PNG"), "a.png").image.size == (most * 2, 2)
    with pytest.raises(UserError, match=r"“hair.png” has 1 × 31 pixels, more than 30 times"):
        uploaded_images.read(encoded(Image.new("L", (1, most + 1)), "PNG"), "hair.png")


def test_tiny_is_up_to_64_pixels() -> None:
    assert uploaded_images.UploadedImage("a", Image.new("RGB", (64, 10))).tiny
    assert not uploaded_images.UploadedImage("a", Image.new("RGB", (65, 10))).tiny


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
def test_flipped_bytes_never_raise_anything_else() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    other = gradient().rotate(180)
    files = {
        "a.png": encoded(gradient(), "PNG"),
        "a.jpg": encoded(gradient(), "JPEG", exif=exif),
        "a.gif": encoded(gradient(), "GIF", save_all=True, append_images=[other]),
        "a.webp": encoded(gradient(), "WEBP", save_all=True, append_images=[other]),
        "a.tif": encoded(gradient(), "TIFF", compression="tiff_deflate"),
        "a.bmp": encoded(gradient(), "BMP"),
    }
    drawn = np.random.default_rng(3)
    refused = 0
    for name, data in files.items():
        for _ in range(60):
            broken = bytearray(data)
            for position in drawn.integers(0, len(data), size=int(drawn.integers(1, 12))):
                broken[position] = int(drawn.integers(0, 256))
            try:
                uploaded_images.read(bytes(broken), name)
            except UserError:
                refused += 1
    assert refused > 50
