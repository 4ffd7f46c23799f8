"""A user's own models: a folder each in the user's data folder, with the weights and a small JSON.

The name in an address, ``own:birds-3f9a1c``, ends in a digest of the weights and of what was said of them: a link never
comes to mean another model, and whatever was computed for a name stays true of it.
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
from nap_core.storage.atomic_folders import landing

VARIABLE = "NAP_MODELS_FOLDER"
SUFFIXES = (".safetensors", ".pth", ".pt", ".tar")
ABOUT = "model.json"
_KEYS = {"trained_on": "knows"}
WEIGHTS = "weights"
IMAGES = 200
_NAME = re.compile(r"\w[\w.-]*-[0-9a-f]{6}")
_OOD = ("textures", "uniform-noise")


@dataclass(frozen=True)
class About:
    """What is said of a model beside its weights; ``sha256`` is that of the weights file."""

    title: str
    architecture: str
    trained_on: str
    transform: Transform
    classes: tuple[str, ...]
    sha256: str

    def to_json(self) -> str:
        """The file on the disk. Its digest is part of the model's name, so its keys stay those of version 0.1."""
        content = {_KEYS.get(name, name): value for name, value in asdict(self).items()}
        return json.dumps(content, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> About:
        """What ``to_json`` wrote. Raises ValueError, KeyError or TypeError for anything else, UserError for an
        architecture of timm's without timm."""
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
    """Where the models are kept: NAP_MODELS_FOLDER, else ``models`` in the user's data folder."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser().absolute() if named else allowed_folders.user_folder() / "models"


def names() -> tuple[str, ...]:
    """The models that are kept, damaged ones too, sorted."""
    try:
        found = sorted(one.name for one in folder().iterdir() if _NAME.fullmatch(one.name))
    except OSError:
        return ()
    return tuple(allowed_folders.PREFIX + name for name in found)


def checkpoints() -> tuple[str, ...]:
    """The weights files below the allowed roots, by name; see ``roots.locate``."""
    return tuple(allowed_folders.listed(lambda entry: entry.name.lower().endswith(SUFFIXES) and entry.is_file()))


def record(name: str) -> ModelRecord:
    """What is known of a model that is kept. Raises UserError when its JSON cannot be read."""
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
        trained_on=about.trained_on or about.title,
        id_dataset=None,
        fit_dataset=None,
        ood_datasets=_OOD,
        images=IMAGES,
        weights=lambda: _weights(place),
        classes=lambda: about.classes,
        accuracy=None,
        licence="your own",
        source=f"your own checkpoint, a {about.architecture}",
        transform=about.transform,
    )


def keep(about: About, weights: Path) -> str:
    """Copy ``weights`` into the user's folder beside what is said of them; the name.

    The same again is the same model. Raises UserError for a title without letters or digits and for a full disk.
    """
    plain = re.sub(r"[^\w.-]+", "-", about.title).strip("-.")[:40]
    if not plain:
        raise UserError("A model needs a name with a letter or a digit in it.")
    text = about.to_json()
    name = f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    with landing(folder()) as place:
        if not (folder() / name).exists():
            whole = place / "whole"
            whole.mkdir()
            shutil.copyfile(weights, whole / f"{WEIGHTS}{weights.suffix.lower()}")
            (whole / ABOUT).write_text(text, encoding="utf-8")
            whole.rename(folder() / name)
    return allowed_folders.PREFIX + name


def remove(name: str) -> None:
    """Delete a model that is kept. Raises UserError when there is none, or it cannot be deleted."""
    if name not in names():
        raise UserError(f"There is no model called “{name}”.")
    with landing(folder()) as place:
        _place(name).rename(place / "removed")  # in one step, so that no half of it is ever listed


def _place(name: str) -> Path:
    return folder() / name.removeprefix(allowed_folders.PREFIX)


def _weights(place: Path) -> Path:
    files = (place / f"{WEIGHTS}{suffix}" for suffix in SUFFIXES)
    return next((file for file in files if file.is_file()), place / f"{WEIGHTS}{SUFFIXES[0]}")


def _transform(content: dict[str, Any]) -> Transform:
    mean, std = ((float(r), float(g), float(b)) for r, g, b in (content["mean"], content["std"]))
    try:
        return Transform(int(content["resize"]), int(content["crop"]), mean, std, content["interpolation"]).checked()
    except UserError as error:
        raise ValueError(str(error)) from error


def colour(text: str, what: str) -> tuple[float, float, float]:
    """ "0.485, 0.456, 0.406" → a number for red, green and blue. Raises UserError, naming ``what`` it was to be."""
    try:
        r, g, b = (float(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise UserError(f"{what} needs three numbers, as 0.5, 0.5, 0.5, and “{text}” is not that.") from error
    return r, g, b


def class_names(data: bytes, filename: str) -> tuple[str, ...]:
    """The class names of a text file, one a line, in the order of the logits; empty lines at its end are left out.

    Raises UserError for a file that is no UTF-8 text or has no line.
    """
    try:
        lines = data.decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"“{filename}” is no text in UTF-8. Save the class names as plain text, one a line.") from error
    if not lines:
        raise UserError(f"“{filename}” is empty. It needs the class names, one a line.")
    return tuple(line.strip() for line in lines)
