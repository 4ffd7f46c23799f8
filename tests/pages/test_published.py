"""The page of published and measured figures."""

from nap_core.paper import published_tables
from tests.pages.conftest import OpenPage
from tests.sentences import states


def test_shows_every_figure_and_every_explanation(open_page: OpenPage) -> None:
    app = open_page("published")
    rows = published_tables.comparison()
    table = app.dataframe[0].value
    assert len(table) == len(rows)
    assert table["AUROC here"].tolist() == (100 * rows["auroc"]).tolist()
    notes = [element.value for element in app.main.markdown if element.value.startswith("- **")]
    assert len(notes) == (rows["note"] != "").sum()
    assert states("".join(element.value for element in app.main.markdown), "1 AUROC")


def test_the_other_metric(open_page: OpenPage) -> None:
    app = open_page("published")
    app.segmented_control(key="published_metric").set_value("fpr95").run()
    assert "of the published FPR95" in "".join(element.value for element in app.main.markdown)
    others = app.dataframe[1].value
    assert "KNN" not in others.index
    assert "ViM" in others.index
