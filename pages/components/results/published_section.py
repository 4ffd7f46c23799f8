"""The tab of published and measured results: the papers' values beside ours on the paper's own network."""

from typing import Any

import streamlit as st

from nap_core.figures.published import (
    comparison_table,
    difference_colour,
    points,
    published_and_measured,
    unpublished_table,
)
from nap_core.paper import published_tables
from pages.components.results.comparison_choice import pick_metric
from pages.components.results.figure_view import show


def section() -> None:
    """Draw the comparison figure, every value, the reasons for differences, and methods without published values."""
    rows = published_tables.comparison()
    metric = pick_metric("published_metric", default="auroc", labelled=False)
    show(published_and_measured(rows, metric), "published")
    st.caption(
        f"The NAP paper's CIFAR-10 network ({published_tables.NETWORK}), 10,000 CIFAR-10 test images as ID. "
        + " ".join(f"{name}: {note}" for name, note in published_tables.OOD_NOTES.items())
    )
    st.subheader("Every figure")
    table = comparison_table(rows)
    two_digits: dict[Any, Any] = dict.fromkeys(table.columns[5:9], "{:.2f}") | {"Difference": "{:+.2f}"}
    st.dataframe(
        table.style.map(difference_colour, subset=["Difference"]).format(two_digits),
        hide_index=True,
        key="published-table",
    )
    st.subheader("Where they part by more than a point")
    apart = rows[rows["note"] != ""]
    for row, difference in zip(apart.itertuples(), apart["difference"], strict=True):
        st.markdown(f"- **{row.published_as}** on {row.ood} ({points(difference)}): {row.note}")
    st.subheader("Methods that no paper measured on this network")
    wide = unpublished_table(published_tables.without_counterpart())
    st.dataframe(wide.style.format("{:.1f}", subset=wide.columns[1:]), key="published-others")
    st.caption(
        "FPR95, AUROC and accuracy in percent. Methods with a pass of their own ran on the first 1,000 images of each "
        "dataset. `make fidelity` measures all of it again."
    )
