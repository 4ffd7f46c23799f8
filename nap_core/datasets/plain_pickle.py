"""Pickles of plain data: dictionaries, lists, text, bytes, numbers and NumPy arrays. Everything else is refused."""

from __future__ import annotations

import codecs
import io
import pickle
from typing import IO, Any

import numpy as np


def load(content: bytes | IO[bytes]) -> Any:
    """The plain data of a pickle, written by Python 2 or 3.

    No name of a module is looked up but the constructors of arrays, so that no code of the file is run. Raises
    ValueError for other names, and what ``pickle`` raises for damaged content.
    """
    return _Plain(io.BytesIO(content) if isinstance(content, bytes) else content, encoding="latin1").load()


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return _PLAIN[module, name]
        raise ValueError(f"it names {module}.{name}, which is no plain data")


# The constructors of arrays, under their names in old and new pickles.
_RECONSTRUCT = np.empty(0).__reduce__()[0]
_FROM_BUFFER = np.zeros(1).__reduce_ex__(5)[0]
_PLAIN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy.core.numeric", "_frombuffer"): _FROM_BUFFER,
    ("numpy._core.numeric", "_frombuffer"): _FROM_BUFFER,
    ("_codecs", "encode"): codecs.encode,
}
