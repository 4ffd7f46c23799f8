"""NumPy archives: our own, MedMNIST's, Keras'."""

from __future__ import annotations

from pathlib import Path

from nap_core.datasets.images import BaseImages
from nap_core.datasets.user_data import npz
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts

TITLE = "NumPy archive (.npz): images and labels, MedMNIST, Keras"


def matches(path: Path) -> bool:
    """Whether the path is an .npz."""
    return path.suffix.lower() == ".npz" and path.is_file()


def parts(path: Path) -> Parts:
    """The splits of MedMNIST and Keras."""
    return npz.parts(path)


def contents(path: Path, part: str, _allowed: object = None) -> Contents:
    """Size and classes, from the headers and the labels."""
    return Contents(*npz.contents(path, part))


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images in memory."""
    return npz.from_npz(path, how.title, options)
