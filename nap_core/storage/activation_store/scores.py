"""Stored scores of image-based methods, whose passes take minutes, in the folder of the activations."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nap_core.storage.activation_store.entry import SCORES, writing
from nap_core.storage.activation_store.shards import patiently, write_file

Rows = tuple[NDArray[np.float64], NDArray[np.int64]]


class ScoreFile:
    """The scores (N,) of one dataset under one method, and the predicted classes (N,), −1 for none.

    ``key`` contains all that determines the numbers: weights, transform, dataset, fit split, method, parameters,
    versions. Each write replaces the file in one step: after a kill it has the old rows or the new ones.
    """

    def __init__(self, root: Path, key: Mapping[str, object]) -> None:
        canonical = json.dumps(dict(key), sort_keys=True, separators=(",", ":"))
        self.path = root / SCORES / f"{hashlib.sha256(canonical.encode()).hexdigest()[:16]}.npz"
        self._key = canonical

    def read(self) -> Rows:
        """The stored rows; empty arrays if the file is missing or damaged."""
        try:
            with np.load(io.BytesIO(patiently(self.path.read_bytes)), allow_pickle=False) as archive:
                scores, predictions = archive["scores"], archive["predictions"]
                if str(archive["key"]) == self._key and scores.shape == predictions.shape and scores.ndim == 1:
                    return scores.astype(np.float64), predictions.astype(np.int64)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # all that a damaged archive can raise
            pass
        return np.empty(0), np.empty(0, np.int64)

    def write(self, scores: NDArray[np.float64], predictions: NDArray[np.int64]) -> None:
        """Replace the rows. Raises UserError when the disk is full or not writable."""
        content = io.BytesIO()
        np.savez_compressed(content, key=np.array(self._key), scores=scores, predictions=predictions)
        with writing(self.path):
            temporary = self.path.with_name(f".tmp-{secrets.token_hex(4)}")
            try:
                write_file(temporary, [content.getvalue()])
                patiently(lambda: os.replace(temporary, self.path))
            finally:
                temporary.unlink(missing_ok=True)
