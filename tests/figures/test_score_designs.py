"""The figures of score designs on made-up numbers: who leads, what is printed, what is drawn."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.oracle import Oracle
from nap_core.analysis.score_variants import DESIGNS, EpsilonCurve, WrittenScores
from nap_core.figures.score_designs import (
    Board,
    beside,
    design_picture,
    epsilon_picture,
    least_width,
    oracle_picture,
    printed_table,
    verdict,
)
from tests.sentences import Says, numbers

TITLES = {"digits": "MNIST", "stones": "Textures", "noise": "Uniform noise"}
PALETTE = {"digits": "#c8352c", "stones": "#f07c3a", "noise": "#8f1d4a"}


def board(combined: Mapping[str, list[float]], alone: float = 0.6, base: float = 0.5) -> Board:
    """FPR95 of each design in the order of ``DESIGNS`` combined, by dataset; AUROC is 1 − FPR95 / 2."""
    names = [*combined, *([AVERAGE] if len(combined) > 1 else [])]
    values = {**combined, AVERAGE: np.mean(list(combined.values()), axis=0).tolist()}
    rows = [("", False, "energy", None, name, base) for name in names]
    rows += [
        (design, False, design, None, name, alone + 0.01 * at) for at, design in enumerate(DESIGNS) for name in names
    ]
    rows += [
        (design, True, f"{design}+energy", 0.4, name, values[name][at])
        for at, design in enumerate(DESIGNS)
        for name in names
    ]
    table = pd.DataFrame(rows, columns=["design", "combined", "method", "w", "ood", "fpr95"])
    table["auroc"] = 1 - table["fpr95"] / 2
    table["fpr95_change"], table["auroc_change"] = table["fpr95"] - base, table["auroc"] - (1 - base / 2)
    return Board(table, TITLES, PALETTE)


THREE = {"digits": [0.3, 0.2, 0.2, 0.1], "stones": [0.2, 0.05, 0.1, 0.1], "noise": [0.0, 0.0, 0.0, 0.0]}


def test_the_sentence_counts_where_the_leader_leads(says: Says) -> None:
    says(
        design_picture(board(THREE), "fpr95").reading,
        "NAP+Energy lowest FPR95 2 3 6.7 Textures No Square Energy 50.0 Variance lowest 60.0",
    )
    says(
        design_picture(board(THREE), "auroc").reading,
        "NAP+Energy highest AUROC 2 3 96.7 Textures No Square Energy 75.0 Variance highest 70.0",
    )


def test_the_sentence_on_one_dataset_and_on_all(says: Says) -> None:
    says(
        design_picture(board({"digits": [0.3, 0.2, 0.1, 0.2]}), "fpr95").reading,
        "Minus+Energy lowest FPR95 MNIST 10.0 Energy 50.0 Variance lowest 60.0",
    )
    both = {"digits": [0.3, 0.2, 0.2, 0.1], "stones": [0.3, 0.2, 0.2, 0.1]}
    says(
        design_picture(board(both), "fpr95").reading,
        "NAP+Energy lowest FPR95 both 10.0 Energy 50.0 Variance lowest 60.0",
    )


def test_designs_that_print_alike_alone_have_no_leader(says: Says) -> None:
    level = board({"digits": [0.3, 0.2, 0.1, 0.2]})
    level.table.loc[(level.table["design"] != "") & ~level.table["combined"], "fpr95"] = 0.7
    says(design_picture(level, "fpr95").reading, "Minus+Energy lowest FPR95 MNIST 10.0 Energy 50.0 70.0")


def test_a_leader_that_leads_nowhere_leads_on_average(says: Says) -> None:
    spread = {"digits": [0.0, 0.9, 0.9, 0.2], "stones": [0.9, 0.0, 0.9, 0.2], "noise": [0.9, 0.9, 0.0, 0.2]}
    says(
        design_picture(board(spread), "fpr95").reading,
        "NAP+Energy lowest FPR95 20.0 none 3 Energy 50.0 Variance lowest 60.0",
    )


def test_what_prints_alike_shares_the_lead() -> None:
    close = board({"digits": [0.3, 0.2, 0.10001, 0.1]})
    assert close.best("fpr95", "digits", combined=True) == ["nap-minus", "nap"]


def test_a_panel_a_dataset_with_the_baseline_and_both_marks(says: Says) -> None:
    picture = design_picture(board(THREE), "fpr95")
    dots = [trace for trace in picture.figure.data if trace.mode == "markers+text"]
    rings = [trace for trace in picture.figure.data if trace.mode == "markers" and trace.x[0] is not None]
    assert [list(trace.x) for trace in dots[:3]] == [THREE[name] for name in THREE]
    assert [trace.marker.color for trace in dots[:3]] == list(PALETTE.values())
    assert len(dots) == len(rings) == 4
    assert list(dots[1].text) == ["20.0", "<b>5.0</b>", "10.0", "10.0"]
    assert rings[0].marker.symbol == "circle-open"
    assert any("NAP+Energy" in text and numbers(text) == ["10.0", "−40.0"] for text in dots[0].hovertext)
    lines = [trace for trace in picture.figure.data if trace.mode == "lines" and trace.x[0] == 0.5]
    assert len(lines) == 4
    assert picture.name == "designs-fpr95"


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (5, 1), (6, 2), (12, 3)])
def test_many_datasets_take_more_rows(count: int, rows: int) -> None:
    names = [f"set{number}" for number in range(count)]
    many = board({name: [0.3, 0.2, 0.2, 0.1] for name in names})
    many = Board(many.table, dict.fromkeys(names, "Set"), dict.fromkeys(names, "#c8352c"))
    figure = design_picture(many, "fpr95").figure
    assert len({axis.domain for axis in figure.select_yaxes()}) == rows
    assert (least_width(many) > 0) == (count > 1)


def test_the_table_prints_the_difference_from_the_baseline() -> None:
    printed = printed_table(board(THREE), "fpr95", {"": (0.2655, 0.9467), "nap": (0.0902, 0.9815)})
    assert printed.columns.tolist() == ["Score", "MNIST", "Textures", "Uniform noise", "Average", "Table 6 (paper)"]
    assert printed["Score"].tolist()[0] == "Energy (baseline)"
    row = printed.set_index("Score")
    assert row.loc["Energy (baseline)", "MNIST"] == "50.0"
    assert row.loc["NAP+Energy", "MNIST"] == "10.0 (−40.0)"
    assert row.loc["NAP+Energy", "Table 6 (paper)"] == "9.02 (−17.53)"
    assert row.loc["Energy (baseline)", "Table 6 (paper)"] == "26.55"
    assert row.loc["NAP", "MNIST"] == "63.0 (+13.0)"
    assert row.loc["NAP", "Table 6 (paper)"] == row.loc["Minus+Energy", "Table 6 (paper)"] == ""
    assert "Table 6 (paper)" not in printed_table(board(THREE), "auroc").columns


def scores(known: list[float], met: list[float], title: str, **more: list[float]) -> WrittenScores:
    every = {"digits": np.array(met), **{name: np.array(values) for name, values in more.items()}}
    return WrittenScores("expression", None, np.array(known), every, named=title)


def test_a_written_score_beside_nap(says: Says) -> None:
    mine, nap = scores([2, 3], [0, 1], "Own", stones=[2.5, 2.5]), scores([2, 3], [2.5, 2.5], "NAP", stones=[0, 0])
    table = beside([mine, nap], TITLES)
    assert table["MNIST"].tolist() == ["0.0 / 100.0", "100.0 / 50.0"]
    assert table["Average"].tolist() == ["50.0 / 75.0", "50.0 / 75.0"]
    says(verdict({"alone": (mine, nap)}, TITLES), "AUROC 2 75.0 level 75.0 NAP")
    assert "Average" not in beside([scores([2], [1], "Own")], TITLES).columns


def test_less_that_means_more_id_is_said(says: Says) -> None:
    upside, nap = scores([0, 1], [2, 3], "Own"), scores([2, 3], [0, 2.5], "NAP")
    said = verdict({"alone": (upside, nap), "with Energy": (nap, upside)}, TITLES)
    says(said, "AUROC MNIST 0.0 below 75.0 NAP Energy 75.0 above 0.0 Own 50 lower 1")
    assert "less of it" not in verdict({"alone": (nap, nap)}, TITLES)


def curve(*lines: list[float]) -> EpsilonCurve:
    """FPR95 at ε = 0.1, 1, 10, alone; combined is half of it; AUROC is 1 − FPR95."""
    alone = np.array(lines)
    names = tuple(TITLES)[: len(lines)]
    kinds = [{"fpr95": values, "auroc": 1 - values} for values in (alone, alone / 2)]
    base = {"fpr95": np.full(len(lines), 0.5), "auroc": np.full(len(lines), 0.5)}
    return EpsilonCurve(np.array([0.1, 1, 10]), names, "energy", 0.4, *kinds, base)


def test_epsilon_alone_and_combined(says: Says) -> None:
    found = curve([0.8, 0.4, 0.2], [0.4, 0.4, 0.4])
    alone = epsilon_picture(found, "alone", "fpr95", TITLES, PALETTE)
    says(alone.reading, "FPR95 NAP 2 40.0 1 lowest 30.0 10 0.1 10 30.0 60.0")
    both = epsilon_picture(found, "combined", "fpr95", TITLES, PALETTE)
    says(both.reading, "FPR95 NAP+Energy 0.4 2 20.0 1 lowest 15.0 10 0.1 10 15.0 30.0 Energy 50.0")
    assert {trace.name for trace in both.figure.data} == {"MNIST", "Textures", "average", "Energy alone", "best ε"}
    assert len(alone.table) == 3 * 3
    assert alone.table.query("ood == 'average'")["fpr95"].tolist() == pytest.approx([0.6, 0.4, 0.3])


def test_epsilon_where_the_papers_is_best_and_on_one_dataset(says: Says) -> None:
    picture = epsilon_picture(curve([0.5, 0.1, 0.5]), "alone", "auroc", TITLES, PALETTE)
    says(picture.reading, "AUROC NAP MNIST 90.0 1 highest 0.1 10 50.0 90.0")
    assert "average" not in {trace.name for trace in picture.figure.data}


def test_the_oracle_beside_nap(says: Says) -> None:
    draw = np.random.default_rng(0)
    known = np.arange(60) < 30
    found = Oracle(
        scores=draw.normal(size=60) + 2 * known,
        nap=draw.normal(size=60) + known,
        is_id=known,
        dataset=np.where(known, "photos", np.where(np.arange(60) < 45, "digits", "stones")),
        trained=60,
        correlation=0.5,
        pearson=-0.25,
        within=(0.1, float("nan")),
        auroc=0.99,
        nap_auroc=0.9,
    )
    titles, palette = {"photos": "CIFAR-10", **TITLES}, {"photos": "#2f7de1", **PALETTE}
    del titles["noise"]
    picture = oracle_picture(found, titles, palette)
    says(picture.reading, "60 NAP Spearman 0.50 Pearson −0.25 Spearman 0.10 AUROC 99.0 NAP 90.0")
    clouds: list[go.Scatter] = list(picture.figure.data)
    assert [cloud.name for cloud in clouds] == ["MNIST", "Textures", "CIFAR-10 (ID)"]
    assert [len(cloud.x) for cloud in clouds] == [15, 15, 30]
    assert clouds[-1].marker.color == "#2f7de1"
    says(picture.figure.layout.annotations[0].text, "Spearman 0.50 Pearson −0.25")
    assert picture.table["s_nap"].tolist() == found.nap.tolist()


@pytest.mark.parametrize(
    ("correlation", "words"),
    [(0.87, "closely follows"), (0.1, "hardly follows"), (-0.4, "runs against"), (float("nan"), "cannot be compared")],
)
def test_the_oracle_may_disagree(correlation: float, words: str) -> None:
    known = np.array([True, False])
    names, values = np.array(["photos", "digits"]), np.array([1.0, 0.0])
    found = Oracle(values, values, known, names, 2, correlation, 0.0, (0.0, 0.0), 1.0, 1.0)
    titles, palette = {"photos": "CIFAR-10", "digits": "MNIST"}, {"photos": "#2f7de1", **PALETTE}
    assert words in oracle_picture(found, titles, palette).reading
