"""Arrays of images as people save them → (N, H, W) grey or (N, H, W, 3) RGB, uint8."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nap_core.datasets.images import Pixels
from nap_core.datasets.user_data.npy_arrays import Header
from nap_core.datasets.windows import ValueRange, Window, family_of, sentence, window_for
from nap_core.errors import UserError

LAYOUT = "It needs images of shape (N, H, W) or (N, H, W, 3), numbers."
_BLOCK = 2**24  # values converted at once
_CHANNELS = (1, 3, 4)
_DARK = 16


class Converted(NamedTuple):
    """Pixels, and sentences on what was converted."""

    pixels: Pixels
    notes: tuple[str, ...]


def check(array: Header, what: str) -> int:
    """The number of images in an array, from its header; ``what`` names it.

    Raises UserError for shapes and types that are no images.
    """
    shape, dtype = array
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise UserError(f"{what} is {dtype}, which is no number of a pixel. Save uint8.")
    channels = _channels(shape)
    if len(shape) not in (3, 4) or (len(shape) == 4 and channels is None):
        raise UserError(f"{what} has shape {shape}. {LAYOUT}")
    if 0 in shape:
        raise UserError(f"{what} has shape {shape}, which holds no image. {LAYOUT}")
    return shape[0]


def convert(array: NDArray[Any], what: str, window: tuple[float, float] | None = None) -> Converted:
    """The images of ``array`` in 8 bits, channels last. A uint8 array of grey or RGB images is returned as it is.

    Args:
        array: (N, H, W), (N, H, W, C) or (N, C, H, W) with 1, 3 or 4 channels C.
        what: its name in sentences.
        window: the values that become black and white; None to conclude them from all images.

    Returns:
        Pixels, and notes on what was concluded.

    Raises:
        UserError: not an array of images, or images with values that are no numbers.
    """
    check(Header(array.shape, array.dtype), what)
    notes = []
    if array.ndim == 4 and array.shape[-1] not in _CHANNELS:
        array = array.transpose(0, 2, 3, 1)
        notes.append(f"{what} has its channels first, (N, C, H, W).")
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    values = _range(array, what)
    if array.dtype != np.uint8 or window:
        used = Window(*window) if window else Window(0, 1) if array.dtype == bool else window_for(values)
        if array.dtype != np.uint8 or used != Window(0, 255):
            notes.append(sentence(values, used, f"{what} ({array.dtype})", said=window is not None))
        array = _in_blocks(array, used)
    elif values.high < _DARK:
        notes.append(
            f"{what} holds no value above {values.high:.0f} of 255: the images are nearly black. Write "
            f":0..{values.high:.0f} behind the name if that is white."
        )
    if array.ndim == 4 and array.shape[-1] == 4:
        array, transparent = _on_white(array)
        effect = "what is transparent lies on white" if transparent else "nothing is transparent"
        notes.append(f"{what} has an alpha channel; {effect}.")

    return Converted(array, tuple(notes))


def _channels(shape: tuple[int, ...]) -> int | None:
    """1, 3 or 4 channels, last or first; None for other shapes."""
    if len(shape) != 4:
        return None
    return next((shape[axis] for axis in (3, 1) if shape[axis] in _CHANNELS), None)


def _blocks(array: NDArray[Any]) -> Iterator[slice]:
    """Slices of a few images each, so that no copy of the whole is made in another precision."""
    step = max(1, _BLOCK * len(array) // array.size)
    return (slice(start, start + step) for start in range(0, len(array), step))


def _range(array: NDArray[Any], what: str) -> ValueRange:
    blocks = [array[part] for part in _blocks(array)]
    if array.dtype.kind == "f":
        bad = sum(int((~np.isfinite(block)).reshape(len(block), -1).any(1).sum()) for block in blocks)
        if bad:
            raise UserError(f"{bad:,} of {len(array):,} images in {what} hold NaN or infinity. Leave them out.")
    low, high = min(block.min() for block in blocks), max(block.max() for block in blocks)
    return ValueRange(family_of(array.dtype), float(low), float(high))


def _in_blocks(array: NDArray[Any], window: Window) -> Pixels:
    """The array in 8 bits."""
    pixels = np.empty(array.shape, np.uint8)
    for part in _blocks(array):
        pixels[part] = window.apply(array[part])
    return pixels


def _on_white(array: Pixels) -> tuple[Pixels, bool]:
    """RGBA blended with white, and whether anything was transparent."""
    alpha = array[..., 3:]
    if (alpha == 255).all():
        return np.ascontiguousarray(array[..., :3]), False
    pixels = np.empty((*array.shape[:-1], 3), np.uint8)
    for part in _blocks(array):
        block = array[part].astype(np.uint32)
        share = block[..., 3:]
        pixels[part] = (block[..., :3] * share + 255 * (255 - share) + 127) // 255
    return pixels, True
