"""The images of one dataset as methods take them."""

from __future__ import annotations

from dataclasses import dataclass

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset


@dataclass(frozen=True, eq=False)  # one object is one set of images: it serves as a key of caches
class ImageSet:
    """Images to be scored: their stored activations (N rows) and, where there are any, the images themselves."""

    activations: Activations
    images: ImageDataset | None = None
