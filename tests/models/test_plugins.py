"""Models of a user's own module: the documented example works, and a broken module is a sentence."""

import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nap_core import datasets, extraction, models
from nap_core.analysis import evaluation
from nap_core.cli import main
from nap_core.errors import UserError
from nap_core.models import Transform, Variant, entry, plugins
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, default_study, run

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.search(r"```python\n(.*?)```", (ROOT / "docs/own_models.md").read_text(encoding="utf-8"), re.DOTALL)[1]
_numbers = itertools.count()


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """``modules(text, …)`` writes modules, names them in NAP_MODELS and gives their names, each of its own."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(*texts: str) -> list[str]:
        names = [f"own_models_{next(_numbers)}" for _ in texts]
        for name, text in zip(names, texts, strict=True):
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.setenv(plugins.VARIABLE, ", ".join(names))
        return names

    return write


class TestExample:
    def test_is_as_short_as_promised(self) -> None:
        lines = [line for line in EXAMPLE.splitlines() if line.strip()]
        assert len(lines) <= 15

    def test_goes_through_extraction_and_scores(self, modules) -> None:
        (name,) = modules(EXAMPLE)
        assert plugins.faults() == ()
        model = models.load("birds")
        assert (model.title, model.classes) == ("Bird network", ("owl", "robin", "wren"))
        assert model.structure.sentence() == (
            "Found: the map that enters “4”, 32 channels of 8 × 8; the last layer, “6”, reads its mean."
        )
        assert models.find("birds").source == f"your own module {name}"
        found = run(Study("birds", "cifar10", ("mnist", "textures"), 8, "cifar10-fit"), Store(), device="cpu")
        np.testing.assert_allclose(
            model.logits_of(found.id.activations.pooled), found.id.activations.logits, rtol=1e-4, atol=1e-5
        )
        methods = ["nap", "energy", "nap+energy", "react", "gradnorm"]
        table = evaluation.evaluate(found, methods)
        assert set(table["method"]) == set(methods) and table["auroc"].between(0, 1).all()
        assert set(table["weights_sha256"]) == {model.weights_sha256}

    def test_is_in_the_catalogue(self, modules, capsys: pytest.CaptureFixture[str]) -> None:
        modules(EXAMPLE)
        assert "birds" in models.names()
        assert default_study("birds").ood_datasets == ("textures", "uniform-noise")
        assert main(["models"]) == 0
        line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("birds "))
        assert "Bird network" in line and "three birds" in line
        assert main(["extract", "--model", "birds", "--limit", "3", "--device", "cpu", "--quiet", "mnist"]) == 0
        assert main(["extract", "--model", "birds", "--weights", str(ROOT / "README.md"), "mnist"]) == 2
        assert "Leave --weights out" in capsys.readouterr().err

    def test_is_in_the_app(self, modules) -> None:
        modules(EXAMPLE)
        study = Study("birds", "cifar10", ("mnist",), 8)
        run(study, Store())
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
        for key, value in study.to_query().items():
            app.query_params[key] = value
        app.run()
        assert not app.exception and not app.error and not app.sidebar.warning
        assert "Bird network" in " ".join(element.value for element in app.sidebar.markdown)


NETWORK = """
from torch import nn
from nap_core.models import Transform, entry
def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 6, 3, 2, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))
def made(**changes):
    given = dict(name="mine", build=network, classes=["a", "b", "c"], transform=Transform(16, 16, (0, 0, 0), (1, 1, 1)))
    return entry(**{**given, **changes})
"""


def test_layer_head_and_layers_can_be_given(modules) -> None:
    modules(NETWORK + "MODELS = [made(layer='1', layers=['1', '3']), made(name='headless', head='')]")
    model = models.load("mine")
    assert (str(model.hook), model.architecture.layers, model.keeps_features) == ("output of 1", ("1", "3"), True)
    assert models.load(Variant("mine", "3")).logits_from_means
    assert not models.load("headless").has_head
    images = extraction.extract(models.load("headless"), datasets.load("cifar10"), limit=2, device="cpu")
    assert images.features is None and images.channels == 6


def test_weights_and_code_make_the_identity(modules, monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = NETWORK.replace("def network():", "import torch\ndef network():\n    torch.manual_seed({seed})")
    names = ("one", "two", "three")
    modules(
        seeded.replace("{seed}", "0") + "MODELS = [made(name='one')]",
        seeded.replace("{seed}", "1") + "MODELS = [made(name='two')]",
        seeded.replace("{seed}", "0") + "# as it was\nMODELS = [made(name='three')]",
    )
    assert len({models.load(name).weights_sha256 for name in names}) == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("MODEL = []", "it has no list called MODELS"),
        ("MODELS = ['birds']", "MODELS holds a str that nap_core.models.entry did not make"),
        (NETWORK + "MODELS = [made(), made()]", "there is another model called “mine”"),
        (NETWORK + "MODELS = [made(name='resnet20-cifar10')]", "there is another model called “resnet20-cifar10”"),
        (NETWORK + "MODELS = [made(name='own:x')]", "“own:x” is no name for a model"),
        (NETWORK + "MODELS = [made(classes=[])]", "needs the names of its classes"),
        (NETWORK + "MODELS = [made(transform=Transform(8, 16, (0, 0, 0), (1, 1, 1)))]", "The crop needs"),
    ],
)
def test_a_module_that_cannot_be_used_is_a_sentence_and_the_others_are_there(
    modules, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    broken, _ = modules(text, EXAMPLE)
    (fault,) = plugins.faults()
    assert fault.startswith(f"The models of “{broken}”, which NAP_MODELS names, cannot be used: ")
    assert sentence in fault and fault.endswith(".")
    assert models.load("birds").classes == ("owl", "robin", "wren")
    with pytest.raises(UserError, match=r"There is no model called “x”.*cannot be used"):
        models.find("x")
    assert main(["models"]) == 0
    assert fault in capsys.readouterr().err


def test_the_app_says_it_and_starts(modules) -> None:
    modules("1 / 0", EXAMPLE)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    assert not app.exception
    assert any("ZeroDivisionError: division by zero" in warning.value for warning in app.sidebar.warning)


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        ("lambda: 1 / 0", "ZeroDivisionError: division by zero"),
        ("lambda: None", "build gave a NoneType in place of a network"),
        ("lambda: nn.Linear(3, 3)", "does not take images of 16 × 16 pixels"),
        ("lambda: nn.Sequential(nn.Flatten(), nn.Linear(768, 3))", "has no layer that puts out a map"),
        ("lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(784, 2))", "answers with 2 numbers, but"),
    ],
)
def test_a_network_that_cannot_be_used_is_a_sentence(modules, build: str, sentence: str) -> None:
    (name,) = modules(NETWORK + f"MODELS = [made(build={build})]")
    with pytest.raises(UserError, match=f"The model “mine” of {name} cannot be used: .*{re.escape(sentence)}"):
        models.load("mine")


def test_nothing_is_imported_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    before = set(sys.modules)
    assert (plugins.records(), plugins.faults()) == ({}, ())
    assert set(sys.modules) == before


def test_entry_is_checked_where_it_is_made() -> None:
    with pytest.raises(UserError, match="no name for a model"):
        entry(name="a b", build=lambda: None, transform=Transform(8, 8, (0,) * 3, (1,) * 3), classes=["a"])


def test_a_plug_in_of_version_0_1_is_read() -> None:
    def made(**words: str) -> str:
        transform = Transform(8, 8, (0.0,) * 3, (1.0,) * 3)
        return entry(name="a", build=lambda: None, transform=transform, classes=["a"], **words).trained_on

    assert made(knows="three birds") == made(trained_on="three birds") == "three birds"
    assert made(trained_on="birds", knows="ignored") == "birds"
    assert made() == made(title="CIFAR-10") == ""
