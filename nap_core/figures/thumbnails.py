"""Small pictures as data addresses, for galleries and for images inside figures."""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from plotly.colors import get_colorscale, sample_colorscale, unlabel_rgb

from nap_core.figures.palette import SEQUENTIAL


def data_address(image: Image.Image, size: int = 96) -> str:
    """An image as a ``data:`` address, never enlarged.

    Images of up to 64 pixels are kept as lossless PNG: they are shown enlarged, pixel by pixel.

    Args:
        image: The picture, in any mode; an alpha channel is dropped.
        size: The most pixels on its long side.

    Returns:
        The address of an RGB image: a PNG up to 64 pixels on the long side, else a JPEG.
    """
    small = image.convert("RGB")
    small.thumbnail((size, size))
    lossless = max(small.size) <= 64
    buffer = io.BytesIO()
    small.save(buffer, "PNG" if lossless else "JPEG", **({} if lossless else {"quality": 85}))
    kind = "png" if lossless else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


@cache
def _colours() -> NDArray[np.float64]:
    """The app's colour scale in 256 steps, (256, 3) between 0 and 255."""
    steps = sample_colorscale(get_colorscale(SEQUENTIAL), [step / 255 for step in range(256)])
    return np.array([unlabel_rgb(colour) for colour in steps])


def overlay(image: Image.Image, channel_map: NDArray[np.floating], top: float, opacity: float = 0.5) -> Image.Image:
    """An image with a channel's map laid over it on the app's colour scale.

    The map is enlarged without smoothing: one block is one neuron. Silent neurons leave the image as it is: the
    opacity grows with the square root of the activation.

    Args:
        image: The picture below, in any mode.
        channel_map: The activations of one channel, (h, w).
        top: The activation at the end of the colour scale, which begins at 0; at 0 nothing is drawn.
        opacity: The opacity of the map at ``top`` and above, 0 to 1.

    Returns:
        An RGB image of the size of ``image``.
    """
    share = np.clip(np.asarray(channel_map, np.float64) / top, 0, 1) if top > 0 else np.zeros(channel_map.shape)
    colours = _colours()[np.rint(share * 255).astype(int)]
    alpha = 255 * opacity * np.sqrt(share)
    painted = np.concatenate([colours, alpha[..., None]], axis=2).astype(np.uint8)
    base = image.convert("RGBA")
    layer = Image.fromarray(painted, "RGBA").resize(base.size, Image.Resampling.NEAREST)
    return Image.alpha_composite(base, layer).convert("RGB")
