"""What pages let a visitor choose when methods are compared: the metric, and the method that is opened."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nap_core import methods
from nap_core.metrics import METRIC_TITLES, Metric


def pick_metric(key: str, *, default: Metric = "fpr95", labelled: bool = True) -> Metric:
    """FPR95 or AUROC; ``key`` is its name in the address."""
    metric: Metric = st.segmented_control(
        "Metric",
        list(METRIC_TITLES),
        default=default,
        required=True,
        format_func=METRIC_TITLES.__getitem__,
        key=key,
        bind="query-params",
        label_visibility="visible" if labelled else "collapsed",
    )
    return metric


def pick_opened(key: str, specs: Sequence[str]) -> str:
    """The method that a page looks at more closely, the last of ``specs`` first; ``key`` is its name in the address."""
    if st.session_state.get(key, specs[0]) not in specs:
        del st.session_state[key]
    opened: str = st.selectbox(
        "Method, opened",
        specs,
        index=len(specs) - 1,
        format_func=methods.title,
        key=key,
        bind="query-params",
        width=230,
        filter_mode=None,
    )
    return opened
