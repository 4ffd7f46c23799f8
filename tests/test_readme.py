"""What the README says is what the code does."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from nap_core.storage.activation_store import Store
from nap_core.studies.study import default_study, run

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def build_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "assets" / "build" / "build_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


@pytest.mark.slow
def test_the_table_is_what_the_default_study_gives(build_docs: ModuleType) -> None:
    printed = README.partition(build_docs.START)[2].partition(build_docs.END)[0].strip()
    assert printed, "README.md has no table: run `make docs`"
    measured = build_docs.readme_table(run(default_study(), Store()))
    assert [row[0] for row in cells(printed)] == [row[0] for row in cells(measured)]
    for said, now in zip(cells(printed), cells(measured), strict=True):
        for left, right in zip(said[1:], now[1:], strict=True):
            figures = [[float(value) for value in re.findall(r"\d+\.\d", cell)] for cell in (left, right)]
            # One image of 500 is 0.2 points of FPR95; other processors round convolutions differently.
            assert figures[0] == pytest.approx(figures[1], abs=0.41), f"{said[0]}: README {left}, now {right}"


@pytest.mark.parametrize("name", ["methods", "datasets", "models"])
def test_a_document_is_what_the_catalogue_gives(name: str, build_docs: ModuleType) -> None:
    made = build_docs.render(name, **build_docs.documents()[name])
    assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == made


def test_every_picture_and_file_it_names_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_target_it_names_is_there() -> None:
    targets = set(re.findall(r"make ([a-z]+)", README))
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"app", "test"} <= targets <= known
