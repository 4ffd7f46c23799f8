"""Spellings of class names: what two names have in common if they mean one class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

from nap_core.storage.bundled_assets import ASSETS

WORDNET_ID = re.compile(r"n\d{8}")
UNNAMED = re.compile(r"class \d+")
"""Class names of a checkpoint that comes without names."""

_NUMBER = re.compile(r"(?i)(|class|cls|c|label|category|id)[\s_\-]*(\d+)")
_LIKE_IMAGENET = 900
"""Classes of 1,000 that must have a name of WordNet's at their place; torchvision's list has 998."""
_NUMBERED = re.compile(r"\d+\s*[._\- ]\s*(?=\D)")
_WITH_ID = re.compile(r"(n\d{8})[._\- ]+(.+)")
# Names under which the classes of CIFAR, STL and VOC are usually written.
_SYNONYMS = (
    ("airplane", "aeroplane", "plane"),
    ("automobile", "car", "auto", "motorcar"),
    ("truck", "lorry"),
    ("motorcycle", "motorbike"),
    ("bicycle", "bike"),
    ("couch", "sofa"),
    ("television", "tv", "tvmonitor"),
    ("telephone", "phone"),
    ("streetcar", "tram"),
    ("lawn mower", "mower"),
    ("keyboard", "computer keyboard"),
    ("maple tree", "maple"),
    ("oak tree", "oak"),
    ("palm tree", "palm"),
    ("pine tree", "pine"),
    ("willow tree", "willow"),
    ("sweet pepper", "bell pepper"),
    ("hippopotamus", "hippo"),
    ("rhinoceros", "rhino"),
    ("cell phone", "mobile phone", "cellular telephone", "cellphone"),
)


def are_unnamed(classes: Sequence[str]) -> bool:
    """Whether a network's classes have no names: "class 0", "class 1", …, or none at all."""
    return all(map(UNNAMED.fullmatch, classes))


def numbers(names: Sequence[str]) -> dict[str, int]:
    """The numbers that names are: "3", or "class_3" and "c3" where all names are written with one such word."""
    found = {name: match for name in names if (match := _NUMBER.fullmatch(name))}
    words = {match[1].lower() for match in found.values()}
    every = len(found) == len(names) and len(words) == 1
    return {name: int(match[2]) for name, match in found.items() if every or not match[1]}


@cache
def imagenet() -> dict[str, tuple[str, ...]]:
    """WordNet id → WordNet's names of ImageNet-1k's classes, in the order of the logits."""
    lines = (ASSETS / "labels" / "imagenet_wordnet.tsv").read_text(encoding="utf-8").splitlines()
    return {number: tuple(names.split(", ")) for number, names in (line.split("\t") for line in lines)}


@lru_cache(maxsize=64)
def is_imagenet(model_classes: tuple[str, ...]) -> bool:
    """Whether the classes are ImageNet-1k's in their usual order, by their names."""
    table = imagenet()
    if len(model_classes) != len(table):
        return False
    pairs = zip(model_classes, table.items(), strict=True)
    alike = sum(name == number or plain(name) in map(plain, names) for name, (number, names) in pairs)
    return alike >= _LIKE_IMAGENET


def plain(name: str) -> str:
    """The name without case, accents, spaces, punctuation and leading zeros: "T-shirt/top" is "t_shirt top"."""
    letters = "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if one.isalnum())
    return str(int(letters)) if letters.isdecimal() else letters


def singular(name: str) -> frozenset[str]:
    """The plain name and what it is the plural of."""
    word = plain(name)
    forms = {word}
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        forms.add(word[:-1])
        if word.endswith("es"):
            forms.add(word[:-2])
        if word.endswith("ies"):
            forms.add(f"{word[:-3]}y")
    return frozenset(forms)


def related(name: str, *, synonyms: bool = True) -> frozenset[str]:
    """The plain forms of a name and of its usual ``synonyms``.

    A number in front ("001.Black_footed_Albatross") is left away. A WordNet id ("n02085620-Chihuahua") stands for
    WordNet's names.
    """
    marked = _WITH_ID.fullmatch(name)
    names = [marked[1], marked[2]] if marked else [name, _NUMBERED.sub("", name, count=1)]
    forms = frozenset(form for one in names for form in singular(one))
    if synonyms:
        forms = forms.union(*(group for group in _groups() if group & forms))
    return forms.union(*(wordnet(one) for one in names))


def wordnet(number: str) -> frozenset[str]:
    """The plain forms of WordNet's names of an ImageNet-1k class; empty for what is no WordNet id of one."""
    return frozenset(form for one in imagenet().get(number, ()) for form in singular(one))


@cache
def _groups() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(form for name in group for form in singular(name)) for group in _SYNONYMS)


def wordnet_id(name: str) -> str:
    """The WordNet id that a class is called by, "n02085620" or "n02085620-Chihuahua"; else empty."""
    marked = WORDNET_ID.fullmatch(name) or _WITH_ID.fullmatch(name)
    return marked[0][:9] if marked else ""
