"""The tab of published and measured results, which the page's old address opens."""

from nap_core.paper import published_tables
from nap_core.studies.study import Study
from tests.pages.conftest import OpenPage
from tests.sentences import states


def test_shows_every_figure_and_every_explanation(open_page: OpenPage) -> None:
    app = open_page("reproduce", tab="published")
    rows = published_tables.comparison()
    table = app.dataframe[0].value
    assert len(table) == len(rows)
    assert table["AUROC here"].tolist() == (100 * rows["auroc"]).tolist()
    notes = [element.value for element in app.main.markdown if element.value.startswith("- **")]
    assert len(notes) == (rows["note"] != "").sum()
    assert states("".join(element.value for element in app.main.markdown), "1 AUROC")


def test_the_other_metric(open_page: OpenPage) -> None:
    app = open_page("reproduce", tab="published")
    app.segmented_control(key="published_metric").set_value("fpr95").run()
    assert "of the published FPR95" in "".join(element.value for element in app.main.markdown)
    others = app.dataframe[1].value
    assert "KNN" not in others.index
    assert "ViM" in others.index


def test_the_old_address_opens_the_tab_with_its_study_and_its_metric(open_page: OpenPage) -> None:
    study = Study("resnet20-cifar10", "cifar10", ("mnist", "textures"), 40)
    app = open_page("published", study, published_metric="FPR95")
    assert app.title[0].value == "Do our numbers agree with the paper's?"
    assert app.segmented_control(key="tab").value == "published"
    assert app.segmented_control(key="published_metric").value == "fpr95"
    assert "of the published FPR95" in "".join(element.value for element in app.main.markdown)
    address = {name: app.query_params[name] for name in app.query_params}
    assert {name: address[name] for name in study.to_query()} == study.to_query()


def test_the_other_tab_is_the_study(open_page: OpenPage) -> None:
    app = open_page("reproduce", tab="published")
    app.segmented_control(key="tab").set_value("study").run()
    assert not app.exception
    assert app.title[0].value == "Does the paper hold on my study?"
