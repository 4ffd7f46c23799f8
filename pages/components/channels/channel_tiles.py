"""Channels as tiles that can be clicked: two small maps each, ID above OOD, with their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from plotly.colors import get_colorscale, sample_colorscale, unlabel_rgb

from nap_core.figures.activation_maps import Subject, Tiles
from nap_core.figures.palette import SEQUENTIAL
from nap_core.figures.picture import three_digits

# A plotly figure of this many small maps cannot reflow for a narrow screen and cannot be walked through by keyboard:
# each tile is a button with a drawing of its own; saving puts the drawings side by side.
_JS = """
const WIDTH = 132, SIDE = 64, TEXT = 12, PER_ROW = 8;
const safe = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

function map(half, top, palette, y) {
  const size = SIDE / Math.max(half.map.length, half.map[0].length);
  const cells = half.map.flatMap((row, r) => row.map((value, c) => {
    const colour = palette[Math.round((palette.length - 1) * (top > 0 ? Math.min(value / top, 1) : 0))];
    const place = `x="${8 + c * size}" y="${y + r * size}" width="${size + 0.05}" height="${size + 0.05}"`;
    return `<rect ${place} fill="${colour}" data-value="${half.role}: ${value} in row ${r + 1}, column ${c + 1}"/>`;
  }));
  const lines = half.lines.map((line, i) =>
    `<text x="78" y="${y + TEXT + i * 16}" font-size="11" fill="currentColor">${safe(line)}</text>`);
  return `<rect x="0" y="${y}" width="4" height="${SIDE}" fill="${half.colour}"/>` + cells.join("") + lines.join("");
}

function drawing(tile, data) {
  const title = `<text x="0" y="12" font-size="12" font-weight="600" fill="currentColor">`;
  const maps = tile.halves.map((half, i) => map(half, data.top, data.palette, 20 + 70 * i));
  return `${title}${safe(tile.title)}</text>${maps.join("")}`;
}

function whole(data, colour, font) {
  const rows = Math.ceil(data.tiles.length / PER_ROW), columns = Math.min(data.tiles.length, PER_ROW);
  const width = columns * (WIDTH + 12), height = rows * 170 + 24;
  const tiles = data.tiles.map((tile, i) => {
    const place = `${(i % PER_ROW) * (WIDTH + 12)},${Math.floor(i / PER_ROW) * 170}`;
    return `<g transform="translate(${place})">${drawing(tile, data)}</g>`;
  });
  const stops = data.palette.map((c, i) => `<stop offset="${i / (data.palette.length - 1)}" stop-color="${c}"/>`);
  const scale = `<defs><linearGradient id="scale">${stops.join("")}</linearGradient></defs>
    <rect x="0" y="${rows * 170}" width="160" height="10" fill="url(#scale)"/>
    <text x="170" y="${rows * 170 + 10}" font-size="11" fill="currentColor">${data.value}, 0 to ${data.end}</text>`;
  return { width, height, text: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"
    viewBox="0 0 ${width} ${height}" color="${colour}" font-family="${safe(font)}"
    shape-rendering="crispEdges">${tiles.join("")}${scale}</svg>` };
}

function download(address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

async function save(format, data, root) {
  const address = (kind, text) => `data:${kind};charset=utf-8,${encodeURIComponent(text)}`;
  if (format === "csv") return download(address("text/csv", data.csv), `${data.name}.csv`);
  const style = getComputedStyle(root);
  const { width, height, text } = whole(data, style.color, style.fontFamily);
  const svg = address("image/svg+xml", text);
  if (format === "svg") return download(svg, `${data.name}.svg`);
  const picture = new Image();
  picture.src = svg;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  download(canvas.toDataURL("image/png"), `${data.name}.png`);
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".band"), strip = root.querySelector(".tiles");
  strip.setAttribute("aria-label", data.label);
  // Buttons are kept from run to run, so that the focus, the scroll position and a pointer over them stay.
  while (strip.children.length > data.tiles.length) strip.lastChild.remove();
  while (strip.children.length < data.tiles.length) strip.append(document.createElement("button"));
  data.tiles.forEach((tile, index) => {
    const button = strip.children[index];
    const shown = `<svg viewBox="0 0 ${WIDTH} 156" shape-rendering="crispEdges" aria-hidden="true">` +
      `${drawing(tile, data)}</svg>`;
    if (button.shown !== shown) button.innerHTML = button.shown = shown;
    button.type = "button";
    button.className = "tile";
    button.setAttribute("aria-pressed", String(tile.channel === data.selected));
    button.setAttribute("aria-label", tile.label);
    button.onclick = () => setTriggerValue("channel", tile.channel);
  });
  root.querySelector(".scale").style.background = `linear-gradient(to right, ${data.palette.join(",")})`;
  root.querySelector(".start").textContent = `${data.value} 0`;
  root.querySelector(".end").textContent = data.end;
  const value = root.querySelector(".value");
  strip.onpointermove = (event) => {
    const cell = event.target.dataset?.value;
    value.hidden = !cell;
    if (!cell) return;
    value.textContent = cell;
    const box = root.getBoundingClientRect();
    const left = Math.min(event.clientX - box.left + 14, box.width - value.offsetWidth - 4);
    value.style.transform = `translate(${Math.max(left, 0)}px, ${event.clientY - box.top + 14}px)`;
  };
  strip.onpointerleave = () => { value.hidden = true; };
  for (const button of root.querySelectorAll(".save button")) {
    button.onclick = () => save(button.dataset.format, data, root);
  }
}
"""
_HTML = """
<div class="band">
  <div class="foot">
    <span class="start"></span><span class="scale"></span><span class="end"></span>
    <span class="save">Save
      <button type="button" data-format="png" title="Save the tiles as PNG">PNG</button>
      <button type="button" data-format="svg" title="Save the tiles as SVG">SVG</button>
      <button type="button" data-format="csv" title="Save the numbers as CSV">CSV</button>
    </span>
  </div>
  <div class="tiles" role="group"></div>
  <div class="value" hidden></div>
</div>
"""
_CSS = """
.band { position: relative; color: var(--st-text-color); font: 13px/1.3 var(--st-font); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(126px, 1fr)); gap: 8px; padding: 3px; }
.tile {
  padding: 6px 6px 2px; cursor: pointer; text-align: left; color: inherit; font: inherit;
  background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color); border-radius: 6px;
}
.tile svg { display: block; width: 100%; max-width: 150px; margin: auto; font-variant-numeric: tabular-nums; }
.tile:hover { border-color: var(--st-primary-color); }
.tile[aria-pressed="true"] { outline: 3px solid var(--st-primary-color); }
.tile:focus-visible { outline: 2px solid var(--st-primary-color); }
.foot { display: flex; align-items: center; flex-wrap: wrap; gap: 8px; padding: 0 3px 6px; }
.scale { width: 140px; height: 10px; border-radius: 2px; }
.save { margin-left: auto; display: flex; gap: 6px; align-items: center; }
.save button {
  cursor: pointer; font: inherit; color: inherit; padding: 2px 10px; background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
.save button:hover, .save button:focus-visible {
  border-color: var(--st-primary-color); color: var(--st-primary-color);
}
.value {
  position: absolute; top: 0; left: 0; pointer-events: none; padding: 3px 8px; border-radius: 4px; z-index: 2;
  color: var(--st-background-color); background: var(--st-text-color); white-space: nowrap;
}
@media (max-width: 640px) {
  .tiles { grid-template-columns: none; grid-template-rows: auto auto; grid-auto-flow: column;
    grid-auto-columns: 132px; overflow-x: auto; }
}
"""
_tiles = st.components.v2.component("nap_channel_tiles", html=_HTML, css=_CSS, js=_JS)
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
            "value": tiles.id_image.kind.value,
            "palette": _PALETTE,
            "selected": selected,
            "label": f"{tiles.id_image.kind.many.capitalize()}: the ID image's map above the OOD image's",
            "name": tiles.name,
            "csv": tiles.table.to_csv(index=False),
        },
        on_channel_change=_noted,
    )
    st.markdown(tiles.reading)
    return result.channel


def _tile(tiles: Tiles, channel: int, with_contribution: bool) -> dict[str, Any]:
    halves = [_half(subject, channel, with_contribution) for subject in (tiles.id_image, tiles.ood_image)]
    spoken = "; ".join(f"{half['role']} image: {', '.join(half['lines'])}" for half in halves)
    name = tiles.id_image.kind.name(channel)
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


def _noted() -> None:
    """A click reruns the page by itself; nothing else is to be done."""
