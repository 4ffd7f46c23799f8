"""What a user says beside a path, written behind it with colons: ``pets:val``, ``fog.npy:3``, ``birds:from-1``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nap_core.datasets.images import Numbering
from nap_core.errors import UserError

NUMBERINGS: dict[str, Numbering] = {"from-0": "from-0", "from-1": "from-1", "in-order": "in-order"}
_NUMBER = r"-?\d+(?:\.\d+)?"
_WINDOW = re.compile(rf"({_NUMBER})\.\.\.?({_NUMBER})")


@dataclass(frozen=True)
class Options:
    """What is read of a path, and how.

    Attributes:
        part: a split or a severity, one of those that the path holds; "" where nothing was said.
        numbering: how class names that are numbers count.
        window: the values that become black and white in images of more than 8 bits; None to conclude them.
    """

    part: str = ""
    numbering: Numbering = ""
    window: tuple[float, float] | None = None

    def words(self) -> tuple[str, ...]:
        """The options as they are written behind a path."""
        window = f"{self.window[0]:g}..{self.window[1]:g}" if self.window else ""
        return tuple(word for word in (self.part, self.numbering, window) if word)

    def behind(self, name: str) -> str:
        """``name`` with the options behind it."""
        return ":".join((name, *self.words()))


def read(words: Sequence[str]) -> Options:
    """The options that ``words`` write. Raises UserError for one that is said twice, and for an empty window."""
    options = Options()
    for word in words:
        window = _WINDOW.fullmatch(word)
        if window:
            low, high = float(window[1]), float(window[2])
            if low >= high:
                raise UserError(f"The window “{word}” is empty. Write the black value first, as 0..4095.")
            changed = replace(options, window=(low, high))
        elif word in NUMBERINGS:
            changed = replace(options, numbering=NUMBERINGS[word])
        else:
            changed = replace(options, part=word)
        if len(changed.words()) == len(options.words()):
            other = next((one for one in options.words() if one not in changed.words()), word)
            raise UserError(f"“:{other}” and “:{word}” cannot both be used. Leave one of them out.")
        options = changed
    return options


def divide(text: str, exists: Callable[[str], bool]) -> tuple[str, Options] | None:
    """The longest front of ``text`` that exists, and the options behind it; None where no front of it exists.

    Raises UserError as ``read`` does.
    """
    parts = text.split(":")
    for count in range(len(parts), 0, -1):
        front, words = ":".join(parts[:count]), parts[count:]
        if front and all(words) and exists(front):
            return front, read(words)
    return None
