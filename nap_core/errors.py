"""The one exception whose message is written for the person in front of the screen, and the hints that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Hint(Enum):
    """What would mend a mistake, where each interface has its own way to do it.

    The value is the neutral sentence of the library; the app and the command line have a table of their own wordings.
    """

    ID_IMAGES = "Take an ID dataset with images."
    MORE_IMAGES = "Take more images."
    CNN = "Take a network with feature maps."


class UserError(Exception):
    """A mistake that the user can mend.

    Args:
        message: one or two sentences that say what is wrong and, without a ``hint``, what to do.
        hint: what to do, for ``worded``.
    """

    def __init__(self, message: str = "", hint: Hint | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return self.worded({})

    def worded(self, wordings: Mapping[Hint, str]) -> str:
        """The message with its hint in the words of an interface, in the library's own where it has none."""
        if self.hint is None:
            return self.message
        return f"{self.message} {wordings.get(self.hint, self.hint.value)}"
