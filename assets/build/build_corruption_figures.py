#!/usr/bin/env python3
"""Record what imagecorruptions-imaug 1.1.5 makes of two photographs, for the tests: tests/corruptions/expected.npz.

    pip install imagecorruptions-imaug==1.1.5    (into an environment of its own: 600 MB that the tests do not need)
    python assets/build/build_corruption_figures.py

Of the corruptions without chance it keeps pixels (at 224 pixels every ninth row and every seventh column), of the
others the mean and the deviation over many draws of four figures of the result; see ``figures``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from imagecorruptions import corrupt
from PIL import Image
from repository import ROOT

PHOTOS = ("cat.jpg", "pavilion.jpg")
SEVERITIES = (1, 3, 5)
SIDES = {32: 200, 224: 20}  # pixels: draws
CERTAIN = ("defocus-blur", "zoom-blur", "brightness", "contrast", "pixelate", "jpeg")
RANDOM = (
    *("gaussian-noise", "shot-noise", "impulse-noise", "glass-blur", "motion-blur"),
    *("snow", "frost", "fog", "elastic"),
)
THEIR_NAMES = {"jpeg": "jpeg_compression", "elastic": "elastic_transform"}  # the others with an underscore for a dash


def corrupted(view: np.ndarray, severity: int, name: str) -> np.ndarray:
    return corrupt(view, severity, corruption_name=THEIR_NAMES.get(name, name.replace("-", "_")))


def figures(view: np.ndarray, changed: np.ndarray) -> list[float]:
    """Mean and deviation of the result, its mean distance from the view, and from its own neighbour on the left."""
    result, before = changed.astype(float), view.astype(float)
    return [result.mean(), result.std(), np.abs(result - before).mean(), np.abs(np.diff(result, axis=1)).mean()]


def main() -> None:
    np.random.seed(1)  # noqa: NPY002 - the package draws from nothing else
    kept = {}
    for photo in PHOTOS:
        picture = Image.open(ROOT / "assets" / "photos" / photo).convert("RGB")
        side = min(picture.size)
        picture = picture.crop((0, 0, side, side))
        for side, draws in SIDES.items():
            view = np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS))
            key = f"{Path(photo).stem}/{side}"
            kept[key] = view
            part = (slice(None, None, 9), slice(None, None, 7)) if side == 224 else ()
            for severity in SEVERITIES:
                for name in CERTAIN:
                    kept[f"{key}/{name}/{severity}"] = corrupted(view, severity, name)[part]
                for name in RANDOM:
                    drawn = [figures(view, corrupted(view, severity, name)) for _ in range(draws)]
                    kept[f"{key}/{name}/{severity}"] = np.array([np.mean(drawn, 0), np.std(drawn, 0, ddof=1)])
    np.savez_compressed(ROOT / "tests" / "corruptions" / "expected.npz", **kept)


if __name__ == "__main__":
    main()
