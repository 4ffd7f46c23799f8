"""The bundled sample photographs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from nap_core.datasets.decoding import decode
from nap_core.datasets.images import BaseImages
from nap_core.errors import UserError
from nap_core.storage.bundled_assets import ASSETS


@dataclass(frozen=True)
class Photo:
    """One photograph.

    ``shows`` is for its caption, ``source`` is the package and its name there. ``familiar`` is whether it shows one of
    ImageNet's 1,000 classes; None for borderline cases: a relative of a class, or a class that is hard to recognise.
    """

    file: str
    title: str
    shows: str
    familiar: bool | None
    licence: str
    source: str


_CC0 = "CC0 1.0"
_PUBLIC = "Public domain"
_DAHLIA = "CC BY 2.0, vultilion (Flickr 6056698931), scaled down"

PHOTOS = (
    Photo("cat.jpg", "Cat", "a cat's face, close", True, f"{_CC0}, Stefan van der Walt", "scikit-image: chelsea"),
    Photo("retina.jpg", "Retina", "the back of an eye", False, f"{_CC0}, Mikael Häggström", "scikit-image: retina"),
    Photo("espresso.jpg", "Espresso", "a cup of coffee", True, f"{_CC0}, Rachel Michetti", "scikit-image: coffee"),
    Photo(
        "galaxies.jpg",
        "Galaxies",
        "Hubble's deep field",
        False,
        f"{_PUBLIC}, NASA",
        "scikit-image: hubble_deep_field",
    ),
    Photo(
        "pavilion.jpg",
        "Pavilion",
        "a Chinese palace among trees",
        True,
        "CC BY 2.0, danielbuechele (Flickr 6061409035), scaled down",
        "scikit-learn: china.jpg",
    ),
    Photo("cell.jpg", "Cell", "the phase image of a cell", False, f"{_CC0}, Müller et al. 2018", "scikit-image: cell"),
    Photo("camera.jpg", "Photographer", "a camera on a tripod", True, f"{_CC0}, Lav Varshney", "scikit-image: camera"),
    Photo(
        "tissue.jpg",
        "Tissue",
        "stained glands of the colon",
        False,
        "No known copyright restrictions, Center for Microscopy and Molecular Imaging",
        "scikit-image: immunohistochemistry",
    ),
    Photo("dahlia.jpg", "Dahlia", "a flower close to ImageNet's daisy", None, _DAHLIA, "scikit-learn: flower.jpg"),
    Photo("letters.jpg", "Letters", "letters and signs by hand", False, f"{_PUBLIC}, Wikipedia", "scikit-image: text"),
    Photo("astronaut.jpg", "Astronaut", "Eileen Collins", None, f"{_PUBLIC}, NASA", "scikit-image: astronaut"),
    Photo(
        "clock.jpg",
        "Blurred clock",
        "a wall clock blurred beyond recognition",
        None,
        f"{_PUBLIC}, Stefan van der Walt",
        "scikit-image: clock",
    ),
)


@dataclass(frozen=True, eq=False)
class SamplePhotos(BaseImages):
    """The ``PHOTOS`` in their order, without labels; ``photos[i]`` describes image i."""

    folder: Path
    photos: tuple[Photo, ...]

    def image(self, index: int) -> Image.Image:
        file = self.folder / self.photos[index].file
        try:
            return decode(file.read_bytes(), file.name)
        except OSError as error:
            raise UserError(f"The sample {file.name} is missing. Get the folder assets/photos again.") from error


def open_photos(name: str, title: str, folder: Path = ASSETS / "photos") -> SamplePhotos:
    """The sample photographs in ``folder``; each file is read when its image is."""
    return SamplePhotos(name, title, (), np.full(len(PHOTOS), -1, dtype=np.int64), folder, PHOTOS)
