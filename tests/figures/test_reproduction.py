"""The figure of a reproduced table: a ring for the paper, a dot for here, a panel a dataset."""

import numpy as np
import pandas as pd
import pytest

from nap_core.figures.reproduction import picture_of, reading
from nap_core.paper import ENTRIES
from nap_core.paper.comparison import COLUMNS
from nap_core.paper.running import Reproduced
from tests.sentences import Says


def done(entry: str, rows: list[tuple[str, str, str, float, float]]) -> Reproduced:
    """An entry that was run: (row, ood, metric, published, measured)."""
    values = [
        {
            "row": row,
            "method": "nap",
            "w": np.nan,
            "ood": ood,
            "heading": "",
            "metric": metric,
            "published": published,
            "measured": measured,
            "difference": measured - published,
            "note": "",
        }
        for row, ood, metric, published, measured in rows
    ]
    table = pd.DataFrame(values, columns=COLUMNS)
    return Reproduced(ENTRIES[entry], table, {"dtd": "Textures", "mnist": "MNIST"}, "a network", None, None, (), ())


@pytest.fixture
def table() -> Reproduced:
    none = np.nan
    return done(
        "table-6",
        [
            ("Energy (baseline)", "dtd", "fpr95", 0.5, 0.52),
            ("Energy x NAP", "dtd", "fpr95", 0.2, 0.205),
            ("Energy (baseline)", "mnist", "fpr95", none, 0.4),
            ("Energy x NAP", "mnist", "fpr95", none, 0.3),
        ],
    )


def test_a_ring_a_dot_and_a_line_between(table: Reproduced) -> None:
    picture = picture_of(table, "fpr95")
    marks = {(one.name, one.xaxis): list(one.x) for one in picture.figure.data if one.mode == "markers"}
    assert marks["published", "x"] == [50, 20]
    assert marks["measured here", "x"] == pytest.approx([52, 20.5])
    assert marks["measured here", "x2"] == pytest.approx([40, 30])
    assert np.isnan(marks["published", "x2"]).all()
    lines = [list(one.x) for one in picture.figure.data if one.mode == "lines"]
    assert lines == [pytest.approx([50, 52]), pytest.approx([20, 20.5])]
    assert [one.text for one in picture.figure.layout.annotations] == ["Textures", "MNIST"]
    assert set(picture.table["dataset"]) == {"Textures", "MNIST"}


def test_the_reading_counts_and_names_the_farthest(table: Reproduced, says: Says) -> None:
    says(reading(table, "fpr95"), "1 2 1 FPR95 Energy Textures 2.00 above")


def test_without_a_published_figure_nothing_is_compared(says: Says) -> None:
    alone = done("table-6", [("Energy (baseline)", "mnist", "auroc", np.nan, 0.4)])
    says(picture_of(alone, "auroc").reading, "AUROC 1")


def test_w_is_drawn_from_0_to_1(says: Says) -> None:
    weights = done("table-11", [("NAP-E", "average", "w", 0.4, 0.45), ("NAP-E", "average", "best_w", np.nan, 0.3)])
    picture = picture_of(weights, "fpr95")
    assert list(picture.figure.layout.xaxis.range) == [0, 1]
    says(picture.reading, "1 1 0.1 NAP-E 0.05 above")


def test_what_is_a_table_alone_has_no_figure() -> None:
    assert picture_of(done("figure-4a", [("Oracle", "average", "correlation", np.nan, 0.5)]), "fpr95") is None
