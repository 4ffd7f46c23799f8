"""Pickles read without running them: what a file would build, what stands in the way, and inert stand-ins.

``survey`` goes through the instructions of a pickle and calls nothing: whatever the file would import or call becomes a
``Seen``. ``obstacles`` then names what is neither a tensor nor of an inert type, with its place. The tensors themselves
are read by ``torch.load(weights_only=True)``, for which ``stand_in`` makes an empty class in place of each inert type.
"""

from __future__ import annotations

import pickle
import re
import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import IO, Any, ClassVar

_TENSORS = re.compile(
    r"torch\.([A-Z]\w*Storage|[A-Z]\w*Tensor|Tensor|Size|device|strided|sparse_\w+|per_(tensor|channel)_\w+)|"
    r"torch\.(bool|half|double|long|short|b?float\d*(_\w+)?|q?u?int\d*(x\d+)?|complex\d+)|torch\.storage\.\w+Storage|"
    r"torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type_v2|torch\.nn\.parameter\.Parameter|"
    r"torch\.serialization\._get_layout|collections\.(OrderedDict|Counter)|_codecs\.encode|"
    r"builtins\.(set|bytearray|complex)"
)
"""What ``torch.load(weights_only=True)`` reads itself; it refuses the rest of these patterns."""
_MAPPINGS = re.compile(
    r"collections\.defaultdict|easydict\.EasyDict|addict\.(addict\.)?Dict|munch(\.\w+)?\.Munch|yacs\.config\.CfgNode|"
    r"[\w.]+\.AttributeDict|mm(engine|cv)\.(utils\.)?config(\.config)?\.ConfigDict|ml_collections\.[\w.]+\.ConfigDict"
)
_INERT = re.compile(
    r"numpy\._?core\.(multiarray\.(scalar|_reconstruct)|numeric\._frombuffer)|numpy\.(dtype|ndarray|dtypes\.\w+DType)|"
    r"numpy\.(bool_?|(u?int|float|complex)(_|\d+)?|str_|bytes_|longlong)|"
    r"argparse\.Namespace|types\.SimpleNamespace|"
    r"pathlib(\._local|\._abc)?\.(Pure)?(Posix|Windows)?Path|"
    r"collections\.deque|datetime\.(date|time|datetime|timedelta|timezone)|decimal\.Decimal|uuid\.UUID|"
    r"fractions\.Fraction|builtins\.(int|float|str|bool|list|dict|tuple|bytes|frozenset|slice|range|object)|typing\.\w+|"
    r"omegaconf(\.\w+)*\.\w+"
)
"""Types of values that come along with weights: numbers, paths, settings."""
_MEMBER = "builtins.getattr"
_SUBCLASS = "torch._tensor._rebuild_from_type_v2"
# Instructions that a checkpoint never has: some reserve as much memory as the file names, the others call by number.
_LEFT_OUT = (b"\x96", b"\x97", b"\x98", b"\x82", b"\x83", b"\x84", b"i", b"o")
MAGIC = 0x1950A86A20F9469CFC6C
"""The number that starts a file of ``torch.save`` before version 1.6."""


@dataclass(eq=False)
class Seen:
    """What a pickle imports, calls or builds.

    ``name`` is the dotted name in the file, ``how`` what is done with it: "named", "source" (named with its code),
    "member" (an attribute of it), "called" or "built". ``args`` are the arguments of the call, ``parts`` what is put
    into it afterwards.
    """

    name: str
    how: str
    args: tuple[Any, ...] = ()
    parts: list[Any] = field(default_factory=list)

    def append(self, part: Any) -> None:
        self.parts.append(part)

    def extend(self, parts: list[Any]) -> None:
        self.parts.extend(parts)

    def add(self, part: Any) -> None:
        self.parts.append(part)

    def __setitem__(self, key: Any, part: Any) -> None:
        self.parts.append({str(key): part})

    @property
    def is_inert(self) -> bool:
        """Whether it can be read: a tensor, an inert type, a member of an enum, or a class that is only named."""
        if _TENSORS.fullmatch(self.name):
            return self.name != _SUBCLASS or all(_TENSORS.fullmatch(arg.name) for arg in self.args[:2])
        if _INERT.fullmatch(self.name) or _MAPPINGS.fullmatch(self.name):
            return True
        if not _is_foreign(self.name):
            return False
        return self.how in ("named", "member") or (self.how == "called" and _is_member_call(self.name, self.args))


def has_stand_in(name: str) -> bool:
    """Whether ``name`` is read as a stand-in once ``obstacles`` has passed the file: an inert type, or an enum."""
    return bool(_INERT.fullmatch(name) or _MAPPINGS.fullmatch(name) or _is_foreign(name) or name == _MEMBER)


def _is_foreign(name: str) -> bool:
    """Whether the name is of another package than Python itself, whose functions a file might call."""
    return name.split(".")[0] not in sys.stdlib_module_names


def _is_member_call(name: str, args: tuple[Any, ...]) -> bool:
    """Whether a call can be that of an enum's member by its value."""
    return len(args) == 1 and isinstance(args[0], str | int | float) and not name.startswith(("torch.", "numpy."))


class _Survey(pickle._Unpickler):  # in Python, so that single steps can be replaced
    stack: list[Any]

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="utf-8", errors="replace")
        self.names: set[str] = set()

    def find_class(self, module: str, name: str) -> Seen:
        if (module, name) in NAME_MAPPING:
            module, name = NAME_MAPPING[module, name]
        module = IMPORT_MAPPING.get(module, module)
        self.names.add(f"{module}.{name}")
        return Seen(f"{module}.{name}", "named")

    def persistent_load(self, pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) > 1 and pid[0] == "module":  # a class, with its source code
            return _named(pid[1], "source", ())
        return Seen("torch.storage.UntypedStorage", "built")

    def load_reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = _called(self.stack[-1], args)

    def load_newobj(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = _named(self.stack[-1], "built", args)

    def load_newobj_ex(self) -> None:
        settings, args = self.stack.pop(), self.stack.pop()
        self.stack[-1] = _named(self.stack[-1], "built", (*args, settings))

    def load_build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Seen):
            self.stack[-1].parts.append(state)

    dispatch: ClassVar[dict[int, Any]] = {
        **{code: step for code, step in pickle._Unpickler.dispatch.items() if bytes([code]) not in _LEFT_OUT},
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.NEWOBJ_EX[0]: load_newobj_ex,
        pickle.BUILD[0]: load_build,
    }


def _named(what: Any, how: str, args: Any) -> Seen:
    if not isinstance(what, Seen) or what.how not in ("named", "member", "source"):
        raise pickle.UnpicklingError("what is called is no name")
    return Seen(what.name, how, tuple(args))


def _called(what: Any, args: Any) -> Seen:
    if isinstance(what, Seen) and what.name == _MEMBER and what.how == "named" and len(args) == 2:
        owner, name = args
        if isinstance(owner, Seen) and owner.how == "named" and isinstance(name, str):
            return Seen(f"{owner.name}.{name}", "member")
    if isinstance(what, Seen) and what.how == "member":
        return Seen(f"call of {what.name}", "built", tuple(args))
    return _named(what, "called", args)


def survey(file: IO[bytes]) -> tuple[Any, set[str]]:
    """Read one pickle without calling anything.

    Args:
        file: open at the pickle; it is left behind it.

    Returns:
        The content with a ``Seen`` in place of all that is no plain value, and the dotted names that it imports.

    Raises:
        UnpicklingError, and any other error of damaged values: the bytes are no pickle.
    """
    unpickler = _Survey(file)
    return unpickler.load(), unpickler.names


def obstacles(content: Any) -> list[tuple[str, str]]:
    """What is neither plain, nor a tensor, nor of an inert type: (place, dotted name); the place of the whole is ""."""
    return list(_obstacles(content))


def _obstacles(content: Any) -> Iterator[tuple[str, str]]:
    waiting: list[tuple[str, Any]] = [("", content)]
    visited = set[int]()
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, str | bytes | int | float | None) or id(one) in visited:
            continue
        visited.add(id(one))
        if isinstance(one, Seen) and not one.is_inert:
            yield place, one.name
            continue
        waiting.extend(reversed([(_below(place, key), part) for key, part in _parts(one)]))


def _parts(one: Any) -> Iterator[tuple[object, Any]]:
    if isinstance(one, dict):
        for key, value in one.items():
            yield key, value
            if isinstance(key, Seen | tuple):
                yield "", key
    elif isinstance(one, list | tuple | set | frozenset):
        yield from ((index if isinstance(one, list) else "", part) for index, part in enumerate(one))
    elif isinstance(one, Seen):
        yield from (("", part) for part in (*one.args, *one.parts))


def _below(place: str, key: object) -> str:
    word = key.name if isinstance(key, Seen) else str(key)
    return "/".join(filter(None, (place, word)))


class _Inert(list[Any]):
    """Takes what a file puts into it and does nothing. A list, because torch appends to lists only."""

    def __init__(self, *_args: object) -> None:
        super().__init__()

    def __setstate__(self, _state: object) -> None:
        pass


class _InertMapping:
    """Torch puts entries into dictionaries only, so that a mapping of any kind becomes one."""

    def __new__(cls, *_args: object) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        return OrderedDict()


@cache
def stand_in(name: str) -> type:
    """The empty class that is read in place of ``name``."""
    return type(name, (_InertMapping if _MAPPINGS.fullmatch(name) else _Inert,), {})
