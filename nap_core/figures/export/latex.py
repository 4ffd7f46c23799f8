"""The results as the papers print them: methods as rows, FPR95 and AUROC of every OOD dataset, booktabs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nap_core import methods
from nap_core.analysis.comparison import AVERAGE, BEST, SECOND, Scoreboard, scoreboard
from nap_core.figures.compare_methods import remarks

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": "$-$",
    "·": r"$\cdot$",
    "²": "$^2$",
    "ε": r"$\varepsilon$",
    "▼": r"$\dagger$",
    "\n": " ",
}

_MARK = r"$^\dagger$"
"""Behind the name of a method below chance."""


def escaped(text: str) -> str:
    """Text in which LaTeX finds no command.

    Args:
        text: Plain text in one or several lines.

    Returns:
        LaTeX that prints the same characters, in one line.
    """
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def latex_table(results: pd.DataFrame, titles: Mapping[str, str], sentence: str) -> str:
    """A ``table`` with its caption, for a document with ``\\usepackage{booktabs}``.

    Args:
        results: Rows of ``evaluation.evaluate``, shares.
        titles: Catalogue name → title of the datasets.
        sentence: The study in words, the first sentence of the caption; plain text, without its full stop.

    Returns:
        LaTeX, values in percent; bold is the best of a column, underlined the second best, by the value as it is
        printed.

    Raises:
        ValueError: A pair of method and OOD dataset has two rows.
        UserError: A method is not in the catalogue.
    """
    fpr95, auroc = scoreboard(results, "fpr95"), scoreboard(results, "auroc")
    below = set(results.loc[results["below_chance"] != "", "method"])
    heads = ["Average" if name == AVERAGE else titles[name] for name in fpr95.columns]
    columns = range(len(heads))
    groups = " & ".join(rf"\multicolumn{{2}}{{c}}{{{escaped(head)}}}" for head in heads)
    rules = " ".join(rf"\cmidrule(lr){{{2 + 2 * column}-{3 + 2 * column}}}" for column in columns)
    under = " & ".join([r"FPR95\,$\downarrow$ & AUROC\,$\uparrow$" for _ in columns])
    lines = [
        rf"{escaped(methods.title(name))}{_MARK if name in below else ''} & "
        + " & ".join(f"{_cell(fpr95, row, column)} & {_cell(auroc, row, column)}" for column in columns)
        + r" \\"
        for row, name in enumerate(fpr95.methods)
    ]
    warning = results.iloc[0]["accuracy_warning"]
    about = f"{warning} {sentence}" if warning else sentence
    notes = "".join(f" {remark}" for remark in remarks(results))
    caption = f"{escaped(about)}. In percent; best in bold, second best underlined.{escaped(notes)}"
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}[t]",
            r"  \centering",
            rf"  \caption{{{caption}}}",
            rf"  \begin{{tabular}}{{l{'rr' * len(heads)}}}",
            r"    \toprule",
            rf"     & {groups} \\",
            f"    {rules}",
            rf"    Method & {under} \\",
            r"    \midrule",
            *(f"    {line}" for line in lines),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _cell(board: Scoreboard, row: int, column: int) -> str:
    text = f"{100 * board.values[row, column]:.1f}"
    if board.places[:, column].max() == BEST:  # a column in which nobody stands out
        return text
    marks = {BEST: rf"\textbf{{{text}}}", SECOND: rf"\underline{{{text}}}"}
    return marks.get(int(board.places[row, column]), text)
