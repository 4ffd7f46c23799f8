"""Corruptions of images: one image, a batch with a seed an image, or an image at all severities."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nap_core.corruptions.batch import Batch, stream, to_pixels
from nap_core.corruptions.spec import RECORDS, Scale
from nap_core.errors import UserError

Pixels = NDArray[np.uint8]
Views = TypeVar("Views", Pixels, Tensor)

SEVERITIES = (0, 1, 2, 3, 4, 5)
SEED = 20260102
REVISION = 1
"""Raised whenever the same seed gives other pixels than before: stored activations are filed under it."""
_AT_A_TIME = {"cpu": 2**18}
"""Values (pixels times colours) worked on at a time: on a CPU so many as its cache holds, else ``_ON_A_GPU``."""
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
    """``views`` (B, H, W, 3) uint8, as the network sees them, after a corruption: an array for an array, else a tensor.

    What becomes of an image depends on its pixels, the corruption, the severity and its own one of the ``seeds`` (0 to
    2⁶⁴ − 1), and on nothing else: not on the batch around it, on threads or, but for a level of 255 here and there
    where an Apple GPU rounds, on the ``device`` (where None, a tensor stays on its own and an array on the CPU). An
    image's random draws are the same at every severity, so that from step to step only the strength changes.

    ``scale`` chooses the list of parameters: "imagenet" (ImageNet-C's), "cifar" (CIFAR-10-C's) or "auto", by the
    shorter side: CIFAR-10-C's up to 64 pixels. Raises UserError for an unknown corruption, ValueError for a severity
    other than 0 to 5, another scale, or as many seeds as there are not images.
    """
    if len(seeds) != len(views):
        raise ValueError(f"{len(views)} images need as many seeds, not {len(seeds)}")
    tensor = (views if isinstance(views, Tensor) else torch.tensor(np.ascontiguousarray(views))).to(device)
    corrupted = _corrupted(name, tensor, severity, [stream(seed, name) for seed in seeds], scale)
    return corrupted if isinstance(views, Tensor) else corrupted.cpu().numpy()


def corrupt(name: str, view: Pixels, severity: int) -> Pixels:
    """``view`` (H, W, 3) uint8, as the network sees it, after a corruption of the catalogue: same shape and type.

    Noise is drawn from a fixed seed, the same at every severity, so that from step to step only its strength changes.
    Raises UserError for an unknown corruption, ValueError for a severity other than 0 to 5.
    """
    # Not a batch's stream: this one has been in use for longer, and what is on a page stays as it is.
    drawn = np.random.Generator(np.random.PCG64(SEED))
    return _corrupted(name, torch.tensor(view)[None], severity, [drawn], "auto")[0].numpy()


def strip(name: str, view: Pixels) -> Pixels:
    """``view`` at all severities from 0 to 5, (6, H, W, 3). Raises UserError for an unknown corruption."""
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
    pieces = [slice(first, first + size) for first in range(0, len(views), size)]
    apply = pkgutil.resolve_name(record.implementation)
    return torch.cat([to_pixels(apply(Batch(views[piece], streams[piece]), *parameters)) for piece in pieces])
