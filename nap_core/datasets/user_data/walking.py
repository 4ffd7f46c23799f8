"""Which files of a folder are images, and which are passed over. Links are followed; a loop is not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from nap_core.datasets.decoding import DAMAGED, FORMATS, SUFFIXES
from nap_core.datasets.passed_over import Tally
from nap_core.datasets.user_data.uploads import MARK

Allowed = Sequence[Path] | None
"""The folders in which the targets of links to folders may lie; None for anywhere."""


def walk(root: Path, allowed: Allowed = None, tally: Tally | None = None) -> Iterator[str]:
    """Paths below ``root``, with forward slashes, of images: by their suffix, by their content where they have none.

    Args:
        root: the folder.
        allowed: where links to folders may lead.
        tally: counts what is passed over.
    """
    # A folder is entered through links once at most, and never below itself: this ends, whatever the links are.
    return _Walk(root, allowed, tally or Tally()).below(root, ())


def is_image(path: Path) -> bool:
    """Whether a file is an image by its suffix, or by its header where it has no suffix or only a number as one."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return True
    return not suffix.strip(".0123456789") and _has_image_header(path)


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is never read."""
    return name.startswith((".", "__MACOSX"))


def may_enter(path: Path, allowed: Allowed) -> bool:
    """Whether a link at ``path`` leads to a folder in one of the ``allowed`` ones."""
    try:
        target = path.resolve(strict=True)
        return allowed is None or any(target.is_relative_to(one.resolve()) for one in allowed)
    except (OSError, RuntimeError):  # RuntimeError: circular links
        return False


class _Walk:
    def __init__(self, root: Path, allowed: Allowed, tally: Tally) -> None:
        self.root, self.allowed, self.tally = root, allowed, tally
        self.linked: set[str] = set()

    def below(self, folder: Path, above: tuple[str, ...]) -> Iterator[str]:
        """The images below ``folder``; ``above`` are the true paths of the folders that it lies in."""
        above = (*above, os.path.realpath(folder))
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            self.tally.add("not to be opened", self._place(folder))
            return
        for entry in entries:
            path = Path(entry.path)
            if is_hidden(entry.name):
                if entry.name != MARK:
                    self.tally.add("hidden", self._place(path))
            elif entry.is_dir():
                if not entry.is_symlink() or self._follows(path, above):
                    yield from self.below(path, above)
            elif is_image(path):
                yield self._place(path)
            else:
                self.tally.add(_kind(path), self._place(path))

    def _follows(self, link: Path, above: tuple[str, ...]) -> bool:
        target = os.path.realpath(link)
        if not may_enter(link, self.allowed):
            self.tally.add("linked to outside the allowed folders", self._place(link))
            return False
        if target in above or target in self.linked:
            self.tally.add("linked to a folder that is read already", self._place(link))
            return False
        self.linked.add(target)
        return True

    def _place(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def _kind(path: Path) -> str:
    if not path.exists():
        return "linked to nothing"
    suffix = path.suffix.lower()
    return f"ending in {suffix}" if suffix.strip(".0123456789") else "without an ending and no image"


def _has_image_header(path: Path) -> bool:
    try:
        with Image.open(path, formats=FORMATS):
            return True
    except (*DAMAGED, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return False
