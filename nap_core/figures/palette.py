"""One colour a dataset, the same on every page: ID blue, OOD from amber over orange to deep red.

Neighbours differ in lightness as well as in hue, so that they stay apart for colour-blind eyes and in grey; every
colour has a contrast of at least 3 : 1 on both the light and the dark background (WCAG 2, 1.4.11).
"""

from __future__ import annotations

from collections.abc import Sequence

from plotly.colors import get_colorscale

ID_COLOUR = "#2f7de1"
OOD_COLOURS = ("#c98608", "#c8352c", "#ea702b", "#b02a6e", "#d9748c", "#8a5a2b", "#fa5c5c", "#a0508c")
NEUTRAL = "#8b93a1"  # lines and marks that belong to no dataset, readable on both backgrounds
IMAGE_COLOUR = "#0f9b8e"  # an uploaded image: no dataset has this colour
SEQUENTIAL = "Inferno"  # activation maps: dark is silence, bright is a peak, and the order survives in grey


def colour_of(position: int) -> str:
    """The colour of an OOD dataset.

    Args:
        position: Its position among the OOD datasets of the study, from 0; colours repeat after the eighth.

    Returns:
        The colour as ``#rrggbb``.
    """
    return OOD_COLOURS[position % len(OOD_COLOURS)]


def colours(id_dataset: str, ood_datasets: Sequence[str]) -> dict[str, str]:
    """The colour of every dataset of a study.

    Args:
        id_dataset: Catalogue name of the ID dataset.
        ood_datasets: Catalogue names of the OOD datasets, in study order.

    Returns:
        Catalogue name → ``#rrggbb``, the ID dataset first.
    """
    return {id_dataset: ID_COLOUR, **{name: colour_of(index) for index, name in enumerate(ood_datasets)}}


def translucent(colour: str, opacity: float) -> str:
    """A colour with an opacity.

    Args:
        colour: The colour as ``#rrggbb``.
        opacity: 0 (invisible) to 1 (opaque).

    Returns:
        The colour as ``rgba(r,g,b,a)``.

    Raises:
        ValueError: ``colour`` holds other than hexadecimal digits.
    """
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def sequential() -> list[list[float | str]]:
    """The colour scale ``SEQUENTIAL`` for figures under Streamlit's theme.

    The theme takes "#000004", the scale's lowest colour, for a placeholder and paints silent neurons orange; the lowest
    colour here is one step brighter.

    Returns:
        Pairs of a place, 0 to 1, and a colour, as Plotly takes them.
    """
    rest: list[list[float | str]] = get_colorscale(SEQUENTIAL)[1:]
    return [[0.0, "#010005"], *rest]
