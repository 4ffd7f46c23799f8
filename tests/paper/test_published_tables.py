"""The papers' figures and ours: each published row found, each difference explained, the document up to date."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from nap_core import methods
from nap_core.analysis.evaluation import COLUMNS, REMARKS
from nap_core.paper import published_tables

ROOT = Path(__file__).resolve().parents[2]


def built_by(name: str):
    """A script of assets/build."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "assets" / "build" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_counterpart_has_a_published_and_a_measured_figure() -> None:
    rows = published_tables.comparison()
    assert len(rows) == 34
    assert not rows.drop(columns="w").isna().any().any()
    assert rows["published_auroc"].between(0.5, 1).all()


def test_figures_that_the_paper_prints() -> None:
    rows = published_tables.comparison().set_index(["table", "published_as", "ood"])
    energy = rows.loc[("Table 12", "Energy", published_tables.CIFAR100)]
    assert (energy["published_fpr95"], energy["published_auroc"]) == pytest.approx((0.5074, 0.8976))
    # printed under LSUN-Crop
    knn = rows.loc[("Table 9", "KNN", published_tables.TEXTURES)]
    assert (knn["published_fpr95"], knn["published_auroc"]) == pytest.approx((0.1931, 0.9646))


def test_every_difference_above_a_point_is_explained_and_no_other() -> None:
    rows = published_tables.comparison()
    far = rows["difference"].abs() > published_tables.CLOSE
    assert (rows["note"] != "").tolist() == far.tolist()


def test_measured_with_today_s_catalogue() -> None:
    """The table knows every method that runs on this network, with the parameters that are the defaults today."""
    rows = published_tables.measured()
    assert set(rows.columns) == set(COLUMNS) - {"seconds", "fpr95_ood_positive", *REMARKS}
    expected = {*methods.RECORDS, *methods.COMBINATIONS} - {"mc-dropout", "nap+mc-dropout"}
    assert expected <= set(rows["method"])
    for spec, part in rows.groupby("method"):
        told = methods.parse(spec).parameters("CIFAR-10")
        assert (part["parameters"].fillna("") == " ".join(f"{key}={value}" for key, value in told.items())).all(), spec


def test_the_copies_are_the_originals(shared: Path) -> None:
    for name, original in (("results.csv", "published_results.csv"), ("weights.csv", "published_w.csv")):
        assert (published_tables.FOLDER / name).read_text() == (shared / "reference" / original).read_text()


@pytest.mark.parametrize(("name", "by"), [("fidelity", "build_fidelity"), ("weight_search", "build_weight_search")])
def test_a_document_is_what_the_tables_say(name: str, by: str) -> None:
    assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == built_by(by).document()


def test_the_search_loses_little_on_far_ood_images() -> None:
    """Under a point on the SVHN part, with every seed and combination of Table 11."""
    found = pd.read_csv(published_tables.FOLDER / "searched.csv").query("images == 2000")
    assert set(found["method"]) == {f"nap+{record.name}" for record in methods.RECORDS.values() if record.published_w}
    assert found.groupby("method")["seed"].apply(sorted).tolist() == [[0, 1, 2]] * found["method"].nunique()
    assert found[f"lost {published_tables.SVHN}"].max() < 0.01


@pytest.mark.parametrize("spec", ["dice", "react:threshold=1.5", "nap+knn", "ash-s:percentile=0.9"])
def test_names_are_read(spec: str) -> None:
    assert spec in {part.spec for part in published_tables.COUNTERPARTS}
    methods.parse(spec)
