"""Which OOD datasets of a study are near to its ID data, which are far, and which are undecided.

Near-OOD images differ in what they show but not in how they look: other classes of the same kind of photograph. The
NAP paper (Appendix I) uses CIFAR-100 with a CIFAR-10 network. Nearness is not measured here: it comes from the sources
of the benchmarks, from the kind of picture, or from the user.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from nap_core import datasets
from nap_core.storage import allowed_folders
from nap_core.studies import benchmarks
from nap_core.studies.study import Study

Nearness = Literal["near", "far", "unknown"]
GROUPS: dict[Nearness, str] = {"near": "near-OOD", "far": "far-OOD", "unknown": "OOD that nobody placed"}
_WITHOUT_OBJECTS = ("noise", "textures")


@dataclass(frozen=True)
class OODGroup:
    """The group of an OOD dataset, and the reason.

    Attributes:
        nearness: "near", "far" or "unknown", a key of ``GROUPS``.
        why: The reason in a few words: "by OpenOOD v1.5 CIFAR-10".
    """

    nearness: Nearness
    why: str


def nearness(study: Study, near: Collection[str] = (), far: Collection[str] = ()) -> dict[str, OODGroup]:
    """The group of each OOD dataset of a study: the user's, else the one that ``placed`` gives.

    Args:
        study: The study, whose OOD datasets are grouped.
        near: Catalogue names that the user calls near-OOD; they take precedence over ``far``.
        far: Catalogue names that the user calls far-OOD.

    Returns:
        Catalogue name → group, in study order.

    Raises:
        UserError: A dataset is unknown.
    """
    return {name: _told(name, near, far) or placed(name, study) for name in study.ood_datasets}


def _told(name: str, near: Collection[str], far: Collection[str]) -> OODGroup | None:
    return OODGroup("near", "as you say") if name in near else OODGroup("far", "as you say") if name in far else None


def placed(name: str, study: Study) -> OODGroup:
    """The group of one OOD dataset by the benchmarks for the study's training data, else by the kind of its pictures.

    Args:
        name: Catalogue name of the OOD dataset. A user's own is recognised in a benchmark by its file's name.
        study: The study, which gives the training data and the ID dataset.

    Returns:
        The group with its reason; "unknown" where no benchmark has the dataset and its pictures are of the kind of the
        ID dataset's.

    Raises:
        UserError: A dataset is unknown.
    """
    for one in benchmarks.RECORDS.values():
        if not one.near or one.trained_on != study.trained_on:
            continue
        same = name if name in one.ood_datasets else _namesake(name, one.ood_datasets)
        if same:
            by_name = "" if same == name else f"; by its name it is {datasets.title(same)}"
            return OODGroup("near" if same in one.near else "far", f"by {one.title}{by_name}")
    id_record, ood_record = datasets.find(study.id_dataset), datasets.find(name)
    if ood_record.kind == id_record.kind:
        return OODGroup("unknown", "no benchmark here says, and its pictures are of the same kind")
    if ood_record.kind in _WITHOUT_OBJECTS:
        return OODGroup("far", f"{ood_record.kind}, without an object")
    return OODGroup("far", f"{ood_record.kind}, while {id_record.title} is {id_record.kind}")


def grouped(placed: Mapping[str, OODGroup]) -> dict[Nearness, tuple[str, ...]]:
    """The OOD datasets of each group.

    Args:
        placed: Catalogue name → group, as ``nearness`` gives it.

    Returns:
        Group → catalogue names, in the order of ``GROUPS``, without groups that have none.
    """
    groups = {group: tuple(name for name, one in placed.items() if one.nearness == group) for group in GROUPS}
    return {group: names for group, names in groups.items() if names}


def cifar100_among(study: Study) -> str | None:
    """The OOD dataset of a CIFAR-10 study that is CIFAR-100: the near-OOD of Table 12 of the NAP paper (Appendix I).

    Args:
        study: The study.

    Returns:
        Its catalogue name, a user's own being recognised by its file's name; None where there is none or the
        model was not trained on CIFAR-10.
    """
    if study.trained_on != "CIFAR-10":
        return None
    return next((name for name in study.ood_datasets if _namesake(name, ["cifar100-test"])), None)


def _namesake(name: str, datasets_of_papers: Sequence[str]) -> str | None:
    """Which of ``datasets_of_papers`` a user's own, or a bundled part, is called after: "own:svhn_part.npz" is
    svhn-test, "own:cifar-100" is cifar100-test. None for none."""
    called = PurePosixPath(name.removeprefix(allowed_folders.PREFIX)).name.casefold()
    for one in datasets_of_papers:
        letters = [sign for sign in one.removesuffix("-test").removesuffix("-val") if sign.isalnum()]
        if re.match("[-_ ]?".join(letters) + "(?![a-z0-9])", called):  # CIFAR-100 begins as CIFAR-10 does
            return one
    return None
