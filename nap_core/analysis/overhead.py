"""What NAP costs (NAP paper, Section 6.5): its share of the forward pass, measured on this device.

NAP adds to a forward pass the maximum of each map over its neurons and the score made of maxima and means. The means
are not NAP's: global average pooling makes them anyway, and they are computed here outside the measured time. Decoding,
preprocessing and the copy to the device belong to neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch
from torch import Tensor

from nap_core.datasets import ImageDataset
from nap_core.extraction import BATCH, choose_device, describe_device, inputs
from nap_core.models import LoadedModel
from nap_core.models.feature_hook import ONE_PASS_AT_A_TIME
from nap_core.nap import channel_ratio
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

IMAGES = 256
REPEATS = 7


@dataclass(frozen=True)
class Cost:
    """The time of the forward pass and of NAP on one device.

    Attributes:
        forward_seconds: Seconds of the forward pass over all images, the median of the repeats.
        nap_seconds: Seconds that NAP took on top, the median of the repeats.
        images: The number of images.
        shares: NAP's seconds by those of the forward pass, one a repeat, in order.
        batch: The number of images in a batch.
        device: The device as captions name it.
        model: The title of the model.
        reads_attention: Whether the model is a Transformer, whose NAP is the maximum of its attention.
    """

    forward_seconds: float
    nap_seconds: float
    images: int
    shares: tuple[float, ...]
    batch: int
    device: str
    model: str
    reads_attention: bool = False

    @property
    def share(self) -> float:
        """By how much NAP lengthens the forward pass: 0.01 is one percent."""
        return self.nap_seconds / self.forward_seconds

    @property
    def repeats(self) -> int:
        """How often everything was measured."""
        return len(self.shares)


def measure(
    model: LoadedModel,
    dataset: ImageDataset,
    *,
    images: int = IMAGES,
    repeats: int = REPEATS,
    device: str | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
    clock: Callable[[], float] = time.perf_counter,
) -> Cost:
    """Time the forward pass over the first ``images`` images and, apart from it, what NAP adds.

    Everything is run once before it counts. The GPU is synchronised whenever the clock is read. Of a Transformer the
    attention is taken as given, and NAP is its maximum.

    Args:
        model: The network.
        dataset: The images.
        images: How many of them, from the first on.
        repeats: How often everything is measured.
        device: "cpu", "cuda" …; None for the best there is.
        callbacks: Progress after every repeat, in images, and cancellation.
        clock: The time in seconds.

    Returns:
        The medians over the repeats, in seconds.

    Raises:
        ValueError: There are no images or no repeats.
        UserError: The device is not there.
        ExtractionStopped: On request.
    """
    count = min(images, len(dataset))
    if count < 1 or repeats < 1:
        raise ValueError(f"needs images and repeats, not {count} and {repeats}")
    place = choose_device(device)
    batch = min(BATCH[place.type], count)
    fed = [
        pixels for pixels, _ in inputs(model, dataset, 0, count, device=device, batch_size=batch, callbacks=callbacks)
    ]
    stopwatch = _Stopwatch(place, clock)
    network = model.network
    score = _attention_score if model.reads_attention else _nap_score
    took: list[tuple[float, float]] = []
    # Another pass at the same time would be timed as well, and would move the network to its own device.
    with ONE_PASS_AT_A_TIME, torch.inference_mode():
        network.to(place).to(memory_format=torch.channels_last)
        # The map of one batch serves all: how long a maximum takes does not hang on the numbers.
        maps = _map(model, fed[0])
        started = time.perf_counter()
        for turn in range(repeats + 1):
            forward, added = 0.0, 0.0
            for pixels in fed:
                callbacks.raise_if_stopped()
                forward += stopwatch.time(partial(network, pixels))
                shown = maps[: len(pixels)]
                means = shown.mean((2, 3))
                added += stopwatch.time(partial(score, shown, means))
            if turn:  # the first warms up
                took.append((forward, added))
            done = (turn + 1) * count
            speed = done / max(time.perf_counter() - started, 1e-9)
            callbacks.report(model.title, done, (repeats + 1) * count, speed)
    return Cost(
        forward_seconds=median(forward for forward, _ in took),
        nap_seconds=median(added for _, added in took),
        images=count,
        shares=tuple(added / forward for forward, added in took),
        batch=batch,
        device=describe_device(device),
        model=model.title,
        reads_attention=model.reads_attention,
    )


def _map(model: LoadedModel, pixels: Tensor) -> Tensor:
    """The penultimate map (B, C, H, W) of a batch, in the memory layout in which the network leaves it."""
    captured: list[Tensor] = []
    with model.hook.capture(model.network, captured.append):
        model.network(pixels)
    return captured[-1]


def _nap_score(maps: Tensor, means: Tensor) -> Tensor:
    """S_NAP (B,) of maps (B, C, H, W) whose means (B, C) are at hand: equation 3 of the paper."""
    return (channel_ratio(maps.amax((2, 3)), means) ** 2).mean(1)


def _attention_score(maps: Tensor, _means: Tensor) -> Tensor:
    """NAP of a Transformer (B,): the maximum of the attention's mean over the heads, which is channel 0."""
    return maps[:, 0].amax((1, 2))


class _Stopwatch:
    """Times a call on a device, whose work may go on after the call has returned."""

    def __init__(self, device: torch.device, clock: Callable[[], float]) -> None:
        self._device, self._clock = device, clock

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()
        return self._clock()

    def time(self, work: Callable[[], Tensor]) -> float:
        """Seconds that ``work`` takes."""
        start = self._now()
        work()
        return self._now() - start
