"""A report in one file, which loads nothing from elsewhere: figures with hover texts, tables, provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from jinja2 import Environment
from plotly.offline import get_plotlyjs

from nap_core import methods
from nap_core.analysis import bootstrap
from nap_core.analysis.comparison import BEST, SECOND, Scoreboard, scoreboard
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.compare_methods import (
    correlation_picture,
    fpr_curves,
    heat_table,
    interval_picture,
    pareto_picture,
    remarks,
    roc_curves,
)
from nap_core.figures.picture import Picture, percent
from nap_core.figures.text import column_title
from nap_core.metrics import METRIC_TITLES

_PAGE = Path(__file__).parent / "page.html"
Cell = str | Mapping[str, str]
Block = Mapping[str, Any]
Section = tuple[str, Sequence[Block], Sequence[Block]]  # a heading, figures and tables; page.html has their fields


def html_report(
    sentence: str,
    rows: Sequence[MethodScores],
    results: pd.DataFrame,
    intervals: pd.DataFrame,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
) -> str:
    """The comparison as one HTML document, with plotly.js inside, in the reader's light or dark.

    Args:
        sentence: The study in words, shown under the heading.
        rows: The scores of every method.
        results: Rows of ``evaluation.evaluate`` of the same methods, shares.
        intervals: ``bootstrap.intervals`` of every method, shares.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.

    Returns:
        The text of an HTML file.

    Raises:
        ValueError: A pair of method and OOD dataset has two rows in ``results``, or scores are empty or not finite.
        IndexError: A method has no interval on one of the OOD datasets or on their average.
        UserError: A method is not in the catalogue.
    """
    boards = [scoreboard(results, "fpr95"), scoreboard(results, "auroc")]
    column = boards[0].columns[-1]
    best = boards[0].leaders(column)[0]
    against = boards[0].datasets
    below = set(results.loc[results["below_chance"] != "", "method"])
    heats, certain = {}, {}
    for board in boards:
        metric = METRIC_TITLES[board.metric]
        heats[metric] = heat_table(board, rows, titles, colours, (best, column), intervals, below)
        certain[f"{metric}, intervals"] = interval_picture(board, intervals, column, titles)
    curves = {
        "ROC curves": roc_curves(rows, against, best, titles),
        "FPR over TPR": fpr_curves(rows, against, best, titles),
    }
    others = {"ID accuracy and AUROC": pareto_picture(results), "Rank correlation": correlation_picture(rows)}
    numbers = [_numbers(board, intervals, titles) for board in boards]
    sections: list[Section] = [
        ("Results", _figures(heats), numbers),
        ("Curves", _figures(curves), []),
        ("How certain the numbers are", _figures(certain), []),
        ("What accuracy costs, and who agrees", _figures(others), []),
        ("Methods", [], [_methods(results)]),
        ("Provenance", [], [_provenance(results, titles)]),
    ]
    page = Environment(autoescape=True).from_string(_PAGE.read_text(encoding="utf-8"))
    return page.render(
        sentence=sentence,
        warning=results.iloc[0]["accuracy_warning"],
        remarks=remarks(results),
        resamples=f"{bootstrap.RESAMPLES:,}",
        sections=sections,
        plotly=get_plotlyjs(),
    )


def plain(picture: Picture) -> go.Figure:
    """A figure as it looks outside the app, whose theme it is otherwise drawn for.

    Args:
        picture: The figure with its caption; it is left unchanged.

    Returns:
        A copy of the figure with Plotly's white theme and the system's font; a click selects no point.
    """
    figure = go.Figure(picture.figure)
    return figure.update_layout(template="plotly_white", clickmode="event", font={"family": "system-ui, sans-serif"})


def _figures(pictures: Mapping[str, Picture | None]) -> list[Block]:
    """Title → picture, None for a picture that these results do not give, as the page's figures."""
    return [
        {
            "title": title,
            "name": title.lower().replace(" ", "-"),
            "reading": picture.reading,
            "height": picture.figure.layout.height or 450,
            # No string in it can end the script.
            "data": str(_transparent(picture).to_json()).replace("</", "<\\/"),
        }
        for title, picture in pictures.items()
        if picture is not None
    ]


def _transparent(picture: Picture) -> go.Figure:
    return plain(picture).update_layout(paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)")


def _table(heads: Sequence[str], lines: Sequence[Sequence[Cell]], caption: str) -> Block:
    """The first cell of each line names it."""
    return {"heads": heads, "lines": lines, "caption": caption}


def _numbers(board: Scoreboard, intervals: pd.DataFrame, titles: Mapping[str, str]) -> Block:
    """One metric of all methods on all datasets, each with its interval."""
    bounds = intervals.set_index(["method", "ood"])
    heads = ["Method", *(column_title(name, titles) for name in board.columns)]
    lines = []
    for row, method in enumerate(board.methods):
        cells: list[Cell] = [methods.title(method)]
        for position, column in enumerate(board.columns):
            low, high = (float(bounds[f"{board.metric}_{end}"][method, column]) for end in ("low", "high"))
            tag = {BEST: "b", SECOND: "u"}.get(int(board.places[row, position]), "span")
            value = f"{100 * board.values[row, position]:.1f}"
            small = f"{100 * low:.1f} to {100 * high:.1f}"
            cells.append({"tag": tag, "text": value, "small": small})
        lines.append(cells)
    return _table(heads, lines, f"{METRIC_TITLES[board.metric]} in percent, with the 95 % interval below")


def _methods(results: pd.DataFrame) -> Block:
    """What each method is, its parameters and what it does to ID accuracy."""
    lines = []
    for spec, rows in results.groupby("method", sort=False):
        method, first = methods.parse(str(spec)), rows.iloc[0]
        record = method.record
        weight = "" if method.prior is None else f"w = {first['w']:g}"
        origin = f"({first['parameters_origin']})" if first["parameters_origin"] else ""
        settings = ", ".join(filter(None, [str(first["parameters"]).replace(" ", ", "), weight]))
        settings = f"{settings} {origin}".strip()
        accuracy = "unknown" if pd.isna(first["id_accuracy"]) else percent(float(first["id_accuracy"]))
        formula = record.formula if method.prior is None else f"{method.prior.title} combined with: {record.formula}"
        source = f"{record.paper}, {record.venue} {record.year}".replace(",  ", ", ")
        lines.append([method.title, formula, settings or "none", accuracy, source])
    return _table(["Method", "Score", "Parameters", "ID accuracy", "Paper"], lines, "The methods as they were run")


def _provenance(results: pd.DataFrame, titles: Mapping[str, str]) -> Block:
    """Hashes of weights and data, versions and seed: what it takes to make the numbers again."""
    first = results.iloc[0]
    lines = [
        ["Weights, sha256", _hash(first["weights_sha256"])],
        [f"ID: {titles[first['id']]}, {first['n_id']:,} images", _hash(first["id_sha256"])],
    ]
    for name, rows in results.groupby("ood", sort=False):
        lines.append([f"OOD: {titles[str(name)]}, {rows.iloc[0]['n_ood']:,} images", _hash(rows.iloc[0]["ood_sha256"])])
    fits = [value for value in results["fit_sha256"].unique() if value]
    if fits:
        lines.append(["Fit split", _hash(fits[0])])
    lines.append(["Versions", str(first["versions"])])
    lines.append(["Seed of the order of images", str(first["seed"])])
    lines.append(["Seed of the resamples", str(bootstrap.SEED)])
    return _table(["What", "Value"], lines, "What the numbers stand on")


def _hash(value: object) -> Cell:
    return {"tag": "code", "text": str(value)} if value else "activations only, without images"
