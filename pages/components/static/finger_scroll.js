// plotly.js takes a touch as the beginning of a drag and keeps the page from moving. Where nothing can be dragged the
// touch is hidden from it: the browser then scrolls and pinches as anywhere, and passes a tap on as a click.
export default function (component) {
  const inside = `.st-key-${component.data.figure} .js-plotly-plot`;
  const hide = (event) => { if (event.target.closest(inside)) event.stopPropagation(); };
  document.addEventListener("touchstart", hide, { capture: true, passive: true });
  return () => document.removeEventListener("touchstart", hide, { capture: true });
}
