"""A hint is worded by each interface, and no message of the library names a button of the app."""

from pathlib import Path

import pytest

from nap_core.cli.hints import HINTS as CLI_HINTS
from nap_core.errors import Hint, UserError
from pages.components.study.hints import HINTS as APP_HINTS
from pages.components.study.hints import sentence

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("hint", Hint)
def test_every_interface_words_every_hint(hint: Hint) -> None:
    error = UserError("Something is missing.", hint)
    assert str(error) == f"Something is missing. {hint.value}"
    assert error.worded(CLI_HINTS) == f"Something is missing. {CLI_HINTS[hint]}"
    assert sentence(error) == f"Something is missing. {APP_HINTS[hint]}"


def test_an_error_without_a_hint_is_its_message() -> None:
    assert str(UserError("Take another file.")) == sentence(UserError("Take another file.")) == "Take another file."


def test_the_library_names_no_button() -> None:
    sources = list((ROOT / "nap_core").rglob("*.py"))
    assert len(sources) > 100
    assert [path.name for path in sources if "Change the study" in path.read_text(encoding="utf-8")] == []
