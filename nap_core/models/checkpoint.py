"""Weights from a file: safetensors, or a PyTorch checkpoint that contains only tensors."""

from __future__ import annotations

import hashlib
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nap_core.errors import UserError

# Exceptions of the two readers on files with flipped and missing bytes, in addition to UnpicklingError.
_BAD_VALUES = (RuntimeError, ValueError, LookupError, TypeError, AssertionError)
_DAMAGED = (SafetensorError, EOFError, OSError, struct.error, *_BAD_VALUES)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The state dict in ``path``: plain, or under ``state_dict``; a ``module.`` prefix on every name is removed.

    Raises UserError for a missing or damaged file, and for one with other objects than tensors: it could run code.
    """
    if not path.is_file():
        raise UserError(f"There is no weights file at {path}. Check the path.")
    content: Any
    try:
        content = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path.name} holds more than tensors (or is no checkpoint), and loading it could run code, so it was "
            "not opened. Save its state_dict alone with torch.save(model.state_dict(), …) or as safetensors."
        ) from error
    except _DAMAGED as error:
        raise UserError(
            f"{path.name} could not be read as weights: it looks damaged. Download or save it again."
        ) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise UserError(f"{path.name} holds no state dict: expected a dict of tensors, plain or under 'state_dict'.")
    if all(name.startswith("module.") for name in content):
        content = {name.removeprefix("module."): value for name, value in content.items()}
    return dict(content)


def load_into(network: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Load ``state`` into ``network``. Raises UserError with missing, unexpected and misshapen entries."""
    wanted = network.state_dict()
    # Old checkpoints lack this counter, which evaluation never reads.
    missing = sorted(name for name in wanted.keys() - state.keys() if not name.endswith("num_batches_tracked"))
    unexpected = sorted(state.keys() - wanted.keys())
    misshapen = sorted(name for name in wanted.keys() & state.keys() if wanted[name].shape != state[name].shape)
    faults = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
    said = [
        f"{len(names)} {what} ({', '.join(names[:3])}{' …' if len(names) > 3 else ''})"
        for what, names in faults.items()
        if names
    ]
    if said:
        raise UserError(
            f"The weights in {source} do not fit this network: {'; '.join(said)}. "
            "Pick the architecture they were trained with."
        )
    # MNASNet rejects a state dict without version metadata, so the network's own is added.
    versioned = OrderedDict(state)
    versioned._metadata = wanted._metadata  # type: ignore[attr-defined]
    network.load_state_dict(versioned, strict=False)
