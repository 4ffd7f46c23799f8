"""Noise: Gaussian, shot and impulse noise."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from nap_core.corruptions.batch import Batch


def gaussian_noise(batch: Batch, deviation: float) -> Tensor:
    """Adds ``deviation`` times a standard normal draw to every value."""
    return batch.shares + deviation * batch.normal(*batch.size, 3).movedim(-1, 1)


def shot_noise(batch: Batch, photons: float) -> Tensor:
    """Every value is a Poisson-distributed count of photons, with mean ``photons`` at full brightness.

    Inverse transform sampling, so that one uniform draw serves every severity. Counts above full brightness are
    clipped.
    """
    full = int(photons)
    table = _counts(full).to(batch.dtype).to(batch.device)
    drawn = batch.uniform(*batch.size, 3)
    # One search for all 256 levels: the distribution function of level v is stored at v … v + 1.
    place = torch.searchsorted(table, batch.views + drawn, right=True) - full * batch.views.long()
    return (place.clamp(0, full).to(batch.dtype) / full).movedim(-1, 1).contiguous()


@lru_cache(maxsize=16)
def _counts(full: int) -> Tensor:
    """For each level v of 0 … 255: v + P(at most k photons) for k = 0 … ``full`` − 1, (256 · full,) float64."""
    level = torch.arange(256, dtype=torch.float64)[:, None]
    # The distribution function of the Poisson law is a regularised incomplete gamma function.
    at_most = torch.special.gammaincc(torch.arange(1, full + 1, dtype=torch.float64), level / 255 * full)
    return (level + at_most).flatten()


def impulse_noise(batch: Batch, amount: float) -> Tensor:
    """A share ``amount`` of all values becomes 0 or 1 with equal probability."""
    drawn = batch.uniform(2, *batch.size, 3).movedim(-1, 2)
    hit, salt = drawn[:, 0] <= amount, drawn[:, 1] <= 0.5
    return torch.where(hit, salt.to(batch.dtype), batch.shares)
