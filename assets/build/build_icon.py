#!/usr/bin/env python3
"""Draw assets/icon.png: a channel's map with one bright peak, on the app's colour scale."""

from pathlib import Path

from PIL import Image

NO_CALLBACKS, LOW, HIGH, PEAK = "#17092d", "#5c126e", "#e55c30", "#fcffa4"
MAP = (
    (NO_CALLBACKS, LOW, NO_CALLBACKS, NO_CALLBACKS),
    (LOW, HIGH, PEAK, LOW),
    (NO_CALLBACKS, LOW, HIGH, NO_CALLBACKS),
    (NO_CALLBACKS, NO_CALLBACKS, LOW, NO_CALLBACKS),
)

if __name__ == "__main__":
    icon = Image.new("RGB", (4, 4))
    for y, row in enumerate(MAP):
        for x, colour in enumerate(row):
            icon.putpixel((x, y), tuple(bytes.fromhex(colour[1:])))
    icon = icon.resize((64, 64), Image.Resampling.NEAREST)
    icon.save(Path(__file__).resolve().parents[1] / "icon.png", optimize=True)
