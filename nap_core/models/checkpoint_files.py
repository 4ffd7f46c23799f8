"""The content of a weights file: safetensors, or a file of ``torch.save``; only tensors and inert types are read."""

from __future__ import annotations

import io
import pickle
import struct
import threading
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from nap_core.errors import UserError
from nap_core.models import file_kinds, inert_pickle

# Exceptions of the readers on files with flipped and missing bytes.
_BAD_VALUES = (RuntimeError, ValueError, LookupError, TypeError, AssertionError, AttributeError, ArithmeticError)
_DAMAGED = (
    *(pickle.UnpicklingError, SafetensorError, EOFError, OSError, struct.error, *_BAD_VALUES),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, MemoryError, RecursionError),
)
_LEGACY_START = pickle.dumps(inert_pickle.MAGIC, protocol=2)
# The types that torch admits are those of the whole process.
_ONE_READER = threading.Lock()


def read(path: Path) -> Any:
    """The content of a weights file, with inert stand-ins in place of what is neither plain nor a tensor.

    No code of the file is run, and no package that it names is imported.

    Args:
        path: the file; its content decides how it is read, not its ending.

    Raises:
        UserError: there is no such file, it is no checkpoint (the message says what it is), it is damaged, or it holds
            other objects than tensors and inert types (the message names them).
    """
    if not path.is_file():
        raise UserError(f"There is no weights file at {path}. Check the path.")
    with path.open("rb") as file:
        head = file.read(file_kinds.HEAD)
    try:
        if _is_safetensors(path, head):
            return _tensors(path)
        file_kinds.refuse_others(path, head)
        return _unpickled(path, head)
    except _DAMAGED as error:
        raise UserError(
            f"{path.name} could not be read as weights: it looks damaged. Download or save it again."
        ) from error


def _is_safetensors(path: Path, head: bytes) -> bool:
    """Whether the file starts with safetensors' header. Raises UserError where the file ends before its tensors do."""
    if len(head) < 9 or head[8:9] != b"{":
        return False
    size = int.from_bytes(head[:8], "little")
    if size > path.stat().st_size:
        if head[9:10] != b'"':
            return False
        raise file_kinds.cut_short(path)
    return True


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        if "not fully covered" in str(error):
            raise file_kinds.cut_short(path) from error
        raise


def _unpickled(path: Path, head: bytes) -> Any:
    zipped = head.startswith(file_kinds.ZIP)
    with path.open("rb") as file:
        if zipped:
            with zipfile.ZipFile(file) as archive:
                name = next(name for name in archive.namelist() if name.endswith("/data.pkl") or name == "data.pkl")
                content, names = inert_pickle.survey(io.BytesIO(archive.read(name)))
        elif head.startswith(_LEGACY_START):
            content, names = _legacy(path, file)
        else:
            content, names = inert_pickle.survey(file)
    _refuse_obstacles(path, content)
    if not zipped and not head.startswith(_LEGACY_START):
        raise UserError(
            f"{path.name} holds no state dict that torch.save wrote: it is a plain pickle. "
            "Save its state_dict with torch.save(model.state_dict(), …) or as safetensors."
        )
    inert: list[Any] = [
        (inert_pickle.stand_in(name), name) for name in sorted(names) if inert_pickle.has_stand_in(name)
    ]
    try:
        with _ONE_READER, torch.serialization.safe_globals(inert):
            return torch.load(path, "cpu", weights_only=True)
    except RuntimeError as error:
        if "unexpected EOF" in str(error):
            raise file_kinds.cut_short(path) from error
        raise
    except pickle.UnpicklingError as error:
        reason = str(error).rpartition("WeightsUnpickler error: ")[2].strip().split("\n")[0].rstrip(".")
        if "Unsupported operand" in reason:
            reason = "it was saved with another pickle_protocol than torch.save's own"
        raise UserError(
            f"{path.name} could not be read as weights: {reason}. Save its state_dict again with torch.save."
        ) from error


def _legacy(path: Path, file: IO[bytes]) -> tuple[Any, set[str]]:
    """The survey of a file of torch.save before version 1.6: three short pickles, then the content."""
    try:
        for _ in range(3):
            inert_pickle.survey(file)
        return inert_pickle.survey(file)
    except (EOFError, struct.error) as error:
        raise file_kinds.cut_short(path) from error


def _refuse_obstacles(path: Path, content: Any) -> None:
    obstacles = inert_pickle.obstacles(content)
    if not obstacles:
        return
    if obstacles[0][0] == "":
        raise UserError(_more_than_tensors(path, f": it is a {obstacles[0][1]}, a whole object"))
    shown = [f"entry '{place}' is a {name}" for place, name in obstacles[:3]]
    more = f", and {len(obstacles) - 3} more" if len(obstacles) > 3 else ""
    raise UserError(_more_than_tensors(path, f": {', '.join(shown)}{more}"))


def _more_than_tensors(path: Path, what: str) -> str:
    return (
        f"{path.name} holds more than tensors{what}, and loading it could run code, so it was not opened. "
        "Save its state_dict alone with torch.save(model.state_dict(), …) or as safetensors."
    )
