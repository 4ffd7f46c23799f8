"""Reader of LSUN's validation scenes: one LMDB of encoded images a category."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nap_core.datasets.decoding import decode
from nap_core.datasets.published.spec import Content

_KINDS = "bedroom bridge church_outdoor classroom conference_room dining_room kitchen living_room restaurant tower"
CATEGORIES = tuple(_KINDS.split())


def read(folder: Path) -> Content:
    """Reads the images of the ten categories, sorted by category and key."""
    import lmdb

    bases: list[Any] = []
    keys: list[tuple[int, bytes]] = []
    for label, category in enumerate(CATEGORIES):
        place = folder / f"{category}_val_lmdb" / f"{category}_val_lmdb"
        bases.append(lmdb.open(str(place), readonly=True, lock=False, readahead=False, meminit=False))
        with bases[label].begin() as transaction:
            keys += [(label, bytes(key)) for key in transaction.cursor().iternext(keys=True, values=False)]

    def picture(index: int) -> Image.Image:
        label, key = keys[index]
        with bases[label].begin() as transaction:
            return decode(bytes(transaction.get(key)), key.decode())

    labels = np.array([label for label, _ in keys], np.int64)
    return Content(labels, CATEGORIES, picture, tuple(key.decode() for _, key in keys))
