"""Parquet as the Hugging Face Hub has it: a column of encoded images and one of labels, in one file or several."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nap_core.datasets.images import BaseImages
from nap_core.datasets.user_data import label_arrays
from nap_core.datasets.user_data.folders import MAX_FILES, EncodedImages, looked_at
from nap_core.datasets.user_data.formats import shards
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.npy_arrays import MAX_BYTES
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts
from nap_core.datasets.user_data.scan_cache import Stamp, stamp
from nap_core.errors import UserError

TITLE = "Parquet of the Hugging Face Hub (.parquet), or a folder of it"

SUFFIX = ".parquet"
_IMAGES = ("image", "img", "images", "picture", "pixel_values")
_LABELS = ("label", "labels", "fine_label", "class", "target", "category", "coarse_label")


class Columns(NamedTuple):
    """The columns of images and labels ("" for none), and the names that labels index, where they are stated."""

    image: str
    label: str
    names: tuple[str, ...]


def matches(path: Path) -> bool:
    """Whether the path is a Parquet file, or a folder of them, with a column of encoded images."""
    files = shards.files_of(path, SUFFIX)
    try:
        return bool(files) and bool(_columns(files[0]).image)
    except UserError:
        return False


def parts(path: Path) -> Parts:
    """The splits by the names of files; the test images are read where nothing was said."""
    return shards.parts_of(shards.files_of(path, SUFFIX))


def contents(path: Path, part: str, _allowed: object = None) -> Contents:
    """Size and classes, from the column of labels."""
    labelled = _labels(_files(path, part))
    return Contents(len(labelled.labels), labelled.classes)


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images, encoded in memory and decoded one by one."""
    files = _files(path, options.part)
    columns, labelled = _columns(files[0]), _labels(files)
    if len(labelled.labels) > MAX_FILES:
        raise UserError(f"“{path.name}” holds more than {MAX_FILES:,} images. Take fewer files.")
    names, cells = [], list[Any]()
    for file in files:
        column = _read(file, columns.image)
        names += [f"{file.name}/{row}" for row in range(len(column))]
        cells.append(column)
    encoded = _InMemory(shards.placed(files), {file.name: stamp(file) for file in files}, names, cells)
    said = [f"Images are those of the column “{columns.image}”."]
    if columns.label:
        said.append(f"Labels are those of the column “{columns.label}”.")
    title = how.title or ", ".join(one for one in (path.stem, options.part) if one)
    classes, notes = labelled.classes, (*said, *labelled.notes)
    common = looked_at(path, title, names, labelled.labels, classes, encoded, options, how, notes=notes)
    named = bool(columns.names) and not options.numbering
    return EncodedImages(name=f"parquet:{path.stem}", digits_are_names=named, **common)


class _InMemory:
    """Images in columns that were read, ``names`` in their order; ``stamps`` of the files by their names.

    What is in memory does not change when the files do.
    """

    def __init__(
        self, place: Callable[[str], Path], stamps: Mapping[str, Stamp | None], names: Sequence[str], cells: list[Any]
    ) -> None:
        self._place, self._stamps, self._cells = place, stamps, cells
        self._starts = np.cumsum([0, *map(len, cells)])
        self._rows = {name: index for index, name in enumerate(names)}

    def stamp(self, file: str) -> Stamp | None:
        return self._stamps[self._place(file).name]

    def read(self, file: str) -> tuple[bytes, Stamp]:
        index = self._rows[file]
        place = int(np.searchsorted(self._starts, index, side="right")) - 1
        cell = self._cells[place][index - int(self._starts[place])].as_py()
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        return content or b"", self.stamp(file) or (0, 0, 0)


def _files(path: Path, part: str) -> tuple[Path, ...]:
    return tuple(shards.of_part(shards.files_of(path, SUFFIX), part))


def _columns(path: Path) -> Columns:
    """The columns by their types: a struct with “bytes”, or bytes of a usual name; labels by their names."""
    import pyarrow.parquet as pq

    schema = _safely(path, partial(pq.read_schema, path))
    encoded = [field.name for field in schema if _is_encoded(field)]
    features = _features(schema.metadata or {})
    stated = [name for name, kind in features.items() if isinstance(kind, dict) and kind.get("_type") == "ClassLabel"]
    usual = [field.name for name in _LABELS for field in schema if field.name.lower() == name]
    label = next(iter([*stated, *usual]), "")
    names = features.get(label, {}).get("names", ()) if label in stated else ()
    image = next((name for usual_name in _IMAGES for name in encoded if name.lower() == usual_name), "")
    return Columns(image or next(iter(encoded), ""), label, tuple(map(str, names)))


def _is_encoded(field: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(field.type):
        return bool(field.type.get_field_index("bytes") >= 0)
    binary = pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    return binary and field.name.lower() in _IMAGES


def _features(metadata: dict[bytes, bytes]) -> dict[str, Any]:
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def _labels(files: tuple[Path, ...]) -> Labelled:
    return _labelled(files, tuple(file.stat().st_mtime_ns for file in files))


@lru_cache(maxsize=4)
def _labelled(files: tuple[Path, ...], _changed: tuple[int, ...]) -> Labelled:
    import pyarrow.parquet as pq

    columns = _columns(files[0])
    if not columns.label:
        counts = (_safely(file, partial(pq.read_metadata, file)).num_rows for file in files)
        return label_arrays.unlabelled(sum(counts))
    values = [value for file in files for value in _read(file, columns.label).to_pylist()]
    if all(isinstance(value, str) or value is None for value in values):
        return label_arrays.from_names([value or "" for value in values])
    numbers = np.array([-1 if value is None else value for value in values])
    what = f"The column “{columns.label}” in “{files[0].name}”"
    return label_arrays.convert(numbers, len(values), what, columns.names or None)


def _read(path: Path, column: str) -> Any:
    """A column of a file. Raises UserError when it is damaged, or larger than ``MAX_BYTES``."""
    import pyarrow.parquet as pq

    about = _safely(path, partial(pq.read_metadata, path))
    groups = (about.row_group(index) for index in range(about.num_row_groups))
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    size = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] == column)
    if size > MAX_BYTES:
        raise UserError(f"“{path.name}” takes {size / 2**30:,.0f} GiB; up to {MAX_BYTES // 2**30} GiB can be taken.")
    return _safely(path, partial(pq.read_table, path, columns=[column])).column(0)


def _safely(path: Path, read: Any) -> Any:
    """The result of ``read``; exceptions of the reader become a UserError."""
    try:
        return read()
    except (OSError, ValueError, KeyError, IndexError, MemoryError) as error:  # ArrowInvalid is a ValueError
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UserError(f"“{path.name}” is damaged and cannot be read ({reason}). Download it again.") from error
