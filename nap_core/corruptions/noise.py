"""Noise: Gaussian, shot and impulse noise."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from nap_core.corruptions.batch import Batch


def gaussian_noise(batch: Batch, deviation: float) -> Tensor:
    """A normal draw is added to every value, the same one at every ``deviation`` but for its size."""
    return batch.shares + deviation * batch.normal(*batch.size, 3).movedim(-1, 1)


def shot_noise(batch: Batch, photons: float) -> Tensor:
    """Every value is a count of photons: Poisson, around ``photons`` of them at full brightness.

    The count is where the distribution function passes a uniform draw, so that one draw serves every severity. More
    photons than full brightness holds are clipped anyway, and not told apart.
    """
    full = int(photons)
    table = _counts(full).to(batch.dtype).to(batch.device)
    drawn = batch.uniform(*batch.size, 3)
    # One search for all 256 brightnesses: the distribution function of brightness v stands at v … v + 1.
    place = torch.searchsorted(table, batch.views + drawn, right=True) - full * batch.views.long()
    return (place.clamp(0, full).to(batch.dtype) / full).movedim(-1, 1).contiguous()


@lru_cache(maxsize=16)
def _counts(full: int) -> Tensor:
    """For brightness v of 0 … 255 in turn: v + the probability of at most 0, 1, … ``full`` − 1 photons, float64."""
    level = torch.arange(256, dtype=torch.float64)[:, None]
    # The distribution function of the Poisson law is a regularised incomplete gamma function.
    at_most = torch.special.gammaincc(torch.arange(1, full + 1, dtype=torch.float64), level / 255 * full)
    return (level + at_most).flatten()


def impulse_noise(batch: Batch, amount: float) -> Tensor:
    """A share ``amount`` of all values becomes 0 or 1, one as likely as the other."""
    drawn = batch.uniform(2, *batch.size, 3).movedim(-1, 2)
    hit, salt = drawn[:, 0] <= amount, drawn[:, 1] <= 0.5
    return torch.where(hit, salt.to(batch.dtype), batch.shares)
