"""What loads without torch and its kin: catalogues, specifications, titles, formulas, help, and the public names."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import nap_core

SCIPY = "scipy"
FORBIDDEN = ("torch", "torchvision", "sklearn", SCIPY, "pytorch_ood", "timm", "streamlit")
LIGHT = (
    "nap_core",
    "nap_core.activations",
    "nap_core.cli",
    "nap_core.corruptions",
    "nap_core.corruptions.catalogue",
    "nap_core.corruptions.spec",
    "nap_core.datasets",
    "nap_core.datasets.catalogue",
    "nap_core.datasets.spec",
    "nap_core.errors",
    "nap_core.methods",
    "nap_core.methods.catalogue",
    "nap_core.methods.combination",
    "nap_core.methods.expressions",
    "nap_core.methods.names",
    "nap_core.methods.spec",
    "nap_core.metrics",
    "nap_core.models",
    "nap_core.models.catalogue",
    "nap_core.models.preprocessing",
    "nap_core.models.sources",
    "nap_core.models.spec",
    "nap_core.nap",
    "nap_core.paper",
    "nap_core.paper.published_tables",
    "nap_core.paper.spec",
    "nap_core.storage.activation_store",
    "nap_core.storage.downloads",
    "nap_core.studies.study",
)
ROOT = Path(nap_core.__file__).parent.parent
FIGURES = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("nap_core/figures/**/*.py")]
COMMANDS = (
    "models",
    "datasets",
    "benchmarks",
    "methods",
    "layers",
    "evaluate",
    "score",
    "extract",
    "reproduce",
)


def without_torch(program: str, forbidden: tuple[str, ...] = FORBIDDEN) -> str:
    """The stdout of a program in a process that cannot import ``forbidden``."""
    blocker = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {forbidden}:
            raise ImportError(f"{{name}} is forbidden here")

sys.meta_path.insert(0, Blocker())
"""
    done = subprocess.run([sys.executable, "-c", blocker + program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loading(names: Iterable[str]) -> str:
    """A program that imports the modules ``names``."""
    return f"import importlib\nfor name in {sorted(names)}: importlib.import_module(name)"


def test_the_blocker_blocks() -> None:
    with pytest.raises(AssertionError, match="torch is forbidden here"):
        without_torch("import torch")


def test_catalogues_and_specifications_load() -> None:
    without_torch(loading(LIGHT))


def test_every_figure_loads() -> None:
    """SciPy is allowed: it clusters the rows of one heat map."""
    assert len(FIGURES) > 50
    without_torch(loading(FIGURES), tuple(name for name in FORBIDDEN if name != SCIPY))


def test_records_titles_and_formulas_are_read() -> None:
    program = """
from nap_core import corruptions, datasets, methods, models, paper
from nap_core.methods.expressions import parse

print(*[record.title for record in methods.RECORDS.values() if record.formula and record.paper])
print(methods.title("nap+ash-s:percentile=0.9"), parse("(max / (mean + eps)) ** 2").latex)
print(*[record.title for records in (models.RECORDS, datasets.RECORDS, corruptions.RECORDS, paper.ENTRIES)
        for record in records.values()])
"""
    titles, formula, others = without_torch(program).splitlines()
    assert "Energy" in titles
    assert formula.startswith("NAP+ASH-S (percentile 0.9) ")
    assert r"\frac" in formula
    assert "ResNet-20" in others
    assert "Frosted glass" in others


@pytest.mark.parametrize("argv", [["--help"], *([name, "--help"] for name in COMMANDS), ["methods"], ["datasets"]])
def test_the_command_line_lists_and_helps(argv: list[str]) -> None:
    out = without_torch(
        f"from nap_core.cli import main\ntry: sys.exit(main({argv}))\nexcept SystemExit as end: sys.exit(end.code)"
    )
    assert len(out.splitlines()) > 5


def test_the_package_imports_nothing_heavy_by_itself() -> None:
    heavy = {*FORBIDDEN, "numpy", "pandas", "plotly", "PIL", "requests"}
    program = f"import nap_core\nprint(sorted({heavy} & set(sys.modules)))"
    assert without_torch(program) == "[]\n"


def test_every_public_name_is_there() -> None:
    assert dir(nap_core) == sorted({*vars(nap_core), *nap_core.__all__})
    for name in nap_core.__all__:
        assert getattr(nap_core, name).__doc__, name
    with pytest.raises(AttributeError, match="has no attribute 'evaluated'"):
        _ = nap_core.evaluated


def test_the_names_of_the_readmes_of_other_libraries() -> None:
    from nap_core import evaluate, load_model, models
    from nap_core.analysis import evaluation

    assert evaluate is evaluation.evaluate
    assert load_model is models.load
