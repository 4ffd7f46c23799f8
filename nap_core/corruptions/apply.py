"""Applies the corruptions of the catalogue to views (what the network receives, before the normalisation)."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nap_core.corruptions.batch import Batch, stream, to_pixels
from nap_core.corruptions.catalogue import RECORDS
from nap_core.corruptions.spec import SEED, SEVERITIES, Scale
from nap_core.errors import UserError

Pixels = NDArray[np.uint8]
Views = TypeVar("Views", Pixels, Tensor)

_AT_A_TIME = {"cpu": 2**18}
"""Numbers (B × H × W × 3) in one batch: on a CPU as many as its cache holds, else ``_ON_A_GPU``."""
_ON_A_GPU = 2**24


def corrupt_batch(
    name: str,
    views: Views,
    severity: int,
    seeds: Sequence[int],
    *,
    scale: Scale = "auto",
    device: torch.device | str | None = None,
) -> Views:
    """Corrupt views.

    The result depends on an image's pixels, corruption, severity and seed only: not on the rest of the batch, threads
    or the device (up to single levels where an Apple GPU rounds differently). An image's random draws are the same at
    every severity, so that only the strength changes.

    Args:
        name: a corruption of the catalogue.
        views: (B, H, W, 3) uint8, an array or a tensor.
        severity: 0 (unchanged) to 5.
        seeds: B integers from 0 to 2⁶⁴ − 1, one an image.
        scale: the list of parameters: "imagenet", "cifar", or "auto" for CIFAR-10-C's up to 64 pixels.
        device: where to compute; by default a tensor's own device, and the CPU for an array.

    Returns:
        (B, H, W, 3) uint8, of the type of ``views``.

    Raises:
        UserError: unknown corruption.
        ValueError: another severity or scale, or another number of seeds than images.
    """
    if len(seeds) != len(views):
        raise ValueError(f"{len(views)} images need as many seeds, not {len(seeds)}")
    tensor = (views if isinstance(views, Tensor) else torch.tensor(np.ascontiguousarray(views))).to(device)
    corrupted = _corrupted(name, tensor, severity, [stream(seed, name) for seed in seeds], scale)
    return corrupted if isinstance(views, Tensor) else corrupted.cpu().numpy()


def corrupt(name: str, view: Pixels, severity: int) -> Pixels:
    """Corrupt one view. Noise is drawn from a fixed seed, the same at every severity: only the strength changes.

    Args:
        name: a corruption of the catalogue.
        view: (H, W, 3) uint8.
        severity: 0 (unchanged) to 5.

    Returns:
        (H, W, 3) uint8.

    Raises:
        UserError: unknown corruption.
        ValueError: another severity.
    """
    # Older than the streams of batches, and kept so that the images on the pages stay the same.
    drawn = np.random.Generator(np.random.PCG64(SEED))
    return _corrupted(name, torch.tensor(view)[None], severity, [drawn], "auto")[0].numpy()


def strip(name: str, view: Pixels) -> Pixels:
    """``view`` at all severities from 0 to 5, (6, H, W, 3) uint8. Raises UserError for an unknown corruption."""
    return np.stack([corrupt(name, view, severity) for severity in SEVERITIES])


def _corrupted(name: str, views: Tensor, severity: int, streams: Sequence[np.random.Generator], scale: Scale) -> Tensor:
    if name not in RECORDS:
        raise UserError(f"There is no corruption called “{name}”. There are: {', '.join(RECORDS)}.")
    if severity not in SEVERITIES:
        raise ValueError(f"severities run from 0 to 5, not to {severity}")
    if severity == 0 or not len(views):
        return views.clone()
    record = RECORDS[name]
    parameters = record.parameters(min(views.shape[1:3]), severity, scale)
    size = max(1, _AT_A_TIME.get(views.device.type, _ON_A_GPU) // views[0].numel())
    apply = pkgutil.resolve_name(f"nap_core.corruptions.{record.group}:{record.name.replace('-', '_')}")
    pieces = [slice(first, first + size) for first in range(0, len(views), size)]
    return torch.cat([to_pixels(apply(Batch(views[piece], streams[piece]), *parameters)) for piece in pieces])
