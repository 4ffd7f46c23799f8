"""Tables with a column of image files and a column of labels."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from pathlib import Path

from nap_core.datasets.images import BaseImages
from nap_core.datasets.user_data import label_arrays
from nap_core.datasets.user_data.formats.image_list import MAX_BYTES, labels_of_texts
from nap_core.datasets.user_data.formats.listed import files_named, looks_like_a_path, open_listed
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts, split_kinds
from nap_core.errors import UserError

TITLE = "table (.csv, .tsv) with a column of image files and one of labels"

_DELIMITERS = {".csv": ",;\t", ".tsv": "\t"}
_PATHS = ("path", "filepath", "imagepath", "filename", "file", "image", "img", "imagename", "imgpath", "fname", "name")
_IDS = ("imageid", "id", "imgid")
_LABELS = (
    *("label", "class", "classname", "labelname", "target", "category", "species", "breed", "diagnosis", "dx"),
    *("classid", "labelid", "categoryid", "classindex", "labelindex", "imagenetindex", "y", "gt", "groundtruth"),
)
"""How columns of labels are called, without case and punctuation, the first that is there first."""
_SPLITS = ("split", "subset", "set", "partition", "phase", "fold")


def matches(path: Path) -> bool:
    """Whether the path is a table one of whose columns holds image files."""
    if path.suffix.lower() not in _DELIMITERS or not path.is_file():
        return False
    try:
        return _path_column(*_table(path, path.stat().st_mtime_ns)) >= 0
    except UserError:
        return False


def parts(path: Path) -> Parts:
    """The splits where a column has them, one of which has to be said; else the columns that may be labels."""
    head, rows = _table(path, path.stat().st_mtime_ns)
    column = _split_column(head, rows)
    if column >= 0:
        return Parts(tuple(sorted({row[column] for row in rows})))
    place = _path_column(head, rows)
    columns = tuple(name for index, name in enumerate(head) if index != place and ":" not in name and name)
    return Parts(columns, "column", _usual_label(head)) if _usual_label(head) and len(columns) > 1 else Parts()


def contents(path: Path, part: str, _allowed: object = None) -> Contents:
    """Size and classes, from the table alone."""
    paths, labelled, _ = _entries(path, part)
    return Contents(len(paths), labelled.classes)


def files(path: Path) -> list[Path]:
    """The table and the images that it names."""
    head, rows = _table(path, path.stat().st_mtime_ns)
    place = _path_column(head, rows)
    return files_named(path, [row[place] for row in rows])


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images, decoded one by one."""
    paths, labelled, notes = _entries(path, options.part)
    return open_listed(path, paths, labelled, options, how, notes)


def _entries(path: Path, part: str) -> tuple[list[str], Labelled, tuple[str, ...]]:
    head, rows = _table(path, path.stat().st_mtime_ns)
    place, split = _path_column(head, rows), _split_column(head, rows)
    label = _usual_label(head)
    if split >= 0:
        rows = [row for row in rows if row[split] == part]
    elif part:
        label = part
    paths = [row[place] for row in rows]
    if not label:
        columns = ", ".join(f"“{name}”" for name in head)
        note = f"None of its columns is called as labels are (there are {columns}): labels are unknown."
        return paths, label_arrays.unlabelled(len(rows)), (note,)
    labelled = labels_of_texts([row[head.index(label)].strip() for row in rows], path.name)
    return paths, labelled, (f"Images are those of the column “{head[place]}”, labels those of “{label}”.",)


@lru_cache(maxsize=4)
def _table(path: Path, _changed: int) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of a table; a table without a head gets “path” and “label”. Raises UserError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"“{path.name}” has more than {MAX_BYTES // 2**20} MB. Use a shorter table.")
        text = path.read_text(encoding="utf-8-sig", errors="strict")
        first = text.partition("\n")[0]
        delimiter = max(_DELIMITERS[path.suffix.lower()], key=first.count)
        rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(row)]
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"“{path.name}” cannot be read as a table ({error}). Save it as CSV in UTF-8.") from error
    if not rows:
        raise UserError(f"“{path.name}” holds no rows.")
    head = [name.strip() for name in rows[0]]
    if any(map(looks_like_a_path, head)):
        head = ["label"] * len(head)
        head[next(index for index, name in enumerate(rows[0]) if looks_like_a_path(name))] = "path"
    else:
        rows = rows[1:]
    return head, [[*row, *[""] * (len(head) - len(row))] for row in rows]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _path_column(head: list[str], rows: list[list[str]]) -> int:
    """The column of image files: by what is in it, else an id by its name where there are labels; −1 for none."""
    shown = rows[:5]
    columns = [index for index in range(len(head)) if shown and all(looks_like_a_path(row[index]) for row in shown)]
    by_name = [index for name in _PATHS for index in columns if _plain(head[index]) == name]
    if columns:
        return (by_name or columns)[0]
    ids = [index for name in _IDS for index, one in enumerate(head) if _plain(one) == name]
    return ids[0] if ids and shown and _usual_label(head) else -1


def _usual_label(head: list[str]) -> str:
    return next((one for name in _LABELS for one in head if _plain(one) == name), "")


def _split_column(head: list[str], rows: list[list[str]]) -> int:
    """The column of splits: by its name, if it holds two kinds of splits and nothing else; −1 for none."""
    for index, name in enumerate(head):
        if _plain(name) in _SPLITS:
            values = {row[index] for row in rows}
            if len(values) < 10 and len(split_kinds(values)) > 1:
                return index
    return -1
