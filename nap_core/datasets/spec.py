"""The record type of the catalogue of datasets."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from nap_core.datasets.passed_over import PassedOver
from nap_core.storage.downloads import Download

Role = Literal["id", "ood", "fit", "precomputed", "samples", "own"]
Kind = Literal["photographs", "handwriting", "textures", "noise"]

UNSTATED = "No licence stated; published for research, to be cited"


@dataclass(frozen=True)
class DatasetRecord:
    """What the catalogue states of a dataset before it is opened.

    Attributes:
        name: the name in addresses and on the command line.
        title: the name on the screen and in figures.
        description: what the images show, in one sentence.
        note: what a user can observe with it, in one sentence.
        source: publication or URL.
        size: number of images; 0 if it is not determined yet.
        role: "id" and "ood" datasets are scored in a study. "fit" is ID training data that methods may use and that is
            never scored (the training split). "precomputed" has activations of reference images and no images.
            "samples" are single images to try. "own" are a user's images, which may take any of the first three roles.
        kind: the kind of images.
        shape: (height, width) in pixels; None if images differ in size or are not shipped.
        classes: class names, indexed by labels; empty if there are none, or for a published dataset that is not
            downloaded yet.
        licence: licence of the images.
        trained: True if a bundled model was trained on the dataset's classes.
        images_shipped: False for precomputed activations.
        downloads: the files of a published dataset, present or not.
        format: how a user's images are stored; empty for others.
        passed_over: files in the place of a user's images that are not read, by kind.
        opener: "module:name" of the function that opens a bundled dataset, called with ``name`` and ``title``.
    """

    name: str
    title: str
    description: str
    note: str
    source: str
    size: int
    _: KW_ONLY
    role: Role = "ood"
    kind: Kind = "photographs"
    shape: tuple[int, int] | None = None
    classes: tuple[str, ...] = ()
    licence: str = UNSTATED
    trained: bool = False
    images_shipped: bool = True
    downloads: tuple[Download, ...] = ()
    format: str = ""
    passed_over: tuple[PassedOver, ...] = ()
    opener: str = ""
