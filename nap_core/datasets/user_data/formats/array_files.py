"""What the formats that hold arrays have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nap_core.datasets.images import ArrayImages, Numbering, presentation_order
from nap_core.datasets.user_data import pixel_arrays
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.opening import Opening
from nap_core.datasets.user_data.options import Options
from nap_core.errors import UserError


def open_arrays(
    path: Path,
    array: NDArray[Any],
    labelled: Labelled,
    options: Options,
    how: Opening,
    notes: tuple[str, ...] = (),
    *,
    numbering: Numbering = "",
    digits_are_names: bool = False,
) -> ArrayImages:
    """The dataset of an array of images and its labels.

    Args:
        path: the file or folder, for names.
        array: the images, as ``pixel_arrays.convert`` takes them.
        labelled: their labels and class names.
        options: the window, and how labels count.
        how: the title.
        notes: sentences on what was concluded so far.
        numbering: how the format's labels count, where nothing was said.
        digits_are_names: whether the format's labels are digits that the images show.

    Returns:
        The images in memory, in the order of ``presentation_order``.

    Raises:
        UserError: no array of images, or another number of labels.
    """
    if len(array) != len(labelled.labels):
        raise UserError(
            f"“{path.name}” holds {len(array):,} images and {len(labelled.labels):,} labels. Use files that belong "
            "together."
        )
    pixels, said = pixel_arrays.convert(array, f"“{path.name}”", options.window)
    order = presentation_order(len(pixels))
    return ArrayImages(
        f"array:{path.stem}",
        how.title or path.stem,
        labelled.classes,
        labelled.labels[order],
        pixels,
        order,
        notes=(*notes, *said, *labelled.notes),
        numbering=options.numbering or numbering,
        digits_are_names=digits_are_names,
    )
