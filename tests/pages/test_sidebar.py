"""The sidebar: the study in words and in the address, and the dialog that changes it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.chdir(ROOT)
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)


def words(app: AppTest) -> str:
    return " ".join(element.value for element in app.sidebar.markdown)


def address(app: AppTest) -> dict[str, str]:
    return {name: str(app.query_params[name]) for name in app.query_params}


def test_the_default_study_reads_as_a_sentence_and_stands_in_the_address(app: AppTest) -> None:
    app.run()
    assert not app.exception
    for part in ("ResNet-20", "CIFAR-10", "Fashion-MNIST, MNIST", "500"):
        assert part in words(app)
    assert address(app)["model"] == "resnet20-cifar10"
    assert address(app)["n"] == "500"


def test_a_link_opens_its_study(app: AppTest) -> None:
    for name, value in {"model": "resnet20-cifar10", "id": "cifar10", "ood": "mnist", "n": "50"}.items():
        app.query_params[name] = value
    app.run()
    assert "MNIST" in words(app)
    assert "Fashion" not in words(app)
    assert "50" in words(app)
    assert address(app)["ood"] == "mnist"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("model", "resnet9000", "no model called"),
        ("ood", "imaginary", "no dataset called"),
        ("n", "many", "not a whole number"),
        ("ood", "", "at least one OOD dataset"),
    ],
)
def test_a_link_that_cannot_be_read_is_answered_with_a_sentence(
    app: AppTest, name: str, value: str, sentence: str
) -> None:
    app.query_params[name] = value
    app.run()
    assert not app.exception
    assert any(sentence in warning.value for warning in app.sidebar.warning)
    assert "ResNet-20" in words(app)
