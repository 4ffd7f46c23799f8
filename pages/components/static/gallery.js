// Thumbnails that can be clicked: a filmstrip that scrolls, or rows that wrap.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const strip = parentElement.querySelector(".strip");
  strip.className = `strip ${data.wrap ? "wrap" : "film"}`;
  strip.setAttribute("aria-label", data.label);
  const kept = strip.scrollLeft;
  strip.replaceChildren();
  data.items.forEach((item, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(index === data.selected));
    const words = [item.caption, item.note, item.detail].filter(Boolean).join(", ");
    button.setAttribute("aria-label", words);
    button.title = words;
    if (item.colour) button.style.setProperty("--mark", item.colour);
    const image = document.createElement("img");
    image.src = item.source;
    image.alt = "";
    button.append(image);
    for (const [text, name] of [[item.caption, "caption"], [item.note, "note"], [item.detail, "note"]]) {
      if (!text) continue;
      const line = document.createElement("span");
      line.className = name;
      line.textContent = text;
      button.append(line);
    }
    button.disabled = !data.clickable;
    button.onclick = () => setTriggerValue("clicked", index);
    strip.append(button);
  });
  strip.scrollLeft = kept;
  // The chosen picture comes into view when another one is chosen, not when the reader has scrolled away from it.
  const chosen = strip.children[data.selected ?? -1], source = data.items[data.selected ?? -1]?.source;
  if (chosen && strip.chosen !== source) {
    const [inner, outer] = [chosen.getBoundingClientRect(), strip.getBoundingClientRect()];
    const hidden = inner.left < outer.left || inner.right > outer.right;
    if (hidden) strip.scrollLeft += inner.left - outer.left - outer.width / 3;
  }
  strip.chosen = source;
}
