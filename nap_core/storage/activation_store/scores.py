"""Scores on disk: what a method's own pass over images cost minutes to find, kept beside the activations."""

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

from nap_core.storage.activation_store.disk import patiently, write_file
from nap_core.storage.activation_store.entry import writing

FOLDER = "scores"
Rows = tuple[NDArray[np.float64], NDArray[np.int64]]


class ScoreFile:
    """The scores of one dataset under one method, and the classes it predicts (−1 where it predicts none).

    ``key`` holds all that determines the numbers: weights, transform, dataset, fit split, method, parameters,
    versions. The whole file is replaced at each write, in one step: a kill leaves the old rows or the new ones.
    """

    def __init__(self, root: Path, key: Mapping[str, object]) -> None:
        canonical = json.dumps(dict(key), sort_keys=True, separators=(",", ":"))
        self.path = root / FOLDER / f"{hashlib.sha256(canonical.encode()).hexdigest()[:16]}.npz"
        self._key = canonical

    def read(self) -> Rows:
        """The rows there are, from the first on; none when the file is missing or damaged."""
        try:
            with np.load(io.BytesIO(patiently(self.path.read_bytes)), allow_pickle=False) as archive:
                scores, predictions = archive["scores"], archive["predictions"]
                if str(archive["key"]) == self._key and scores.shape == predictions.shape and scores.ndim == 1:
                    return scores.astype(np.float64), predictions.astype(np.int64)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # all that a damaged archive leads to
            pass
        return np.empty(0), np.empty(0, np.int64)

    def write(self, scores: NDArray[np.float64], predictions: NDArray[np.int64]) -> None:
        """Replace the rows. Raises UserError when the disk is full or may not be written to."""
        content = io.BytesIO()
        np.savez_compressed(content, key=np.array(self._key), scores=scores, predictions=predictions)
        with writing(self.path):
            temporary = self.path.with_name(f".tmp-{secrets.token_hex(4)}")
            try:
                write_file(temporary, [content.getvalue()])
                patiently(lambda: os.replace(temporary, self.path))
            finally:
                temporary.unlink(missing_ok=True)
