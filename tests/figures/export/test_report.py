"""What is taken away: the tidy table, the LaTeX table and the report hold the numbers, and only them."""

import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nap_core.analysis import bootstrap, evaluation
from nap_core.analysis.comparison import AVERAGE, scoreboard
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.export import html_report, latex_table, tidy_table
from nap_core.figures.export.latex import escaped
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 40)
SPECS = ["nap", "energy", "nap+energy", "ash-s:percentile=0.9"]
TITLES = {"cifar10": "CIFAR-10", "mnist": "MNIST", "uniform-noise": "Uniform noise"}
COLOURS = {"cifar10": "#2f7de1", "mnist": "#c98608", "uniform-noise": "#c8352c"}


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture(scope="module")
def results(found: EvaluationData) -> pd.DataFrame:
    return evaluation.evaluate(found, SPECS)


@pytest.fixture(scope="module")
def rows(found: EvaluationData) -> list[MethodScores]:
    return [evaluation.method_scores(found, spec) for spec in SPECS]


@pytest.fixture(scope="module")
def intervals(rows: list[MethodScores]) -> pd.DataFrame:
    return pd.concat([bootstrap.intervals(row, resamples=200) for row in rows], ignore_index=True)


@pytest.fixture(scope="module")
def page(rows: list[MethodScores], results: pd.DataFrame, intervals: pd.DataFrame) -> str:
    return html_report(STUDY.sentence(), rows, results, intervals, TITLES, COLOURS)


def test_tidy_table_keeps_all_columns_and_adds_the_intervals(results: pd.DataFrame, intervals: pd.DataFrame) -> None:
    table = pd.read_csv(io.StringIO(tidy_table(results, intervals).to_csv(index=False)), keep_default_na=False)
    assert [name for name in table if name in evaluation.COLUMNS] == evaluation.COLUMNS
    assert len(table) == len(results) == 8
    for metric in ("fpr95", "auroc"):
        assert (table[f"{metric}_low"] <= table[metric] + 1e-9).all()
        assert (table[metric] <= table[f"{metric}_high"] + 1e-9).all()
    assert table["weights_sha256"].str.len().eq(64).all()


def columns_of(line: str) -> int:
    """How many columns of a tabular a line fills."""
    spans = [int(span) - 1 for span in re.findall(r"\\multicolumn\{(\d+)\}", line)]
    return len(re.findall(r"(?<!\\)&", line)) + 1 + sum(spans)


def test_latex_prints_the_board_and_every_line_fills_the_table(results: pd.DataFrame) -> None:
    text = latex_table(results, TITLES | {"mnist": "50 % of_M&M#1 {x}"}, STUDY.sentence())
    plain = re.sub(r"\\[{}\\]", "", text)
    assert plain.count("{") == plain.count("}")
    columns = len(re.search(r"\\begin\{tabular\}\{(\w+)\}", text)[1])
    assert columns == 1 + 2 * 3
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert [columns_of(line) for line in body] == [columns] * (2 + len(SPECS))
    assert r"50 \% of\_M\&M\#1 \{x\}" in text
    fpr95, auroc = scoreboard(results, "fpr95"), scoreboard(results, "auroc")
    for line, method in zip(body[2:], fpr95.methods, strict=True):
        cells = [cell.strip() for cell in line.removesuffix(r"\\").split("&")][1:]
        for cell, (board, column) in zip(
            cells, [(board, column) for column in fpr95.columns for board in (fpr95, auroc)], strict=True
        ):
            value = f"{100 * board.value(method, column):.1f}"
            leads, follows = (method in board.leaders(column, place) for place in (1, 2))
            leads = leads and bool(board.leaders(column, 2))  # where all are alike nobody stands out
            assert cell == (rf"\textbf{{{value}}}" if leads else rf"\underline{{{value}}}" if follows else value)


def test_latex_says_a_suspicious_accuracy(results: pd.DataFrame) -> None:
    assert r"9 \%" not in latex_table(results, TITLES, STUDY.sentence())
    doubtful = results.assign(accuracy_warning="ID accuracy is 9 %.")
    assert r"ID accuracy is 9 \%." in latex_table(doubtful, TITLES, STUDY.sentence())


def test_a_method_below_chance_and_a_foreign_default_are_said(
    rows: list[MethodScores], results: pd.DataFrame, intervals: pd.DataFrame
) -> None:
    first, second = results["method"].unique()[:2]
    marked = results.assign(
        below_chance=np.where(results["method"] == first, "AUROC 28.3 %.", ""),
        parameters_origin=np.where(results["method"] == second, "k 50, published for ResNet-18 on CIFAR-10", ""),
    )
    text = latex_table(marked, TITLES, STUDY.sentence())
    assert text.isascii()
    assert [r"$^\dagger$" in line for line in text.splitlines() if line.endswith(r"\\")][2:4] == [True, False]
    page = html_report(STUDY.sentence(), rows, marked, intervals, TITLES, COLOURS)
    for said in (text.replace(r"\%", "%"), page):
        assert "28.3 %" in said and "published for ResNet-18 on CIFAR-10" in said


def test_latex_escapes_what_latex_would_read() -> None:
    assert escaped(r"a\b_c^d~e") == r"a\textbackslash{}b\_c\textasciicircum{}d\textasciitilde{}e"


def test_latex_compiles_where_latex_is(results: pd.DataFrame, tmp_path: Path) -> None:
    """The lines are counted above; where a LaTeX is installed, it has the last word."""
    latex = shutil.which("pdflatex")
    text = latex_table(results, TITLES, STUDY.sentence())
    assert text.isascii()
    if latex is None:
        return
    document = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{text}\end{{document}}"
    (tmp_path / "table.tex").write_text(document, encoding="utf-8")
    subprocess.run([latex, "-halt-on-error", "table.tex"], cwd=tmp_path, check=True, capture_output=True)


class _Outline(HTMLParser):
    """Which tags are open at the end, and every address that a browser would ask for."""

    VOID = ("meta", "link", "br", "hr", "img", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_report_is_one_file_that_asks_nothing(page: str) -> None:
    outline = _Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.addresses == ["data:,"]
    assert page.count("plotly.js v") == 1
    assert len(page) < 8e6
    assert "{{" not in page.partition("plotly.js v")[0]


def test_report_holds_numbers_readings_and_provenance(
    page: str, results: pd.DataFrame, intervals: pd.DataFrame
) -> None:
    assert STUDY.sentence() in page
    best = scoreboard(results, "fpr95")
    assert f"{100 * best.value('nap', AVERAGE):.1f}" in page
    for text in ("ASH-S (percentile 0.9)", "w = 0.4", results.iloc[0]["weights_sha256"], results.iloc[0]["versions"]):
        assert text in page
    figures = [
        json.loads(text)
        for text in re.findall(r'<script type="application/json" data-figure="[^"]+">(.*?)</script>', page)
    ]
    assert len(figures) == page.count("<figcaption>") == 8
    assert all(figure["data"] for figure in figures)


def test_what_is_written_into_the_report_stays_text(
    rows: list[MethodScores], results: pd.DataFrame, intervals: pd.DataFrame
) -> None:
    titles = TITLES | {"mnist": "</script><b>M"}
    page = html_report("<i>a & b</i> {{body}}", rows, results, intervals, titles, COLOURS)
    assert "<i>a & b</i>" not in page
    assert "&lt;i&gt;a &amp; b&lt;/i&gt;" in page
    outline = _Outline()
    outline.feed(page)
    assert outline.open == []


def test_report_without_classes_leaves_accuracy_out(
    rows: list[MethodScores], results: pd.DataFrame, intervals: pd.DataFrame
) -> None:
    page = html_report("x", rows, results.assign(id_accuracy=np.nan), intervals, TITLES, COLOURS)
    assert page.count("<figcaption>") == 7
    assert "unknown" in page
