"""Datasets of the Hugging Face Hub by name: ``hf:owner/name`` or ``hf:owner/name:split``.

They need the package ``datasets`` (requirements-extra.txt). Downloads are stored in the sub-folder ``huggingface`` of
the published datasets: image and label columns in the package's own format, and a JSON description.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nap_core.datasets import published
from nap_core.datasets.decoding import decode
from nap_core.datasets.images import presentation_order
from nap_core.datasets.spec import DatasetRecord
from nap_core.errors import UserError
from nap_core.storage.atomic_folders import atomic_folder
from nap_core.storage.downloads import Download
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

PREFIX = "hf:"
PACKAGE = "datasets"
SPLITS = ("test", "validation", "train")
"""Without a split in the name, the first of these that the dataset has is used, else its first split."""
_NAME = re.compile(r"hf:(\w[\w.-]*)/(\w[\w.-]*)(?::(\w[\w.-]*))?")
_ABOUT, _TABLE = "about.json", "table"


def owns(name: str) -> bool:
    """Whether a name denotes a dataset of the Hub, downloaded or not."""
    return name.startswith(PREFIX)


def names() -> tuple[str, ...]:
    """The names of the downloaded datasets, sorted."""
    stored = []
    for path in sorted(_folder().glob(f"*/{_ABOUT}")):
        try:
            stored.append(str(json.loads(path.read_text(encoding="utf-8"))["name"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return tuple(name for name in stored if _NAME.fullmatch(name))


def record(name: str) -> DatasetRecord:
    """The record of a dataset; size and classes are empty before the download.

    Raises UserError for an invalid name.
    """
    owner, plain, split = _parts(name)
    about: dict[str, Any] = _about(name) if prepared(name) else {"size": 0, "classes": ()}
    return DatasetRecord(
        name=name,
        title=f"{owner}/{plain}{f', {split}' if split else ''}",
        description=f"Images of huggingface.co/datasets/{owner}/{plain}.",
        note="A dataset of the Hugging Face Hub.",
        source=f"https://huggingface.co/datasets/{owner}/{plain}",
        size=int(about["size"]),
        role="own",
        classes=tuple(about["classes"]),
        licence="see its page on the Hub",
    )


def prepared(name: str) -> bool:
    """Whether the dataset is downloaded."""
    return (_place(name) / _ABOUT).is_file()


def stamp(name: str) -> int:
    """A number that changes when the folder is moved or the dataset is downloaded again."""
    path = _place(name) / _ABOUT
    return hash((path, path.stat().st_mtime_ns)) if prepared(name) else 0


def missing(_name: str) -> list[Download]:
    """Empty: the Hub's client decides which files it downloads."""
    return []


def prepare(name: str, callbacks: RunCallbacks = NO_CALLBACKS) -> None:
    """Download a dataset. Progress is reported once, at the start; a cancellation takes effect after the download.

    Raises:
        UserError: the package is missing, the Hub cannot be reached or has no such dataset, or the dataset has no image
            column.
        ExtractionStopped: the call was cancelled.
    """
    if prepared(name):
        return
    owner, plain, split = _parts(name)
    if importlib.util.find_spec(PACKAGE) is None:
        raise UserError(
            f"Datasets of the Hugging Face Hub need a package: run pip install {PACKAGE}, or "
            "pip install -r requirements-extra.txt."
        )
    callbacks.report(record(name).title, 0, 0, 0.0, "bytes")
    with atomic_folder(_folder()) as place, _in_words(name):
        table, columns = _fetched(f"{owner}/{plain}", split, place / "cache")
        callbacks.raise_if_stopped()
        table, unreadable = _readable(table, columns["image"], name)
        whole = place / "whole"
        table.save_to_disk(str(whole / _TABLE))
        about = {"name": name, "size": len(table), "fingerprint": _digest(table, columns["image"], columns["label"])}
        about |= {**columns, "unreadable": unreadable}
        (whole / _ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
        if not _place(name).exists():  # else another process was faster
            whole.rename(_place(name))


def load(name: str, _progress: Callable[[int, int], None] | None = None) -> published.PublishedImages:
    """The images in ``presentation_order``.

    Raises:
        UserError: they are not downloaded, or are damaged.
    """
    if not prepared(name):
        raise UserError(f"“{name}” is not here yet: run a study with it, which fetches it from huggingface.co.")
    about, image, label = _about(name), str(_about(name)["image"]), str(_about(name)["label"])
    with _in_words(name):
        from datasets import load_from_disk

        table = load_from_disk(str(_place(name) / _TABLE))
        numbers = table[label] if label else [-1] * len(table)
        labels = np.array([-1 if one is None else one for one in numbers], np.int64)
    order = presentation_order(len(labels))

    def picture(index: int) -> Image.Image:
        return decode(_bytes(table[index][image]), f"{name}, image {index}")

    return published.PublishedImages(
        name,
        record(name).title,
        tuple(about["classes"]),
        labels[order],
        order,
        picture,
        tuple((str(row), str(reason)) for row, reason in about["unreadable"]),
        stated_fingerprint=str(about["fingerprint"]),
        digits_are_names=True,
    )


def _fetched(path: str, split: str, cache: Path) -> tuple[Any, dict[str, Any]]:
    """The image column, undecoded, and the label column; their names ("image", "label") and the "classes".

    Raises UserError without an image column.
    """
    import datasets as hub

    if Path(path).exists():  # the package would open the folder instead
        raise UserError(f"There is a folder “{path}” where the app runs. Use it as a folder of your own.")
    hub.disable_progress_bars()
    if not split:
        there = hub.get_dataset_split_names(path)
        split = next((one for one in SPLITS if one in there), there[0])
    table = hub.load_dataset(path, split=split, cache_dir=str(cache))
    image = next((name for name, kind in table.features.items() if isinstance(kind, hub.Image)), "")
    label = next((name for name, kind in table.features.items() if isinstance(kind, hub.ClassLabel)), "")
    if not image:
        columns = ", ".join(f"“{name}”" for name in table.column_names)
        raise UserError(f"“{path}” has no column of images (found: {columns}). Take a dataset of images.")
    classes = tuple(table.features[label].names) if label else ()
    table = table.select_columns([image, label] if label else [image])
    return table.cast_column(image, hub.Image(decode=False)), {"image": image, "label": label, "classes": classes}


def _readable(table: Any, image: str, name: str) -> tuple[Any, list[tuple[str, str]]]:
    """The rows with readable images, and (row, error message) of the others.

    Raises UserError when no image is readable.
    """
    kept, unreadable = [], []
    for index, cell in enumerate(table[image]):
        try:
            decode(_bytes(cell), f"row {index}")
            kept.append(index)
        except UserError as error:
            unreadable.append((f"row {index}", str(error)))
    if not kept:
        raise UserError(f"None of the {len(table):,} images of “{name}” can be read. Take another dataset.")
    return (table.select(kept) if unreadable else table), unreadable


def _digest(table: Any, image: str, label: str) -> str:
    """The fingerprint: sha256 over encoded images and labels in their order."""
    hasher = hashlib.sha256()
    for row in table:
        hasher.update(hashlib.sha256(_bytes(row[image])).digest())
        hasher.update(f"{row[label] if label else -1}\n".encode())
    return hasher.hexdigest()


def _bytes(cell: dict[str, Any]) -> bytes:
    return cell["bytes"] or (Path(cell["path"]).read_bytes() if cell["path"] else b"")


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Exceptions of the package and the Hub's client become a UserError."""
    from datasets.exceptions import DatasetsError

    try:
        yield
    except (DatasetsError, OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UserError(
            f"“{name}” cannot be fetched from huggingface.co ({reason}). Check the name and the connection, or "
            "download the images elsewhere and use them as a folder of your own."
        ) from error


def _parts(name: str) -> tuple[str, str, str]:
    match = _NAME.fullmatch(name)
    if not match:
        raise UserError(f"“{name}” is no name of the Hub. Write it as hf:owner/name or hf:owner/name:split.")
    return match[1], match[2], match[3] or ""


def _about(name: str) -> dict[str, Any]:
    path = _place(name) / _ABOUT
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {key: content[key] for key in ("size", "classes", "fingerprint", "image", "label", "unreadable")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"What is kept of “{name}” is damaged. Delete {path.parent} and fetch it again.") from error


def _folder() -> Path:
    return published.folder() / "huggingface"


def _place(name: str) -> Path:
    return _folder() / "--".join(part for part in _parts(name) if part)
