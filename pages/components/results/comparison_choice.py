"""What pages let a visitor choose when methods are compared: the metric, and the method that is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from nap_core import methods
from nap_core.metrics import METRIC_TITLES, Metric
from pages.components.controls import pick_one


def pick_metric(key: str, *, default: Metric = "fpr95", labelled: bool = True) -> Metric:
    """FPR95 or AUROC; ``key`` is its name in the address."""
    shown = "visible" if labelled else "collapsed"
    return cast(Metric, pick_one("Metric", METRIC_TITLES, key, first=default, segments=True, label_visibility=shown))


def pick_opened(key: str, specs: Sequence[str]) -> str:
    """The method that a page looks at more closely, the last of ``specs`` first; ``key`` is its name in the address."""
    return pick_one("Method, opened", specs, key, titled=methods.title, first=specs[-1], width=230)
