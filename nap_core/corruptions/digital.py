"""Digital: contrast, elastic deformation, pixels, JPEG."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from nap_core.corruptions.batch import Batch
from nap_core.corruptions.filters import smoothed


def contrast(batch: Batch, left: float) -> Tensor:
    """A share ``left`` of the difference of each channel to its mean over the image stays."""
    means = batch.shares.mean((2, 3), keepdim=True)
    return (batch.shares - means) * left + means


def elastic(batch: Batch, reach: float, smoothness: float, tilt: float) -> Tensor:
    """An affine map that moves three points by up to ``tilt``, then a smooth displacement field.

    The field is noise of up to ``reach``, smoothed by a Gaussian of deviation ``smoothness``. All three are shares of
    the image's side: of the height for ``reach``, of either side for the rest.
    """
    height, width = batch.size
    # Always drawn, so that the same seed gives the same field at every severity.
    jitter, noise = batch.uniform(3, 2) * 2 - 1, batch.uniform(2, *batch.size) * 2 - 1
    rows, columns = torch.meshgrid(
        torch.arange(height, device=batch.device, dtype=batch.dtype),
        torch.arange(width, device=batch.device, dtype=batch.dtype),
        indexing="ij",
    )
    picture = batch.shares
    if tilt:
        places = _tilted(batch, jitter * tilt, rows, columns)
        picture = _sampled(picture, *places, align_corners=True)  # mirrored at the edge pixels
    if reach:
        deviations = (smoothness * height, smoothness * width)
        field = smoothed(noise, deviations, 3, "mirror-with-edge") * reach * height
        picture = _sampled(picture, rows + field[:, 0], columns + field[:, 1], align_corners=False)
    return picture


def _tilted(batch: Batch, jitter: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Source row and column of each pixel, (B, H, W) each, if three points move by shares of the sides."""
    height, width = batch.size
    middle, arm = np.array([height // 2, width // 2]), min(height, width) // 3
    points = middle + arm * np.array([[1, 1], [1, -1], [-1, -1]])
    moved = points + jitter.cpu().double().numpy() * np.array([height, width])
    # The affine map from the moved points back to the original ones: (row, column, 1) → (row, column).
    ones = np.ones((len(moved), 3, 1))
    back = batch.placed(np.linalg.pinv(np.concatenate([moved, ones], axis=2)) @ points)
    row, column = (
        back[:, 0, [axis], None] * rows + back[:, 1, [axis], None] * columns + back[:, 2, [axis], None]
        for axis in (0, 1)
    )
    return row, column


def _sampled(picture: Tensor, rows: Tensor, columns: Tensor, *, align_corners: bool) -> Tensor:
    """``picture`` interpolated linearly at ``rows`` and ``columns`` (B, H, W) in pixels, mirror padding."""
    height, width = picture.shape[-2:]
    sides = [
        2 * place / max(side - 1, 1) - 1 if align_corners else (2 * place + 1) / side - 1
        for place, side in ((columns, width), (rows, height))
    ]
    grid = torch.stack(sides, dim=-1)
    return F.grid_sample(picture, grid, mode="bilinear", padding_mode="reflection", align_corners=align_corners)


def pixelate(batch: Batch, left: float) -> Tensor:
    """Box-filter downscaling to a share ``left`` of the sides, and upscaling."""
    height, width = batch.size
    size = max(1, int(width * left)), max(1, int(height * left))

    def coarse(picture: Image.Image) -> Image.Image:
        return picture.resize(size, Image.Resampling.BOX).resize((width, height), Image.Resampling.BOX)

    return _one_by_one(batch, coarse)


def jpeg(batch: Batch, quality: int) -> Tensor:
    """Encoding as JPEG of ``quality`` and decoding."""

    def stored(picture: Image.Image) -> Image.Image:
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        with Image.open(buffer, formats=("JPEG",)) as read:
            return read.convert("RGB")

    return _one_by_one(batch, stored)


def _one_by_one(batch: Batch, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    """Applies a Pillow operation to each image on the CPU → shares (B, 3, H, W)."""
    views: NDArray[np.uint8] = batch.views.cpu().numpy()
    changed = np.stack([np.asarray(change(Image.fromarray(view))) for view in views])
    return torch.from_numpy(changed).to(batch.device).permute(0, 3, 1, 2).to(batch.dtype) / 255
