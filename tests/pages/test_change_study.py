"""The dialog that changes the study: how many images can be picked, and what they take in the store."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from nap_core import datasets
from nap_core.extraction import plan
from pages.components.study import change_study

SMALL = list(change_study.SIZES)


def test_sizes_follow_the_largest_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = datasets.find
    sizes = {"cifar10": 50_000, "mnist": 1500, "textures": 300}
    monkeypatch.setattr(datasets, "find", lambda name: replace(usual(name), size=sizes[name]))
    assert change_study._sizes(("textures",), 500) == SMALL
    assert change_study._sizes(("textures",), 123) == sorted([*SMALL, 123])
    assert change_study._sizes(("textures", "mnist"), 500) == [*SMALL, 2000]
    assert change_study._sizes(("cifar10", "mnist"), 500) == [*SMALL, 2000, 5000, 10_000, 20_000, 50_000]
    assert change_study._sizes((), 500) == SMALL


def the_dialog() -> None:
    """The page of a test: the dialog's content, for a study that no store holds."""
    from nap_core.studies.study import Study
    from pages.components.study import change_study

    change_study.draw(Study("resnet20-cifar10", "cifar10", ("textures",), 50))


@pytest.mark.parametrize(("half_from", "words"), [(2**40, "About 85 kB in the store"), (0, "half precision")])
def test_the_dialog_says_what_the_study_will_take(store_root, monkeypatch, half_from: int, words: str) -> None:
    monkeypatch.setattr(plan, "HALF_FROM", half_from)
    app = AppTest.from_function(the_dialog, default_timeout=120).run()
    assert not app.exception
    said = " ".join(caption.value for caption in app.caption)
    assert "50 images to extract" in said
    assert words in said
