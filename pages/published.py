"""Published and measured: the papers' figures beside ours, and why they part where they do."""

import pandas as pd
import streamlit as st

from nap_core import methods
from nap_core.figures.published import difference_colour, published_and_measured
from nap_core.metrics import METRIC_TITLES
from nap_core.paper import published_tables
from pages.components.results.comparison_choice import pick_metric
from pages.components.results.figure_view import show
from pages.components.study.frame import require_frame

require_frame()


def figures_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The comparison in percent, as it is shown."""
    return pd.DataFrame(
        {
            "OOD": rows["ood"],
            "Table": rows["table"].str.removeprefix("Table "),
            "Method": rows["published_as"],
            "As run here": [methods.title(spec) for spec in rows["method"]],
            "w": ["" if pd.isna(w) else f"{w:g}" for w in rows["w"]],
            "FPR95 paper": 100 * rows["published_fpr95"],
            "FPR95 here": 100 * rows["fpr95"],
            "AUROC paper": 100 * rows["published_auroc"],
            "AUROC here": 100 * rows["auroc"],
            "Difference": 100 * rows["difference"],
        }
    )


def points(difference: float) -> str:
    """A difference of shares in points, with a true minus sign."""
    return f"{100 * difference:+.2f}".replace("-", "−")


st.title("Do our numbers agree with the paper's?")
rows = published_tables.comparison()
metric = pick_metric("published_metric", default="auroc", labelled=False)
show(published_and_measured(rows, metric), "published")
st.caption(
    f"The NAP paper's CIFAR-10 network ({published_tables.NETWORK}), 10,000 CIFAR-10 test images as ID. "
    + " ".join(f"{name}: {note}" for name, note in published_tables.OOD_NOTES.items())
)
st.page_link(
    "pages/reproduce.py",
    label="Every table and figure of the paper, run on your study",
    icon=":material/science:",
)

st.subheader("Every figure")
table = figures_table(rows)
two_digits = dict.fromkeys(table.columns[5:9], "{:.2f}") | {"Difference": "{:+.2f}"}
st.dataframe(
    table.style.map(difference_colour, subset=["Difference"]).format(two_digits),
    hide_index=True,
    key="published-table",
)

st.subheader("Where they part by more than a point")
for row in rows[rows["note"] != ""].itertuples():
    st.markdown(f"- **{row.published_as}** on {row.ood} ({points(row.difference)}): {row.note}")

st.subheader("Methods that no paper measured on this network")
others = published_tables.without_counterpart()
wide = others.pivot_table(index="method", columns="ood", values=["fpr95", "auroc"], sort=False)
wide = (
    100 * wide.swaplevel(axis=1)[[(ood, figure) for ood in published_tables.OOD_NOTES for figure in ("fpr95", "auroc")]]
)
wide.columns = [f"{ood} {METRIC_TITLES[figure]}" for ood, figure in wide.columns]
wide.insert(0, "ID images", others.groupby("method", sort=False)["n_id"].first())
wide["ID accuracy"] = 100 * others.groupby("method", sort=False)["id_accuracy"].first()
wide.index = pd.Index([methods.title(str(spec)) for spec in wide.index], name="Method")
st.dataframe(wide.style.format("{:.1f}", subset=wide.columns[1:]), key="published-others")
st.caption(
    "FPR95, AUROC and accuracy in percent. Methods with a pass of their own ran on the first 1,000 images of each "
    "dataset. `make fidelity` measures all of it again."
)
