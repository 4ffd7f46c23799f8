"""Images of a dataset → batches of what the network sees, decoded by all cores ahead of the network.

Pillow decodes and resizes outside Python's global lock, so threads are enough. JPEGs are decoded whole: Pillow's draft
mode skips pixels that the resize discards, which would change the numbers that stores already hold.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nap_core.datasets import ImageDataset
from nap_core.models import Transform

AHEAD = 2
"""Blocks that are being decoded while one is used: the second keeps every thread busy at the end of the first."""
PIECE = 8
"""Images that a thread takes at a time: handing them out one by one costs more than decoding a small one."""
MAXIMUM_THREADS = 32


def threads() -> int:
    """How many decode at a time: one a core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAXIMUM_THREADS)


def blocks(
    dataset: ImageDataset, transform: Transform, first: int, last: int, size: int, *, pinned: bool = False
) -> Iterator[tuple[int, Tensor]]:
    """Images ``first`` to ``last`` in blocks of ``size``: the index of a block's first image, and its views (B, H, W,
    3) uint8.

    Never more than ``AHEAD`` blocks beside the one in use are held. ``pinned`` memory is copied to a GPU without
    waiting. Raises, in the order of the images, what ``dataset.image`` raises; what was decoded ahead is then dropped.
    """
    starts = iter(range(first, last, size))
    pending: deque[tuple[int, Tensor, list[Future[None]]]] = deque()
    pool = ThreadPoolExecutor(threads(), "decoder")

    def fill(views: NDArray[np.uint8], start: int) -> None:
        for index in range(len(views)):
            views[index] = transform.view(dataset.image(start + index))

    def submit() -> None:
        start = next(starts, None)
        if start is not None:
            shape = (min(size, last - start), transform.crop, transform.crop, 3)
            block = torch.empty(shape, dtype=torch.uint8, pin_memory=pinned)
            views = block.numpy()
            pieces = range(0, len(views), PIECE)
            futures = [pool.submit(fill, views[piece : piece + PIECE], start + piece) for piece in pieces]
            pending.append((start, block, futures))

    try:
        for _ in range(AHEAD):
            submit()
        while pending:
            start, block, futures = pending.popleft()
            submit()
            for future in futures:
                future.result()
            yield start, block
    finally:
        pool.shutdown(cancel_futures=True)
