"""A user's own checkpoints: one folder each, with the weights and a JSON description, in the user's data folder.

The name in an address, ``own:birds-3f9a1c``, ends in a digest of the weights and the description. A name therefore
always means the same model, and stored activations of a name stay valid.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nap_core.errors import UserError
from nap_core.models import architectures
from nap_core.models.preprocessing import Transform
from nap_core.models.spec import ModelRecord
from nap_core.storage import allowed_folders
from nap_core.storage.atomic_folders import atomic_folder

VARIABLE = "NAP_MODELS_FOLDER"
SUFFIXES = (".safetensors", ".pth", ".pt", ".tar", ".th", ".ckpt", ".bin", ".pkl")
ABOUT = "model.json"
_KEYS = {"trained_on": "knows"}
WEIGHTS = "weights"
_NAME = re.compile(r"\w[\w.-]*-[0-9a-f]{6}")


@dataclass(frozen=True)
class About:
    """The JSON description of a checkpoint; ``sha256`` is that of the weights file."""

    title: str
    architecture: str
    trained_on: str
    transform: Transform
    classes: tuple[str, ...]
    sha256: str

    def to_json(self) -> str:
        """The file on the disk. Its digest is part of the model's name, so its keys stay those of version 0.1."""
        content = {_KEYS.get(name, name): value for name, value in asdict(self).items()}
        if self.transform.channels == 3:
            del content["transform"]["channels"]
        return json.dumps(content, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> About:
        """Parse ``to_json``'s output.

        Raises:
            ValueError, KeyError, TypeError: other content.
            UserError: a timm architecture without timm.
        """
        content = json.loads(text)
        words = [content[key] for key in ("title", "architecture", _KEYS["trained_on"], "sha256")]
        classes = tuple(content["classes"])
        if not all(isinstance(word, str) for word in (*words, *classes)):
            raise TypeError("a word is no text")
        if architectures.find(content["architecture"]) is None:
            raise ValueError(f"no architecture called {content['architecture']}")
        title, architecture, trained_on, sha256 = words
        return cls(title, architecture, trained_on, _transform(content["transform"]), classes, sha256)


def folder() -> Path:
    """The folder of the models: NAP_MODELS_FOLDER, else ``models`` in the user's data folder."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser().absolute() if named else allowed_folders.user_folder() / "models"


def names() -> tuple[str, ...]:
    """The names of all stored models, including damaged ones, sorted."""
    try:
        stored = sorted(path.name for path in folder().iterdir() if _NAME.fullmatch(path.name))
    except OSError:
        return ()
    return tuple(allowed_folders.PREFIX + name for name in stored)


def owns(name: str) -> bool:
    """Whether a model of that name is stored."""
    return allowed_folders.is_own(name) and name in names()


def checkpoints() -> tuple[str, ...]:
    """The names of the weights files in the allowed folders; see ``allowed_folders.locate``."""
    return tuple(allowed_folders.listed(lambda entry: entry.name.lower().endswith(SUFFIXES) and entry.is_file()))


def record(name: str) -> ModelRecord:
    """The record of a stored model. Raises UserError for a damaged description."""
    place = _place(name)
    try:
        about = About.from_json((place / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"What is kept of the model “{name}” is damaged ({place / ABOUT}). Remove it and add it again."
        ) from error
    return ModelRecord(
        name=name,
        title=about.title,
        architecture=about.architecture,
        trained_on=about.trained_on,
        weights=lambda: _weights(place),
        classes=lambda: about.classes,
        licence="your own",
        source=f"your own checkpoint, a {about.architecture}",
        transform=about.transform,
    )


def keep(about: About, weights: Path) -> str:
    """Copy ``weights`` and their description into the user's folder; returns the model's name.

    The same weights and description give the same name.

    Args:
        about: the description.
        weights: the weights file.

    Raises:
        UserError: a title without letters or digits, or a full disk.
    """
    plain = re.sub(r"[^\w.-]+", "-", about.title).strip("-.")[:40]
    if not plain:
        raise UserError("A model needs a name with a letter or a digit in it.")
    text = about.to_json()
    name = f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    with atomic_folder(folder()) as place:
        if not (folder() / name).exists():
            whole = place / "whole"
            whole.mkdir()
            shutil.copyfile(weights, whole / f"{WEIGHTS}{weights.suffix.lower()}")
            (whole / ABOUT).write_text(text, encoding="utf-8")
            whole.rename(folder() / name)
    return allowed_folders.PREFIX + name


def remove(name: str) -> None:
    """Delete a stored model. Raises UserError for an unknown name, or when it cannot be deleted."""
    if name not in names():
        raise UserError(f"There is no model called “{name}”.")
    with atomic_folder(folder()) as place:
        _place(name).rename(place / "removed")  # one step: a half-deleted model is never listed


def _place(name: str) -> Path:
    return folder() / name.removeprefix(allowed_folders.PREFIX)


def _weights(place: Path) -> Path:
    files = (place / f"{WEIGHTS}{suffix}" for suffix in SUFFIXES)
    return next((file for file in files if file.is_file()), place / f"{WEIGHTS}{SUFFIXES[0]}")


def _transform(content: dict[str, Any]) -> Transform:
    mean, std = ((float(r), float(g), float(b)) for r, g, b in (content["mean"], content["std"]))
    try:
        sizes, channels = (int(content["resize"]), int(content["crop"])), 1 if content.get("channels") == 1 else 3
        return Transform(*sizes, mean, std, content["interpolation"], channels).checked()
    except UserError as error:
        raise ValueError(str(error)) from error


def colour(text: str, what: str) -> tuple[float, float, float]:
    """ "0.485, 0.456, 0.406" → (red, green, blue). Raises UserError with ``what`` was expected."""
    try:
        r, g, b = (float(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise UserError(f"{what} needs three numbers, as 0.5, 0.5, 0.5, and “{text}” is not that.") from error
    return r, g, b


def class_names(data: bytes, filename: str) -> tuple[str, ...]:
    """The class names of a text file, one a line, in the order of the logits; trailing empty lines are ignored.

    Raises UserError for a file that is not UTF-8 text or is empty.
    """
    try:
        lines = data.decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"“{filename}” is no text in UTF-8. Save the class names as plain text, one a line.") from error
    if not lines:
        raise UserError(f"“{filename}” is empty. It needs the class names, one a line.")
    return tuple(line.strip() for line in lines)
