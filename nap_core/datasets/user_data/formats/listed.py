"""Image files that a text names: where their paths start, which of them are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from nap_core.datasets.decoding import SUFFIXES
from nap_core.datasets.passed_over import Tally
from nap_core.datasets.user_data.folders import MAX_FILES, FolderImages, open_files
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.opening import Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.walking import Allowed, is_hidden
from nap_core.errors import UserError

_TRIED = 10  # paths with which the folder they start from is looked for
_FOLDERS = 200
_ABOVE = 4
_ENDINGS = (".jpg", ".jpeg", ".png", ".JPEG", ".tif", ".webp")


def open_listed(
    path: Path,
    named: Sequence[str],
    labelled: Labelled,
    options: Options,
    how: Opening,
    notes: Iterable[str] = (),
) -> FolderImages:
    """Open the images that the text at ``path`` names.

    Args:
        path: the text, near the images.
        named: the images' paths, as they are written.
        labelled: a label for each.
        options: the window, and how labels count.
        how: title, progress, cache and allowed folders.
        notes: sentences on what was concluded so far.

    Returns:
        The images that are there. Those that are not are counted as passed over.

    Raises:
        UserError: none of the images is there, or there are more than ``MAX_FILES``.
    """
    if len(named) > MAX_FILES:
        raise UserError(f"“{path.name}” names more than {MAX_FILES:,} images. Use a shorter list.")
    root = _root(path, named, how.allowed)
    tally, rows = Tally(), dict[str, int]()
    for row, written in enumerate(named):
        file = _there(root, written, how.allowed)
        if not file:
            tally.add(f"named in {path.name} and not there", written)
        elif file in rows:
            tally.add(f"named twice in {path.name}", written)
        else:
            rows[file] = row
    used = labelled._replace(labels=labelled.labels[list(rows.values())])
    where = f"Its paths start in “{root.name}”." if root.resolve() != path.parent.resolve() else ""
    said = (*notes, *labelled.notes, *((where,) if where else ()))
    how = replace(how, title=how.title or path.stem)
    return open_files(root, list(rows), used.labels, used.classes, options, how, tally, said)


def files_named(path: Path, named: Sequence[str]) -> list[Path]:
    """The image files that the text at ``path`` names and that are there, and the text. Raises UserError for none."""
    root = _root(path, named, None)
    there = (_there(root, written, None) for written in named[:MAX_FILES])
    return [path, *(root / file for file in there if file)]


def looks_like_a_path(text: str) -> bool:
    """Whether a text ends as an image file does."""
    return Path(text).suffix.lower() in SUFFIXES


def _root(path: Path, named: Sequence[str], allowed: Allowed) -> Path:
    """The folder in which the most of the first paths are found: near the text, or above it.

    Raises UserError where none is found.
    """
    step = max(1, len(named) // _TRIED)
    tried = named[::step][:_TRIED]
    best, most = path.parent, 0
    for folder in _near(path):
        if not _within(folder, allowed):
            continue
        count = sum(bool(_there(folder, written, allowed)) for written in tried)
        if count > most:
            best, most = folder, count
        if count == len(tried):
            break
    if not most:
        raise UserError(
            f"None of the images that “{path.name}” names is there, as “{named[0][:100]}”. Put it into the folder in "
            "which its paths start, or above that."
        )
    return best


def _near(path: Path) -> Iterable[Path]:
    """The folder of a text, the folders in it, the folders above and those in them."""
    for folder in islice((path.parent, *path.parent.resolve().parents), _ABOVE):
        yield folder
        try:
            below = sorted(one for one in folder.iterdir() if one.is_dir() and not is_hidden(one.name))
        except OSError:
            continue
        yield from below[:_FOLDERS]


def _there(root: Path, written: str, allowed: Allowed) -> str:
    """The path below ``root``, or absolute, of an image that is there; empty for none.

    An ending may be missing. Only files in an allowed folder are taken, whatever links lead there.
    """
    relative = written.strip().replace("\\", "/")
    forms = [relative] if not relative.startswith("/") else [relative, relative.lstrip("/")]
    if not looks_like_a_path(relative):
        forms += [f"{form}{ending}" for form in forms for ending in _ENDINGS]
    for form in forms:
        file = root / form
        try:
            if form and file.is_file() and _within(file, allowed):
                return form.removeprefix("./")
        except (OSError, ValueError):  # too long, or a null byte
            continue
    return ""


def _within(path: Path, allowed: Allowed) -> bool:
    return allowed is None or any(path.resolve().is_relative_to(one.resolve()) for one in allowed)
