"""An entry, run: measured, set beside what the paper prints, and compared with its claim."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from nap_core.analysis.accuracy_check import accuracy_warning
from nap_core.paper.comparison import compare, published_for
from nap_core.paper.findings import Finding, finding
from nap_core.paper.inputs import ReproductionInput
from nap_core.paper.measuring import measure
from nap_core.paper.spec import Entry, Setting
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

__all__ = ["Reproduced", "ReproductionInput", "run"]


@dataclass(frozen=True)
class Reproduced:
    """An entry with its published and measured values.

    Attributes:
        entry: The table or figure.
        table: The columns of ``comparison.COLUMNS``, one row a (row, dataset, metric); shares, w as it is.
        titles: Catalogue name → title of the OOD datasets.
        network: The title of the network.
        beside: The paper's setting that the values are compared with; None where none is like it.
        finding: Whether the claim holds; None where the values do not bear on it.
        remarks: The differences from the paper's experiment, a sentence each.
        slips: Notes on the paper's own table, a sentence each.
        accuracy_warning: What is suspicious about the ID accuracy, a sentence; empty where nothing is.
    """

    entry: Entry
    table: pd.DataFrame
    titles: dict[str, str]
    network: str
    beside: Setting | None
    finding: Finding | None
    remarks: tuple[str, ...]
    slips: tuple[str, ...]
    accuracy_warning: str = ""

    @property
    def unable(self) -> dict[str, str]:
        """By row: why it could not be measured."""
        gone = self.table[self.table["measured"].isna() & self.table["published"].isna() & (self.table["note"] != "")]
        return dict(zip(gone["row"], gone["note"], strict=True))


def run(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks = NO_CALLBACKS) -> Reproduced:
    """Measure an entry and set it beside the paper.

    Args:
        entry: The table or figure.
        subject: The network and the images.
        callbacks: Progress and cancellation.

    Returns:
        Published and measured values, and whether the paper's claim holds.

    Raises:
        UserError: As ``measuring.measure`` does.
        ExtractionStopped: On request; a second call goes on from there.
    """
    measured = measure(entry, subject, callbacks)
    published = published_for(entry, subject)
    table = compare(measured, published)
    notes = [note for note in dict.fromkeys(published["note"]) if note]
    return Reproduced(
        entry,
        table,
        dict(subject.titles),
        subject.model.title,
        subject.setting(entry),
        finding(entry, measured),
        tuple(subject.remarks(entry)),
        (*entry.notes, *notes),
        accuracy_warning(subject.data) or "",
    )
