#!/usr/bin/env python3
"""Draw assets/icon.png: a channel's map with one bright peak, on the app's colour scale."""

from PIL import Image
from repository import ASSETS

ZERO, LOW, HIGH, PEAK = "#17092d", "#5c126e", "#e55c30", "#fcffa4"
MAP = (
    (ZERO, LOW, ZERO, ZERO),
    (LOW, HIGH, PEAK, LOW),
    (ZERO, LOW, HIGH, ZERO),
    (ZERO, ZERO, LOW, ZERO),
)

if __name__ == "__main__":
    icon = Image.new("RGB", (4, 4))
    for y, row in enumerate(MAP):
        for x, colour in enumerate(row):
            icon.putpixel((x, y), tuple(bytes.fromhex(colour[1:])))
    icon = icon.resize((64, 64), Image.Resampling.NEAREST)
    icon.save(ASSETS / "icon.png", optimize=True)
