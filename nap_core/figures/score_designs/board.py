"""The metrics of ``score_variants.design_table``, their caption, and their table as the paper prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from nap_core import methods
from nap_core.analysis.comparison import AVERAGE
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.text import EXTREME, column_title, out_of, percent, signed
from nap_core.metrics import METRIC_TITLES, Metric


@dataclass(frozen=True)
class Board:
    """The metrics of the designs, and the titles of the datasets.

    Attributes:
        table: The rows of ``score_variants.design_table``, metrics as shares.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.
    """

    table: pd.DataFrame
    titles: Mapping[str, str]
    colours: Mapping[str, str]

    @property
    def baseline(self) -> str:
        """The title of the method that the designs are combined with."""
        return methods.title(str(self.table.loc[self.table["design"] == "", "method"].iloc[0]))

    @property
    def designs(self) -> list[str]:
        return [design for design in self.table["design"].unique() if design]

    @property
    def columns(self) -> list[str]:
        """The OOD datasets and, of several, their average."""
        return list(self.table["ood"].unique())

    def value(self, metric: str, design: str, ood: str, combined: bool = False) -> float:
        """A metric of one method on one OOD dataset.

        Args:
            metric: "fpr95" or "auroc".
            design: A name of ``designs``; "" is the baseline.
            ood: Catalogue name of the OOD dataset, or ``AVERAGE``.
            combined: Whether the design is combined with the baseline; false for the baseline itself.

        Returns:
            The metric, a share.
        """
        rows = self.table
        chosen = rows[(rows["design"] == design) & (rows["combined"] == combined) & (rows["ood"] == ood)]
        return float(chosen[metric].iloc[0])

    def best(self, metric: Metric, ood: str, combined: bool) -> list[str]:
        """The designs with the lowest FPR95 or the highest AUROC, several where they print alike.

        Args:
            metric: "fpr95" or "auroc".
            ood: Catalogue name of the OOD dataset, or ``AVERAGE``.
            combined: Whether the designs are compared combined with the baseline or alone.

        Returns:
            The names of the designs, at least one, in the order of ``designs``.
        """
        pick = min if metric == "fpr95" else max
        values = {design: round(100 * self.value(metric, design, ood, combined), 1) for design in self.designs}
        return [design for design, value in values.items() if value == pick(values.values())]

    def title(self, ood: str) -> str:
        """The title of a column.

        Args:
            ood: Catalogue name of the OOD dataset, or ``AVERAGE``.

        Returns:
            The title of the dataset, "Average" for ``AVERAGE``.
        """
        return column_title(ood, self.titles)

    def colour(self, ood: str) -> str:
        """The colour of a column.

        Args:
            ood: Catalogue name of the OOD dataset, or ``AVERAGE``.

        Returns:
            The colour of the dataset, grey for ``AVERAGE``.
        """
        return NEUTRAL if ood == AVERAGE else self.colours[ood]

    def called(self, design: str, combined: bool) -> str:
        """The title of a design, alone or combined.

        Args:
            design: A name of ``designs``.
            combined: Whether the design is combined with the baseline.

        Returns:
            "S_NAP", or "Minus+Energy" for a combination.
        """
        title = methods.title(design)
        return f"{title}+{self.baseline}" if combined else title


def reading(board: Board, metric: Metric) -> str:
    """The design that is best combined, on how many datasets, beside the baseline; and the best one alone.

    Args:
        board: The metrics of every design.
        metric: "fpr95" or "auroc".

    Returns:
        The caption of Table 6's picture, one sentence.
    """
    names = [name for name in board.columns if name != AVERAGE]
    overall = board.columns[-1]
    extreme = EXTREME[metric]
    leader = _leader(board, metric, overall, combined=True)
    value = percent(board.value(metric, leader, overall, True))
    base = f"{board.baseline} alone has {percent(board.value(metric, '', overall))}"
    alone = board.best(metric, overall, combined=False)
    value_alone = percent(board.value(metric, alone[-1], overall, False))
    if len(alone) == len(board.designs):
        last = f"the designs alone all have {value_alone}"
    else:
        last = f"of the designs alone, {methods.title(alone[-1])} has the {extreme}: {value_alone}"
    what = (
        f"{board.called(leader, True)} has the {extreme} {METRIC_TITLES[metric]} of the {_number(len(board.designs))}"
    )
    if len(names) == 1:
        return f"{what} on {board.titles[names[0]]}, {value}, where {base}; {last}."
    others = [name for name in names if leader not in board.best(metric, name, True)]
    won = len(names) - len(others)
    if won == 0:
        where = f"on average, {value}, though on none of the {len(names)} OOD datasets"
    else:
        where = f"on {out_of(won, len(names))} and on average, {value}"
        if others:
            where += f" ({_exceptions(board, metric, others)})"
    return f"{what} {where}; {base}, and {last}."


def _leader(board: Board, metric: Metric, ood: str, combined: bool) -> str:
    """The best design; S_NAP among equals."""
    return board.best(metric, ood, combined)[-1]


def _exceptions(board: Board, metric: Metric, names: Sequence[str]) -> str:
    return ", ".join(
        f"on {board.titles[name]} {methods.title(_leader(board, metric, name, combined=True))} has it" for name in names
    )


def _number(count: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(count, str(count))


def printed_table(
    board: Board, metric: Metric, published: Mapping[str, tuple[float, float]] | None = None
) -> pd.DataFrame:
    """Table 6 as the paper prints it: metrics in percent, in brackets the difference from the baseline in points.

    Args:
        board: The metrics of every design.
        metric: "fpr95" or "auroc".
        published: Design → the paper's FPR95 and AUROC, shares; "" is the baseline. None or empty leaves the paper's
            column out.

    Returns:
        A row the baseline, each design combined, then each alone; the paper has no values of designs alone.
    """
    kinds = [("", False), *((one, True) for one in board.designs), *((one, False) for one in board.designs)]
    rows = []
    for design, combined in kinds:
        name = board.called(design, combined) if design else f"{board.baseline} (baseline)"
        cells = {
            board.title(ood): _cell(board.value(metric, design, ood, combined), board.value(metric, "", ood), design)
            for ood in board.columns
        }
        rows.append({"Score": name, **cells})
        if published:
            of = 0 if metric == "fpr95" else 1
            printed = design in published and (combined or not design)
            rows[-1]["Table 6 (paper)"] = _cell(published[design][of], published[""][of], design, 2) if printed else ""
    return pd.DataFrame(rows)


def _cell(value: float, baseline: float, design: str, digits: int = 1) -> str:
    shown = f"{100 * value:.{digits}f}"
    return f"{shown} ({points(value - baseline, digits)})" if design else shown


def points(change: float, digits: int = 1) -> str:
    """A difference of shares in percentage points.

    Args:
        change: The difference, a share.
        digits: The decimals.

    Returns:
        The points with their sign: "−12.8", "+0.3".
    """
    return signed(round(100 * change, digits) + 0.0, f"+.{digits}f")  # + 0.0: no "−0.0"
