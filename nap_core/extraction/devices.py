"""The devices that a pass can run on."""

from __future__ import annotations

import torch

from nap_core.errors import UserError

BATCH = {"cuda": 256, "mps": 128, "cpu": 64}
"""Images of a batch, where nobody says otherwise."""


def choose_device(name: str | None = None) -> torch.device:
    """The device to run on: ``name`` ("cuda", "mps", "cpu", "cuda:1" …), or the best there is.

    Raises UserError when a named device is not there.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"The device “{name}” cannot be used here. Choose another one, for example “cpu”.") from error
    return device


def available_devices() -> tuple[str, ...]:
    """The devices of this machine by name, the best first; the CPU is always the last."""
    gpus = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count())) if torch.cuda.is_available() else ()
    return (*gpus, *(("mps",) if torch.backends.mps.is_available() else ()), "cpu")


def describe_device(name: str | None = None) -> str:
    """The device that would be used, in words: a GPU by its product name, the CPU by its threads."""
    device = choose_device(name)
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return "Apple GPU" if device.type == "mps" else f"CPU, {threads} thread{'s' if threads > 1 else ''}"
