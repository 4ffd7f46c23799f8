"""A suspicious ID accuracy is the first thing that a page says, and a plausible one is passed over."""

from pathlib import Path

import numpy as np
import pytest

from nap_core import datasets
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from tests.pages.conftest import OpenPage
from tests.sentences import states

MODEL = "resnet20-cifar10"


@pytest.fixture
def shifted(data_root: Path) -> Study:
    """The images of CIFAR-10, each under the label of the next class."""
    cifar = datasets.load("cifar10")
    images = np.stack([np.asarray(cifar.image(row)) for row in range(40)])
    np.savez(data_root / "shifted.npz", images=images, labels=(cifar.labels[:40] + 1) % 10)
    return Study(MODEL, "own:shifted.npz", ("mnist",), 40)


@pytest.mark.parametrize("page", ["compare_methods", "reproduce"])
def test_it_comes_first(open_page: OpenPage, shifted: Study, page: str) -> None:
    run(shifted, Store())
    app = open_page(page, shifted)
    assert states(app.main.warning[0].value, "40 chance 10 labels preprocessing classes")
    kinds = [element.type for element in app.main]
    assert kinds.index("warning") < kinds.index("title")


def test_a_plausible_one_is_no_warning(open_page: OpenPage) -> None:
    run(study := Study(MODEL, "cifar10", ("mnist",), 40), Store())
    assert not open_page("compare_methods", study).main.warning
