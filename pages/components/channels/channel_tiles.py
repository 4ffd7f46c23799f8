"""Channels as tiles that can be clicked: two small maps each, ID above OOD, with their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from plotly.colors import get_colorscale, sample_colorscale, unlabel_rgb

from nap_core.figures.activation_maps import Subject, Tiles
from nap_core.figures.palette import SEQUENTIAL
from nap_core.figures.picture import three_digits
from pages.components.browser_component import browser_component, click_reruns

_tiles = browser_component("channel_tiles")
_PALETTE = [
    "#{:02x}{:02x}{:02x}".format(*(round(part) for part in unlabel_rgb(colour)))
    for colour in sample_colorscale(get_colorscale(SEQUENTIAL), list(np.linspace(0, 1, 64)))
]


def show_tiles(tiles: Tiles, key: str, *, selected: int | None, with_contribution: bool) -> int | None:
    """Draw the tiles, their colour scale and what saves them, with their reading; the channel clicked just now."""
    result = _tiles(
        key=key,
        data={
            "tiles": [_tile(tiles, channel, with_contribution) for channel in tiles.channels],
            "top": tiles.top,
            "end": three_digits(tiles.top),
            "value": tiles.known.kind.value,
            "palette": _PALETTE,
            "selected": selected,
            "label": f"{tiles.known.kind.many.capitalize()}: the ID image's map above the OOD image's",
            "name": tiles.name,
            "csv": tiles.table.to_csv(index=False),
        },
        on_channel_change=click_reruns,
    )
    st.markdown(tiles.reading)
    clicked: int | None = result.channel
    return clicked


def _tile(tiles: Tiles, channel: int, with_contribution: bool) -> dict[str, Any]:
    halves = [_half(subject, channel, with_contribution) for subject in (tiles.known, tiles.met)]
    spoken = "; ".join(f"{half['role']} image: {', '.join(half['lines'])}" for half in halves)
    name = tiles.known.kind.name(channel)
    return {"channel": channel, "title": name, "halves": halves, "label": f"{name[0].upper()}{name[1:]}. {spoken}"}


def _half(subject: Subject, channel: int, with_contribution: bool) -> dict[str, Any]:
    numbers = {"max": subject.maximum, "mean": subject.mean, "ratio": subject.ratio}
    if subject.kind.of_heads:
        # The mean is nearly the same in all. As a share: a tile has no room for 0.00947.
        lines = [f"max {100 * float(subject.maximum[channel]):.2f} %"]
    else:
        lines = [f"{name} {_short(float(values[channel]))}" for name, values in numbers.items()]
    if with_contribution and subject.contribution is not None:
        lines.append(f"adds {round(float(subject.contribution[channel]), 2) + 0.0:+.2f}".replace("-", "−"))
    return {
        "role": subject.role,
        "colour": subject.colour,
        "map": [[float(f"{value:.3g}") for value in row] for row in subject.maps[channel].tolist()],
        "lines": lines,
    }


def _short(value: float) -> str:
    """Three significant digits, but no more than three decimals: there is no room for more in a tile."""
    return three_digits(value) if value == 0 or value >= 0.1 else f"{value:.3f}"
