"""What is said of near, far and shifted, and the near-OOD table of the paper beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nap_core import methods
from nap_core.analysis.covariate_shift import ShiftRates, ShiftResult
from nap_core.figures.compare_methods.words import join
from nap_core.figures.picture import percent
from nap_core.paper import published_tables
from nap_core.studies.near_far import Nearness

SAME = 5e-4  # shares that print alike


def findings(
    responses: Sequence[ShiftResult], opened: str, groups: Mapping[Nearness, Sequence[str]], known: str
) -> list[str]:
    """Sentences on the study: whether near-OOD is harder than far-OOD, and what covariate shift is not. Markdown.

    ``opened`` is the method that is spoken of, ``known`` the title of the ID dataset.
    """
    one = next(one for one in responses if one.method == opened)
    sentences = [_near_and_far(responses, one, groups)]
    if one.shift is not None:
        sentences.append(_not_semantic(responses, one.title, one.shift, known))
    return sentences


def _near_and_far(responses: Sequence[ShiftResult], one: ShiftResult, groups: Mapping[Nearness, Sequence[str]]) -> str:
    near, far = groups.get("near", ()), groups.get("far", ())
    if not near or not far:
        absent = "near-OOD" if not near else "far-OOD"
        return (
            f"**This study has no {absent} dataset**, so near and far cannot be compared. Add one in “Change the "
            "study” (CIFAR-100 is near to CIFAR-10), or say under “Near or far?” which of yours it is."
        )

    def rise(of: ShiftResult) -> float:
        return of.average(near, "kept") - of.average(far, "kept")

    harder = [other for other in responses if rise(other) > SAME]
    passes = f"{one.title} lets {percent(one.average(near, 'kept'))} of near-OOD pass and "
    passes += f"{percent(one.average(far, 'kept'))} of far-OOD"
    if not harder:
        return f"**Near-OOD is not harder here**: {passes}."
    who = "every method" if len(harder) == len(responses) else f"{len(harder)} of the {len(responses)} methods"
    sentence = f"**Near-OOD is harder for {who}**: {passes}."
    steepest = max(responses, key=rise)
    gentlest = min(responses, key=rise)
    if len(responses) > 1 and rise(steepest) - rise(gentlest) > SAME:
        sentence += (
            f" From far to near, FPR95 rises most for {steepest.title}, by {100 * rise(steepest):.1f} points, and "
            f"least for {gentlest.title}, by {100 * rise(gentlest):.1f}."
        )
    return sentence


def _not_semantic(responses: Sequence[ShiftResult], title: str, shares: ShiftRates, known: str) -> str:
    """That shifted images are no OOD: what rejecting them throws away."""
    right, lost = float(shares.right[-1]), float(shares.rejected_among_right[-1])
    start = "**Covariate shift is not semantic OOD**: the images look worse and still show what the network knows"
    if not np.isfinite(lost):
        return f"{start}. The classes of {known} are not known here, so it cannot be said what the network gets right."
    sentence = (
        f"{start}. At severity 5 it is right on {percent(right)} of them, and {title} rejects {percent(lost)} of "
        "these right ones"
    )
    others = {
        other.title: float(other.shift.rejected_among_right[-1])
        for other in responses
        if other.shift is not None and other.title != title
    }
    if others:
        least = min(others, key=others.__getitem__)
        fewest = ", the fewest" if others[least] < lost else ""
        sentence += f"; {least} rejects {percent(others[least])}{fewest}"
    return f"{sentence}. A high AUROC on shifted images is no success: it says how much a method minds how images look."


def table_12(measured_here: pd.DataFrame | None) -> pd.DataFrame:
    """Table 12, CIFAR-10 against CIFAR-100: published, measured on the paper's network, and on this study, in percent.

    ``measured_here`` are rows of ``evaluation.evaluate`` of the table's methods against CIFAR-100; None
    leaves the last two columns out.
    """
    rows = published_tables.comparison().query("table == 'Table 12'")
    table = pd.DataFrame(
        {
            "Method": rows["published_as"],
            "As run here": [methods.title(spec) for spec in rows["method"]],
            "FPR95 paper": 100 * rows["published_fpr95"],
            "FPR95 its network": 100 * rows["fpr95"],
            "AUROC paper": 100 * rows["published_auroc"],
            "AUROC its network": 100 * rows["auroc"],
        }
    )
    if measured_here is not None:
        ours = measured_here.set_index("method")
        table.insert(4, "FPR95 this study", [100 * float(ours["fpr95"].get(spec, np.nan)) for spec in rows["method"]])
        table["AUROC this study"] = [100 * float(ours["auroc"].get(spec, np.nan)) for spec in rows["method"]]
    return table


def table_12_words(table: pd.DataFrame) -> str:
    """For how many of the paper's three methods NAP helps on near-OOD, as printed and as measured."""
    columns = {"in the paper": "paper", "measured on its network": "its network", "in this study": "this study"}
    pairs = (("Energy", "NAP-E"), ("ReAct", "NAP-R"), ("ASH", "NAP-A"))
    said = []
    for words, column in columns.items():
        if f"AUROC {column}" not in table:
            continue
        values = table.set_index("Method")[f"AUROC {column}"]
        helped = sum(bool(values[nap] > values[alone]) for alone, nap in pairs)
        said.append(f"for {helped} of 3 methods {words}")
    return f"Adding NAP raises the AUROC on CIFAR-100 {join(said)}."
