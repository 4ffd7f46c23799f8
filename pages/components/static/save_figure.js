// Streamlit keeps plotly.js to itself, but the drawn figure carries its settings and its own camera button.
export default function (component) {
  const { parentElement, data } = component;
  const root = parentElement.querySelector(".save");
  root.replaceChildren();
  for (const format of ["png", "svg"]) {
    const button = document.createElement("button");
    button.textContent = format.toUpperCase();
    button.title = `Save the figure as ${format.toUpperCase()}`;
    button.onclick = () => {
      const graph = document.querySelector(`.st-key-${data.figure} .js-plotly-plot`);
      if (!graph) return;
      const options = graph._context.toImageButtonOptions;
      Object.assign(options, { format, filename: data.name, scale: format === "png" ? 2 : 1 });
      graph.querySelector('.modebar-btn[data-title*="ownload"]').click();
    };
    root.append(button);
  }
}
