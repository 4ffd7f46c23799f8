// Channels as tiles that can be clicked. A plotly figure of this many small maps cannot reflow for a narrow screen and
// cannot be walked through by keyboard: each tile is a button with an SVG of its own; saving puts them side by side.
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
    // eslint-disable-next-line no-restricted-properties -- every text went through safe()
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
