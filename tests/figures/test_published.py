"""The tables of the page of published and measured figures."""

import pandas as pd
import pytest

from nap_core import methods
from nap_core.figures.published import comparison_table, points, unpublished_table
from nap_core.paper import published_tables


def test_the_comparison_is_in_percent_and_names_both_methods() -> None:
    rows = published_tables.comparison()
    table = comparison_table(rows)
    assert table["FPR95 paper"].tolist() == pytest.approx((100 * rows["published_fpr95"]).tolist())
    assert table["Difference"].tolist() == pytest.approx((100 * rows["difference"]).tolist())
    assert table["As run here"].tolist() == [methods.title(spec) for spec in rows["method"]]
    assert table["Table"].str.isnumeric().all()
    assert (table["w"] == "").tolist() == rows["w"].isna().tolist()


def test_points_have_a_sign_and_two_digits() -> None:
    assert (points(-0.0123), points(0.5)) == ("−1.23", "+50.00")


def test_a_method_without_a_published_figure_is_a_row_with_two_columns_a_dataset() -> None:
    rows = published_tables.without_counterpart()
    table = unpublished_table(rows)
    specs = rows["method"].drop_duplicates().tolist()
    assert table.index.tolist() == [methods.title(spec) for spec in specs]
    datasets = list(published_tables.OOD_NOTES)
    expected = ["ID images", *(f"{ood} {figure}" for ood in datasets for figure in ("FPR95", "AUROC")), "ID accuracy"]
    assert table.columns.tolist() == expected
    for row in rows.itertuples():
        shown = table.loc[methods.title(row.method)]
        assert shown[f"{row.ood} FPR95"] == pytest.approx(100 * row.fpr95)
        assert shown[f"{row.ood} AUROC"] == pytest.approx(100 * row.auroc)
        assert shown["ID images"] == row.n_id
        assert shown["ID accuracy"] == pytest.approx(100 * row.id_accuracy, nan_ok=True)
    assert isinstance(table, pd.DataFrame)
