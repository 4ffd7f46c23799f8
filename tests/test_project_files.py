"""The project's documents agree with the repository: one version, and every path that they name exists."""

import re
import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
DOCUMENTS = ("CONTRIBUTING.md", "docs/architecture.md")
FEWEST_PATHS = 30
"""Fewer would mean that the documents no longer name files, or that ``named_paths`` no longer reads them."""

FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.][\w.*{},/-]*")
FILE = re.compile(r"\.(py|md|toml|ya?ml|csv|json|js|css|txt|cff)$")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def expanded(path: str) -> Iterator[str]:
    """``a/{b,c}.py`` as ``a/b.py`` and ``a/c.py``."""
    parts = re.split(r"\{([^}]*)\}", path)
    return map("".join, product(*(part.split(",") if place % 2 else [part] for place, part in enumerate(parts))))


def named_paths(markdown: str) -> list[str]:
    """The paths in backticks outside fenced code, braces expanded, each once."""
    words = CODE.findall(FENCE.sub("", markdown))
    paths = [word for word in words if PATH.fullmatch(word) and ("/" in word or FILE.search(word))]
    return list(dict.fromkeys(one for path in paths for one in expanded(path)))


def exists(path: str) -> bool:
    """Whether the repository has ``path``, relative to its root; NAME stands for a file that a reader will write."""
    place = path if "NAME" not in path else str(Path(path).parent)
    found = list(ROOT.glob(place)) if "*" in place else [ROOT / place]
    return bool(found) and all(one.is_dir() if path.endswith("/") else one.exists() for one in found)


def test_paths_are_read_from_backticks() -> None:
    prose = "`a/b.py`, `a/{c,d}.py`, `nap+energy`, `make test`, `x/`, `x/` again, `e.md`, `models.entry`"
    markdown = f"{prose}\n```\n`f/g.py`\n```\n"
    assert named_paths(markdown) == ["a/b.py", "a/c.py", "a/d.py", "x/", "e.md"]


def test_a_path_that_is_not_there_is_noticed() -> None:
    assert exists("README.md")
    assert exists("tests/")
    assert exists("tests/test_*.py")
    assert exists("tests/NAME.py")
    assert not exists("README.md/")
    assert not exists("nowhere/nothing.py")
    assert not exists("nowhere/NAME.py")
    assert not exists("tests/nothing_*.py")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document: str) -> None:
    paths = named_paths(text(document))
    assert len(paths) >= FEWEST_PATHS
    assert [path for path in paths if not exists(path)] == []


def test_pre_commit_lints_with_the_versions_of_the_project() -> None:
    pins = re.findall(r'"([\w-]+==[\w.]+)"', text(".pre-commit-config.yaml"))
    assert {pin.split("==")[0] for pin in pins} == {"ruff", "import-linter"}
    required = {line.split("#")[0].strip() for line in text("requirements-dev.txt").splitlines()}
    assert [pin for pin in pins if pin not in required] == []


def test_the_citation_has_the_version_of_the_package() -> None:
    stated = re.findall(r'^version: "?([^"\n]+)"?$', text("CITATION.cff"), re.MULTILINE)
    assert stated == [VERSION]


def test_the_citation_is_dated_as_the_changelog() -> None:
    released = re.findall(r'^date-released: "?(\d{4}-\d\d-\d\d)"?$', text("CITATION.cff"), re.MULTILINE)
    assert len(released) == 1
    assert f"## [{VERSION}] - {released[0]}" in text("CHANGELOG.md").splitlines()


def test_the_changelog_begins_with_what_is_unreleased_and_has_the_version() -> None:
    sections = re.findall(r"^## \[([^\]]+)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert sections[0] == "Unreleased"
    assert VERSION in sections[1:]
    assert len(set(sections)) == len(sections)
