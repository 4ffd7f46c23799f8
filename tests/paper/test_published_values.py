"""What the paper prints stands under its true datasets, and its slips are found by computing."""

import numpy as np
import pandas as pd
import pytest

from nap_core.analysis import score_variants
from nap_core.paper import ENTRIES, published_tables, published_values
from nap_core.paper.published_values import COLUMNS, printed
from nap_core.paper.spec import AVERAGE, CIFAR10, CIFAR100, CIFAR_HEADINGS


def value(entry: str, setting, row: str, heading: str, metric: str = "fpr95") -> float:
    table = printed(ENTRIES[entry], setting)
    one = table[(table["row"] == row) & (table["heading"] == heading) & (table["metric"] == metric)]
    assert len(one) == 1
    return float(one["published"].iloc[0])


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES.values() if entry.table], ids=lambda entry: entry.name)
def test_every_row_has_its_average_or_its_dataset(entry) -> None:
    for setting in entry.settings:
        table = printed(entry, setting)
        assert list(table.columns) == COLUMNS
        assert not table.duplicated(["row", "heading", "metric"]).any()
        assert set(table["row"]) == {row.printed for row in entry.rows} - (
            {"NAP"} if entry.name == "figure-2" else set()
        )
        assert set(table["heading"]) <= {AVERAGE, *setting.headings}
        assert table["published"].between(0, 1).all()


def test_rows_in_another_order_are_put_right() -> None:
    # As printed: SVHN 47.34, Textures 33.66, iSUN 42.21, LSUN-Resize 42.42, LSUN-Crop 64.52, Places365 61.98.
    moved = {"SVHN": 47.34, "LSUN-Crop": 33.66, "LSUN-Resize": 42.21, "iSUN": 42.42, "Textures": 64.52}
    for heading, percent in moved.items():
        assert value("table-9", CIFAR10, "MSP", heading) == pytest.approx(percent / 100)
    assert value("table-9", CIFAR10, "Energy", "Textures") == pytest.approx(0.5629)
    assert value("table-10", CIFAR100, "KNN", "Textures") == pytest.approx(0.2601)


def test_the_slips_are_those_that_the_tables_own_rows_show() -> None:
    notes = {
        name: {note for note in printed(ENTRIES[name], setting)["note"] if note}
        for name, setting in (("table-9", CIFAR10), ("table-10", CIFAR100))
    }
    said = {name: {note.split("average of ")[1].split(" is ")[0] for note in told} for name, told in notes.items()}
    assert said == {"table-9": {"ASH", "ReAct"}, "table-10": {"ReAct", "NAP-R", "NAP-S", "NAP-A"}}
    assert "The paper's average of ASH is printed as 96.91; its own row gives 96.61." in notes["table-9"]


def test_table_4_has_the_methods_alone_too() -> None:
    assert value("table-4", CIFAR10, "MSP", AVERAGE) == pytest.approx(0.4869)
    assert value("table-4", CIFAR10, "MSP x NAP", AVERAGE) == pytest.approx(0.1909)


def test_table_11_is_w() -> None:
    table = printed(ENTRIES["table-11"], CIFAR10)
    assert dict(zip(table["row"], table["published"], strict=True))["NAP-K"] == 0.8
    assert set(table["metric"]) == {"w"}


def test_another_order_is_a_permutation() -> None:
    assert set(published_tables.ANOTHER_ORDER) == set(published_tables.ANOTHER_ORDER.values()) <= set(CIFAR_HEADINGS)


def test_table_7_stands_beside_the_averages() -> None:
    rows = [("c1", "average"), ("s2", "average"), ("t2,p", "average"), ("p", "mnist"), ("layer1.0,p", "average")]
    table = pd.DataFrame([(*row, 0.5, 0.5) for row in rows], columns=["layers", "ood", "fpr95", "auroc"])
    found = published_values.with_table_7(table, "CIFAR-10")
    np.testing.assert_allclose(found["published_auroc"], [0.5199, 0.7844, 0.8781, np.nan, np.nan])
    np.testing.assert_allclose(found["published_fpr95"], [0.8322, 0.5653, 0.3441, np.nan, np.nan])
    np.testing.assert_allclose(published_values.with_table_7(table, "CIFAR-100")["published_auroc"][0], 0.5034)


def test_table_6_is_quoted_for_what_it_shows() -> None:
    printed = published_values.table_6("CIFAR-10")
    assert printed["nap"] == pytest.approx((0.0902, 0.9815))
    assert printed[""] == pytest.approx((0.2655, 0.9467))
    assert set(printed) == {"", *score_variants.DESIGNS}
    assert published_values.table_6("CIFAR-100") == {}
    assert published_values.table_6("CIFAR-10", "msp") == {}
