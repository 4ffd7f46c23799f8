"""The classes of a dataset → the classes of a network. What does not match is unknown, and named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nap_core.datasets import class_names
from nap_core.datasets.images import ImageDataset, Numbering, label_facts

Forms = Callable[[int], Collection[str]]
"""A class → the forms of its name."""
NAMED = 5
"""Class names that a sentence gives before it counts the rest."""


@dataclass(frozen=True)
class ClassMatch:
    """How the classes of a dataset are matched to those of a network.

    Attributes:
        indices: the network's class of each class of the dataset, (C,); −1 for unknown.
        notes: sentences on what was concluded from numbers, synonyms or places; empty where names are the same.
        unmatched: the classes with images that are none of the network's.
        undecided: whether numbers are unmatched because they may count from 0 as well as from 1.
    """

    indices: tuple[int, ...]
    notes: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    undecided: bool = False

    def sentences(self) -> tuple[str, ...]:
        """The notes, and a sentence on what did not match."""
        if not self.unmatched:
            return self.notes
        none = all(index < 0 for index in self.indices)
        effect = "so accuracy is unknown" if none else "so accuracy leaves their images out"
        what = _listed(self.unmatched)
        return (*self.notes, f"No class of the network was matched to {what}, {effect}.")


def match_dataset(dataset: ImageDataset, model_classes: tuple[str, ...]) -> ClassMatch:
    """The match of a dataset's classes, those with images, with a network's."""
    facts = label_facts(dataset)
    used, numbering, digits_are_names = facts["used_classes"], facts["numbering"], facts["digits_are_names"]
    return match(dataset.classes, model_classes, used, numbering, digits_are_names)


@lru_cache(maxsize=64)
def match(
    classes: tuple[str, ...],
    model_classes: tuple[str, ...],
    used: tuple[int, ...] | None = None,
    numbering: Numbering = "",
    digits_are_names: bool = False,
) -> ClassMatch:
    """Match a dataset's classes with a network's.

    Names are compared as they are, then without case and punctuation, in the singular, and by synonyms and WordNet's
    names. Digits match as numbers, counted from 0 or from 1 as their range shows. Places are compared only where the
    network's classes have no names and there are as many.

    Args:
        classes: the dataset's class names (C,).
        model_classes: the network's class names (K,).
        used: the classes that have images, as indices; None for all.
        numbering: how numbers were said to count; "" to conclude it.
        digits_are_names: whether digits are what the images show, as in MNIST, and no numbers of classes.

    Returns:
        The match.
    """
    if used is None:
        used = tuple(range(len(classes)))
    if classes == model_classes:
        return ClassMatch(tuple(range(len(classes))))
    if numbering == "in-order":
        return _in_order(classes, model_classes, used)
    unnamed = class_names.are_unnamed(model_classes)
    by_class = class_names.numbers([classes[index] for index in used])
    numbers = {index: by_class[classes[index]] for index in used if classes[index] in by_class}
    notes: list[str] = []
    found = _by_wordnet(classes, model_classes, used, notes)
    found |= _by_name(classes, model_classes, [index for index in used if index not in found], notes)
    # Where the network's own names are numbers, others may be shifted against them: all of them match, or none.
    if numbering or not found.keys() >= numbers.keys():
        found = {index: place for index, place in found.items() if index not in numbers}
    left = {index: number for index, number in numbers.items() if index not in found}
    undecided = False
    if left and (numbering or unnamed or not (digits_are_names or any(map(str.isdecimal, model_classes)))):
        by_number, note, undecided = _by_number(left, len(model_classes), numbering)
        found |= by_number
        notes.append(note)
    if not found and not numbers and unnamed and len(classes) == len(model_classes):
        return _in_order(classes, model_classes, used)
    indices = tuple(found.get(index, -1) for index in range(len(classes)))
    unmatched = tuple(classes[index] for index in used if index not in found)
    return ClassMatch(indices, tuple(notes), unmatched, undecided)


def labels_for(dataset: ImageDataset, model_classes: tuple[str, ...]) -> NDArray[np.int64]:
    """The labels of ``dataset`` as indices into ``model_classes``, (N,), −1 for unknown."""
    if dataset.classes == model_classes:
        return dataset.labels
    return np.array([*match_dataset(dataset, model_classes).indices, -1], np.int64)[dataset.labels]


def label_notes(dataset: ImageDataset, model_classes: tuple[str, ...]) -> tuple[str, ...]:
    """Sentences on how the labels of ``dataset`` became classes of a network, and which did not."""
    return match_dataset(dataset, model_classes).sentences()


def are_strangers(classes: tuple[str, ...], model_classes: tuple[str, ...]) -> bool:
    """Whether a dataset's class names show that it shares no class with the model.

    False where names say nothing: numbers, or a model without class names.
    """
    if not classes or any(map(str.isdecimal, classes)) or class_names.are_unnamed(model_classes):
        return False
    return all(index < 0 for index in match(classes, model_classes).indices)


def _by_wordnet(
    classes: tuple[str, ...], model_classes: tuple[str, ...], wanted: Sequence[int], notes: list[str]
) -> dict[int, int]:
    """Dataset class → network class for WordNet ids, where the network's classes are ImageNet-1k's or 1,000 unnamed."""
    numbers = {number: place for place, number in enumerate(class_names.imagenet())}
    unnamed = class_names.are_unnamed(model_classes) and len(model_classes) == len(numbers)
    if not (unnamed or class_names.is_imagenet(model_classes)):
        return {}
    ids = {index: class_names.wordnet_id(classes[index]) for index in wanted}
    found = {index: numbers[one] for index, one in ids.items() if one in numbers}
    if found:
        notes.append("WordNet ids are matched by ImageNet-1k's order, which is that of the sorted ids.")
    return found


def _by_name(
    classes: tuple[str, ...], model_classes: tuple[str, ...], wanted: Sequence[int], notes: list[str]
) -> dict[int, int]:
    """Dataset class → network class, for what their names show; ``notes`` gets what is not plainly the same.

    Nothing for a network whose classes have no names: "class 3" is the fourth of them, and no name.
    """
    if class_names.are_unnamed(model_classes):
        return {}
    # ImageNet's “plane” is a carpenter's: synonyms of small datasets mean other classes there.
    is_imagenet = class_names.is_imagenet(model_classes)
    numbers = list(class_names.imagenet())
    found: dict[int, int] = {}

    def related(index: int) -> Collection[str]:
        return class_names.related(classes[index], synonyms=not is_imagenet)

    def related_to_network(index: int) -> Collection[str]:
        forms = class_names.related(model_classes[index], synonyms=not is_imagenet)
        return forms | class_names.wordnet(numbers[index]) if is_imagenet else forms

    levels: tuple[tuple[Forms, Forms], ...] = (
        (lambda index: (classes[index],), lambda index: (model_classes[index],)),
        (lambda index: (class_names.plain(classes[index]),), lambda index: (class_names.plain(model_classes[index]),)),
        (lambda index: class_names.singular(classes[index]), lambda index: class_names.singular(model_classes[index])),
        (related, related_to_network),
    )
    others: dict[int, int] = {}
    for of_dataset, of_network in levels:
        left = [index for index in wanted if index not in found]
        others = _with_one_candidate(left, of_dataset, len(model_classes), of_network) if left else {}
        found |= others
    if others:  # of the last level
        pairs = [f"“{classes[index]}” for “{model_classes[place]}”" for index, place in others.items()]
        more = f" and {len(pairs) - NAMED:,} more" if len(pairs) > NAMED else ""
        notes.append(f"Other names were taken for the network's: {', '.join(pairs[:NAMED])}{more}.")
    return found


def _with_one_candidate(left: Sequence[int], of_dataset: Forms, count: int, of_network: Forms) -> dict[int, int]:
    """Dataset class → network class, for the classes that share a form with exactly one of ``count``."""
    places: defaultdict[str, set[int]] = defaultdict(set)
    for place in range(count):
        for form in of_network(place):
            places[form].add(place)
    candidates = {index: set().union(*(places.get(form, set()) for form in of_dataset(index))) for index in left}
    return {index: found.pop() for index, found in candidates.items() if len(found) == 1}


def _by_number(numbers: dict[int, int], count: int, numbering: Numbering) -> tuple[dict[int, int], str, bool]:
    """Dataset class → network class for digits, a sentence, and whether their range leaves the base open."""
    low, high = min(numbers.values()), max(numbers.values())
    span = f"{low} … {high}" if low < high else f"{low}"
    if numbering:
        base = int(numbering.removeprefix("from-"))
    elif low == 0 and high < count:
        base = 0
    elif low >= 1 and high == count:
        base = 1
    elif low >= 1 and high < count:
        sentence = (
            f"The classes {span} do not show whether they count from 0 or from 1: write :from-0 or :from-1 behind the "
            "dataset's name."
        )
        return {}, sentence, True
    else:
        return {}, f"The classes {span} do not fit the network's {count:,} classes.", False
    if low < base or high - base >= count:
        return {}, f"The classes {span}, counted from {base}, do not fit the network's {count:,} classes.", False
    said = "" if numbering else ", as their range shows"
    note = f"The classes {span} are matched to the network's {count:,} by number, counted from {base}{said}."
    return {index: number - base for index, number in numbers.items()}, note, False


def _in_order(classes: tuple[str, ...], model_classes: tuple[str, ...], used: Sequence[int]) -> ClassMatch:
    """The match by place."""
    if len(classes) != len(model_classes):
        note = f"{len(classes):,} classes cannot be matched by place to the network's {len(model_classes):,}."
        return ClassMatch((-1,) * len(classes), (note,), tuple(classes[index] for index in used))
    note = (
        f"The {len(classes):,} classes are matched to the network's by place: “{classes[0]}” is its first and "
        f"“{classes[-1]}” its last."
    )
    return ClassMatch(tuple(range(len(classes))), (note,))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(f"“{name}”" for name in names[:NAMED]) + more
