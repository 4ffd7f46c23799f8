"""What the activation maps page shows: an ID image, an OOD image, a channel. Kept for the session and in the link.

The address says ``id_image=cifar10:12&ood_image=textures:3&channel=17``.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components.study import url_state

FOLLOW = "follow"
SIDES = {"id": "ID", "ood": "OOD"}


def parameter(side: str) -> str:
    """The address parameter of the image that a side shows."""
    return f"{side}_image"


def dataset_key(side: str) -> str:
    """The session's name for the dataset that a side shows; also the key of the control that changes it."""
    return f"maps-{side}-dataset"


def class_key(side: str, name: str) -> str:
    """The session's name for a dataset's class filter; also the key of the control that changes it."""
    return f"maps-{side}-class-{name}"


def link(id_image: tuple[str, int], ood_image: tuple[str, int], chosen: int) -> dict[str, str]:
    """The address parameters of a link that turns the page to these images, whatever the session looked at before."""
    return {**_parameters(id_image, ood_image, chosen), FOLLOW: "1"}


def begin(sizes: Mapping[str, Mapping[str, int]]) -> None:
    """Settle what is looked at, before any control is drawn.

    ``sizes`` has the datasets of each side and how many images of each there are. A link is followed first; what is not
    there (another study's dataset, a row beyond the end) is passed over, as is what cannot be read. Then the sides turn
    to the images that ``show_image`` asked for.
    """
    state = st.session_state
    if "maps_rows" not in state:
        state.maps_rows, state.maps_asked, state.maps_turns = {}, [], dict.fromkeys(SIDES, 0)
        state.maps_written = set()
        state.setdefault("maps_channel", None)  # another page may have chosen one
    _follow_link()
    for side, name, asked in state.maps_asked:
        if asked < sizes[side].get(name, 0):
            turn_to(side, name, asked)
            state[dataset_key(side)] = name
            state[class_key(side, name)] = None  # a filter could hide the image
    state.maps_asked = []
    for side, names in sizes.items():
        if state.get(dataset_key(side)) not in names:
            state[dataset_key(side)] = next(iter(names))


def _follow_link() -> None:
    """Take over what the address says, unless this page wrote it.

    A click that comes quickly after another still carries the address from before both, so all that was ever written
    is passed over, not only the last; ``FOLLOW`` says that it is a link all the same.
    """
    follow = st.query_params.pop(FOLLOW, None) is not None
    for side, name in (*((side, parameter(side)) for side in SIDES), ("", "channel")):
        text = st.query_params.get(name)
        if text is None or (not follow and (name, text) in st.session_state.maps_written):
            continue
        dataset, _, number = text.rpartition(":")
        position = url_state.whole(number)
        if position is not None and side:
            show_image(side, dataset, position)
        elif position is not None:
            choose_channel(position)


def row(side: str, name: str, size: int) -> int:
    """The image of a dataset that a side shows: the one chosen last, else the first."""
    chosen: int = st.session_state.maps_rows.get((side, name), 0)
    return chosen if chosen < size else 0


def choose_row(side: str, name: str, chosen: int) -> None:
    """Show another image of the dataset that the side shows already."""
    st.session_state.maps_rows[side, name] = int(chosen)


def show_image(side: str, name: str, chosen: int) -> None:
    """Ask for any image: at the next run the side turns to its dataset and its filmstrip to the image."""
    st.session_state.maps_asked.append((side, name, chosen))


def turn_to(side: str, name: str, chosen: int) -> None:
    """Show an image of the side's dataset and turn the filmstrip to it, wherever that was."""
    choose_row(side, name, chosen)
    st.session_state.maps_turns[side] += 1


def turns(side: str) -> int:
    """How often the filmstrip of a side was turned to an image: a new count is a new place to start from."""
    count: int = st.session_state.maps_turns[side]
    return count


def channel(count: int, otherwise: int) -> int:
    """The chosen channel of ``count``, or ``otherwise`` when none is chosen or the model has no such channel."""
    chosen: int | None = st.session_state.maps_channel
    return chosen if chosen is not None and chosen < count else otherwise


def choose_channel(chosen: int) -> None:
    """Look at another channel."""
    st.session_state.maps_channel = int(chosen)


def write_address(id_image: tuple[str, int], ood_image: tuple[str, int], chosen: int) -> None:
    """Put what is shown into the page's address, so that its link shows the same."""
    parameters = _parameters(id_image, ood_image, chosen)
    st.session_state.maps_written.update(parameters.items())
    url_state.write(**parameters)


def _parameters(id_image: tuple[str, int], ood_image: tuple[str, int], chosen: int) -> dict[str, str]:
    images = zip(SIDES, (id_image, ood_image), strict=True)
    return {parameter(side): "{}:{}".format(*image) for side, image in images} | {"channel": str(chosen)}
