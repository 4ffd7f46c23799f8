"""Captions on near-OOD, far-OOD and covariate shift, and Table 12 of the NAP paper beside measured values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nap_core.figures.published import comparison_table
from nap_core.figures.text import join, percent
from nap_core.metrics import METRIC_TITLES
from nap_core.paper import published_tables

if TYPE_CHECKING:
    from nap_core.analysis.covariate_shift import ShiftRates, ShiftResult
    from nap_core.studies.near_far import Nearness

SAME = 5e-4  # shares that print alike


def findings(
    responses: Sequence[ShiftResult], opened: str, groups: Mapping[Nearness, Sequence[str]], id_title: str
) -> list[str]:
    """Whether near-OOD is harder than far-OOD, and what the method rejects under covariate shift.

    Args:
        responses: One result a method, that of ``opened`` among them.
        opened: The method that the sentences are about.
        groups: Nearness → catalogue names of its OOD datasets.
        id_title: The title of the ID dataset.

    Returns:
        Paragraphs in Markdown, shares in percent: near and far and, where images were shifted, covariate shift.
    """
    one = next(one for one in responses if one.method == opened)
    sentences = [_near_and_far(responses, one, groups)]
    if one.shift is not None:
        sentences.append(_not_semantic(responses, one.title, one.shift, id_title))
    return sentences


def _near_and_far(responses: Sequence[ShiftResult], one: ShiftResult, groups: Mapping[Nearness, Sequence[str]]) -> str:
    near, far = groups.get("near", ()), groups.get("far", ())
    if not near or not far:
        return (
            f"**This study has no {'far-OOD' if near else 'near-OOD'} dataset**, so near and far cannot be compared. "
            "CIFAR-100 is near-OOD for CIFAR-10; an OOD dataset of the study can also be assigned by hand."
        )

    def rise(of: ShiftResult) -> float:
        return of.average(near, "kept") - of.average(far, "kept")

    harder = [other for other in responses if rise(other) > SAME]
    shares = [percent(one.average(names, "kept")) for names in (near, far)]
    accepts = f"{one.title} accepts {shares[0]} of near-OOD and {shares[1]} of far-OOD images as ID"
    if not harder:
        return f"**Near-OOD is not harder here**: {accepts}."
    who = "every method" if len(harder) == len(responses) else f"{len(harder)} of the {len(responses)} methods"
    sentence = f"**Near-OOD is harder for {who}**: {accepts}."
    steepest, gentlest = max(responses, key=rise), min(responses, key=rise)
    if len(responses) > 1 and rise(steepest) - rise(gentlest) > SAME:
        sentence += (
            f" From far to near, FPR95 rises most for {steepest.title}, by {100 * rise(steepest):.1f} points, and "
            f"least for {gentlest.title}, by {100 * rise(gentlest):.1f}."
        )
    return sentence


def _not_semantic(responses: Sequence[ShiftResult], title: str, shares: ShiftRates, id_title: str) -> str:
    """That shifted images are not OOD: the share of correctly classified images that a method rejects."""
    right, lost = float(shares.right[-1]), float(shares.rejected_among_right[-1])
    start = (
        "**Covariate shift is not semantic OOD**: the images are degraded and still show classes of the training data"
    )
    if not np.isfinite(lost):
        return f"{start}. {id_title} has no labels here, so the accuracy on these images is unknown."
    sentence = f"{start}. At severity 5 the network classifies {percent(right)} of them correctly, and {title} rejects "
    sentence += f"{percent(lost)} of these"
    others = {
        other.title: float(other.shift.rejected_among_right[-1])
        for other in responses
        if other.shift is not None and other.title != title
    }
    if others:
        least = min(others, key=others.__getitem__)
        fewest = ", the fewest" if others[least] < lost else ""
        sentence += f"; {least} rejects {percent(others[least])}{fewest}"
    return (
        f"{sentence}. A high AUROC on shifted images is no success: it shows how strongly a method depends on the "
        "appearance of images."
    )


def table_12(measured_here: pd.DataFrame | None) -> pd.DataFrame:
    """Table 12 of the NAP paper, CIFAR-10 against CIFAR-100, beside measured values.

    Args:
        measured_here: Rows of ``evaluation.evaluate`` of the table's methods against CIFAR-100 on this study; None
            leaves the columns of the study out.

    Returns:
        A row a method; the metrics as published, measured on the paper's network and on this study, in percent.
    """
    rows = published_tables.comparison().query("table == 'Table 12'")
    table = comparison_table(rows).drop(columns=["OOD", "Table", "w", "Difference"])
    table = table.rename(columns={f"{name} here": f"{name} its network" for name in METRIC_TITLES.values()})
    if measured_here is not None:
        ours = measured_here.set_index("method")
        for place, metric in ((4, "fpr95"), (7, "auroc")):
            values = [100 * float(ours[metric].get(spec, np.nan)) for spec in rows["method"]]
            table.insert(place, f"{metric.upper()} this study", values)
    return table


def table_12_words(table: pd.DataFrame) -> str:
    """For how many of the paper's three methods NAP raises the AUROC on near-OOD, as printed and as measured.

    Args:
        table: The result of ``table_12``.

    Returns:
        A sentence on Energy, ReAct and ASH: in the paper, on its network and, if measured, in this study.
    """
    columns = {"in the paper": "paper", "measured on its network": "its network", "in this study": "this study"}
    pairs = (("Energy", "NAP-E"), ("ReAct", "NAP-R"), ("ASH", "NAP-A"))
    parts = []
    for words, column in columns.items():
        if f"AUROC {column}" not in table:
            continue
        values = table.set_index("Method")[f"AUROC {column}"]
        helped = sum(bool(values[nap] > values[alone]) for alone, nap in pairs)
        parts.append(f"for {helped} of 3 methods {words}")
    return f"Adding NAP raises the AUROC on CIFAR-100 {join(parts)}."
