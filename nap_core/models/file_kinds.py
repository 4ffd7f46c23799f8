"""What a file is by its content, where that is no checkpoint: one sentence for each kind, with what to do."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from nap_core.errors import UserError

HEAD = 4096
ZIP = b"PK\x03\x04"
_SAVE = "Save its weights in Python with torch.save(model.state_dict(), …) or as safetensors, and take that file"
_TORCHSCRIPT = f"is a TorchScript archive: a program with its weights, which would have to be run. {_SAVE}"
_EXPORTED = (
    "is an archive of torch.export: a program with its weights, whose reader may run what the file says. "
    "In Python, take torch.export.load(…).state_dict and save that with torch.save"
)
_PACKAGE = f"is an archive of torch.package: Python code with its weights, which would have to be run. {_SAVE}"
_KERAS = "is a model of Keras. Only PyTorch's weights can be read: convert it, then save its state_dict"
_ONNX = f"is an ONNX model: a graph, which needs ONNX's own runtime. {_SAVE}"
_LFS = "is a Git LFS pointer of a few lines in place of the file. Run “git lfs pull” in its repository"
_ANNEX = "is a git-annex pointer in place of the file. Run “git annex get” in its repository"
_PAGE = "is a web page, as a download that needs a login or a confirmation gives it. Open its address in a browser, and"
_PAGE += " take the file that comes from there"
_IMAGE = "is an image. Choose a file of weights"
_PACKED = "is a packed archive. Unpack it, and take the file of weights in it"
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", _LFS),
    (b"/annex/objects/", _ANNEX),
    (b"\x89HDF\r\n\x1a\n", f"is an HDF5 file, as Keras writes it (.h5). {_KERAS.partition('. ')[2]}"),
    (b"GGUF", "is a GGUF file of a language model. Choose the weights of an image classifier"),
    (b"\x93NUMPY", f"is a NumPy array. {_SAVE}"),
    (b"%PDF", "is a PDF document. Choose a file of weights"),
    (b"\x89PNG", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF8", _IMAGE),
    (b"\x1f\x8b", _PACKED),
    (b"BZh", _PACKED),
    (b"\xfd7zXZ", _PACKED),
    (b"\x28\xb5\x2f\xfd", _PACKED),
    (b"7z\xbc\xaf", _PACKED),
    (b"Rar!", _PACKED),
)
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<error")
_CUT_SHORT = "is cut short: the download or the copy stopped early. Fetch it again"
_ENDINGS = (".pth", ".pt", ".th", ".ckpt", ".bin", ".pkl", ".safetensors", ".tar")


def cut_short(path: Path) -> UserError:
    """The error of a file whose end is missing."""
    return UserError(f"{path.name} {_CUT_SHORT}.")


def refuse_others(path: Path, head: bytes) -> None:
    """Raise UserError where ``head``, the first bytes of the file at ``path``, shows that it is no checkpoint."""
    sentence = _sentence(path, head)
    if sentence:
        raise UserError(f"{path.name} {sentence}.")


def _sentence(path: Path, head: bytes) -> str:
    if not head:
        return "is empty: it holds 0 bytes. Download or save it again"
    if head.startswith(ZIP):
        return _of_zip(path)
    for start, sentence in _STARTS:
        if head.startswith(start):
            return sentence
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        return _PAGE
    if head[257:262] == b"ustar":
        return _PACKED
    if head[4:8] == b"TFL3":
        return "is a TensorFlow Lite model. Only PyTorch's weights can be read: convert it, then save its state_dict"
    if _is_onnx(head):
        return _ONNX
    if head.lstrip().startswith((b'{"', b"{\n", b"{\r")):
        return "is JSON, a description and no weights. Choose the file with the weights, which lies beside it"
    if _is_text(head):
        return "is a text file. Choose a file of weights"
    return ""


def _is_text(head: bytes) -> bool:
    """Whether ``head`` is readable text, and no pickle of protocol 0, which is ASCII, too."""
    text = head.decode("utf-8", "ignore")
    printable = all(letter.isprintable() or letter in "\t\r\n" for letter in text)
    return (
        printable
        and len(text.encode()) >= len(head) - 3
        and not head.startswith((b"(", b"c", b"]", b"}", b"I", b"F", b"S", b"V"))
    )


def _of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return _CUT_SHORT if not _has_end(path) else ""
    inner = {name.partition("/")[2] or name for name in names}
    ends = {PurePosixPath(name).name for name in names}
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        return _TORCHSCRIPT
    if "serialized_exported_program.json" in ends or "archive_format" in ends or "serialized_state_dict.pt" in ends:
        return _EXPORTED
    if ".data/extern_modules" in inner:
        return _PACKAGE
    if "model.weights.h5" in ends:
        return _KERAS
    if "data.pkl" in inner:
        return ""
    within = next((name for name in names if name.lower().endswith(_ENDINGS)), None)
    if within:
        return f"is a zip archive that holds {within}. Unpack it, and take that file"
    some = ", ".join(names[:3]) or "nothing"
    return f"is a zip archive without weights of PyTorch in it (it holds {some}). Choose another file"


def _has_end(path: Path) -> bool:
    """Whether the record that ends a zip archive is there."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 66_000))
        return b"PK\x05\x06" in file.read()


def _is_onnx(head: bytes) -> bool:
    """Whether ``head`` starts as ONNX's ModelProto: a format version, then known fields up to the producer or graph."""
    if len(head) < 4 or head[0] != 0x08 or not 1 <= head[1] <= 30:
        return False
    tag, length = head[2], head[3]
    if tag == 0x12:  # the producer's name
        return length < 64 and head[4 : 4 + length].isascii() and head[4 : 4 + length].decode("ascii").isprintable()
    if tag == 0x3A:  # the graph, which starts with a node
        return b"\x0a" in head[4:10]
    return tag == 0x42 and head[4:5] in (b"\x0a", b"\x10")  # the operators' versions
