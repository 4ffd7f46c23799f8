"""Arrays in NumPy's file format: the header is checked before an array is loaded, pickled objects are refused."""

from __future__ import annotations

import math
from tokenize import TokenError
from typing import IO, Any, NamedTuple, NoReturn

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nap_core.errors import UserError

MAX_BYTES = 8 * 2**30


class Header(NamedTuple):
    """The shape and the type of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def header(file: IO[bytes], what: str) -> Header:
    """The header of the array in ``file``, which ``what`` names.

    Raises UserError for Python objects and for more than ``MAX_BYTES``, ValueError for a damaged header.
    """
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        _refuse(what)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    try:
        shape, _, dtype = read(file)
    except (TypeError, SyntaxError, TokenError) as error:  # NumPy evaluates the header as a Python literal
        raise ValueError(f"the header of {what} makes no sense") from error
    if dtype.hasobject or dtype.fields is not None:
        _refuse(what)
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise UserError(
            f"{what} takes {size / 2**30:,.0f} GiB; up to {MAX_BYTES // 2**30} GiB can be taken. "
            "Save fewer images in an archive."
        )
    return Header(shape, dtype)


def read(file: IO[bytes]) -> NDArray[Any]:
    """The array in ``file``."""
    content: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return content


def _refuse(what: str) -> NoReturn:
    raise UserError(f"{what} holds Python objects, which are never loaded. Save a plain array instead.")
