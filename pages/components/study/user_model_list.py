"""The visitor's own models: a checkpoint that is added to them, and those that can be removed."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from nap_core import models
from nap_core.errors import UserError
from nap_core.models import ModelRecord, architectures, timm_networks, user_models
from nap_core.models.preprocessing import in_words
from nap_core.storage import allowed_folders
from pages.components.study import kept_list

PICKED = "change-study-model"
"""The control of the dialog that picks the model: a model that has just been added is picked."""
_SAID = "own-models-said"
_FIELD = "own-model-"
MAXIMUM_MEGABYTES = 1024
DEFAULT = "resnet18"
_OURS, _TIMM = "torchvision and this project", "timm"


def kept() -> dict[str, ModelRecord | str]:
    """The visitor's own models by name; for one that cannot be used, the sentence that says why."""
    records: dict[str, ModelRecord | str] = {}
    for name in user_models.names():
        try:
            records[name] = models.find(name)
        except UserError as error:
            records[name] = str(error)
    return records


def adder() -> None:
    """Draw the form that adds a model, and the models that there are."""
    kept_list.message(_SAID)
    with st.expander("Your own models", icon=":material/neurology:", key="own-models"):
        kept_list.removable(_SAID, {name: _line(one) for name, one in kept().items()}, _removed, "own-model-remove")
        architecture = _architecture()
        endings = [suffix.removeprefix(".") for suffix in user_models.SUFFIXES]
        uploaded = st.file_uploader(
            "Checkpoint", type=endings, key=f"{_FIELD}file", max_upload_size=MAXIMUM_MEGABYTES, help=_HELP
        )
        listed = user_models.checkpoints()
        if listed:
            st.selectbox(
                "or one from your data folders",
                listed,
                index=None,
                format_func=lambda name: name.removeprefix(allowed_folders.PREFIX),
                key=f"{_FIELD}path",
                placeholder="Choose a file",
            )
        left, right = st.columns(2)
        left.text_input("Name", key=f"{_FIELD}title", placeholder="Birds, ResNet-18")
        right.text_input("Trained on", key=f"{_FIELD}trained-on", placeholder="CIFAR-10")
        st.file_uploader(
            "Class names: a text file, one a line (optional)", type="txt", key=f"{_FIELD}classes", max_upload_size=1
        )
        if architecture:
            _transform(architecture)
        ready = architecture and (uploaded is not None or bool(listed and st.session_state[f"{_FIELD}path"]))
        st.button("Add this model", disabled=not ready, on_click=_add, key=f"{_FIELD}add")


_HELP = (
    "A state dict, plain or under “state_dict”, as torch.save or safetensors write it. A file that holds more than "
    "tensors could run code and is not opened."
)


def _architecture() -> str | None:
    """Draw what picks the architecture; None while there is none."""
    of = st.segmented_control(
        "Architectures of", (_OURS, _TIMM), default=_OURS, required=True, key=f"{_FIELD}architectures-of"
    )
    names = architectures.names() if of == _OURS else timm_networks.names()
    if not names:
        st.info(f"timm is not installed. Install it, then open this page again: `{timm_networks.INSTALL}`")
        return None
    architecture: str | None = st.selectbox(
        "Architecture",
        names,
        index=names.index(DEFAULT) if of == _OURS else None,
        format_func=lambda name: name.removeprefix(timm_networks.PREFIX),
        key=f"{_FIELD}architecture-{of}",
        placeholder=f"Type to search {len(names):,} names",
    )
    st.session_state[f"{_FIELD}architecture"] = architecture
    return architecture


def _transform(architecture: str) -> None:
    """Draw the preprocessing, which starts from the architecture's usual one."""
    usual = architectures.find(architecture)
    if usual is None:
        raise ValueError(architecture)
    transform, sizes, colours = usual.transform, st.columns(2), st.columns(2)
    sizes[0].number_input("Short side, pixels", 1, 4096, transform.resize, key=f"{_FIELD}resize-{architecture}")
    sizes[1].number_input("Centre crop, pixels", 1, 4096, transform.crop, key=f"{_FIELD}crop-{architecture}")
    for column, name, values in (
        (colours[0], "Mean", transform.mean),
        (colours[1], "Standard deviation", transform.std),
    ):
        # Four digits are what the usual ones have; more would not fit the field of a phone.
        column.text_input(f"{name} (R, G, B)", in_words(values), key=f"{_FIELD}{name}-{architecture}")
    _offer_division(architecture)


def _offer_division(architecture: str) -> None:
    """Where mean and standard deviation are in units of 0 … 255, say so and offer them divided by 255."""
    try:
        offered = _asked(architecture).divided()
    except UserError:  # no numbers yet: said when the model is added
        return
    if offered is None:
        return
    st.warning(
        "Mean and standard deviation are in units of 0 … 255, and pixels run from 0 to 1 here.",
        icon=":material/warning:",
    )
    st.button(
        f"Divide by 255: {in_words(offered.mean)} and {in_words(offered.std)}",
        key=f"{_FIELD}divide",
        on_click=_take,
        args=(architecture, offered),
    )


def _take(architecture: str, transform: models.Transform) -> None:
    """Put a mean and a standard deviation into their fields."""
    for name, values in (("Mean", transform.mean), ("Standard deviation", transform.std)):
        st.session_state[f"{_FIELD}{name}-{architecture}"] = in_words(values)


def _add() -> None:
    file, path, classes = (st.session_state.get(f"{_FIELD}{key}") for key in ("file", "path", "classes"))
    architecture: str = st.session_state[f"{_FIELD}architecture"]
    with kept_list.answered(_SAID):
        add = partial(
            models.add,
            architecture=architecture,
            title=(st.session_state[f"{_FIELD}title"] or "").strip() or _stem(file, path),
            trained_on=(st.session_state[f"{_FIELD}trained-on"] or "").strip(),
            transform=_asked(architecture),
            classes=user_models.class_names(classes.getvalue(), classes.name) if classes else None,
        )
        if file is not None:
            with tempfile.TemporaryDirectory() as folder:
                name = add(_written(file, Path(folder)))
        else:
            name = add(_below_roots(path))
        record, model = models.find(name), models.load(name)
        structure = model.structure
        st.session_state[PICKED] = name
        said = f"{record.title} is picked above: a {record.architecture} with {len(record.classes()):,} classes. "
        kept_list.say(_SAID, " ".join((said.strip(), structure.sentence() if structure else "", *model.notes)))


def _stem(file: object, path: str | None) -> str:
    return Path(getattr(file, "name", None) or path or "").name.split(".")[0]


def _asked(architecture: str) -> models.Transform:
    usual = architectures.find(architecture)
    if usual is None:
        raise UserError(f"There is no architecture called “{architecture}”.")
    state, transform = st.session_state, usual.transform
    shown = {name: state[f"{_FIELD}{name}-{architecture}"] for name in ("resize", "crop", "Mean", "Standard deviation")}
    mean, std = (user_models.colour(shown[name], name) for name in ("Mean", "Standard deviation"))
    # What was not touched stays as exact as the architecture has it.
    return replace(
        transform,
        resize=int(shown["resize"]),
        crop=int(shown["crop"]),
        mean=transform.mean if _same(mean, transform.mean) else mean,
        std=transform.std if _same(std, transform.std) else std,
    )


def _same(shown: tuple[float, ...], exact: tuple[float, ...]) -> bool:
    return shown == tuple(float(f"{value:.4g}") for value in exact)


def _written(file: BinaryIO, folder: Path) -> Path:
    """An uploaded file on disk, under its own name, which error messages tell."""
    name = Path(file.name.replace("\\", "/")).name
    path = folder / f"{Path(name).stem}{Path(name).suffix.lower()}"
    with path.open("xb") as target:
        shutil.copyfileobj(file, target)
    return path


def _below_roots(name: str | None) -> Path:
    path = allowed_folders.locate(name or "")
    if path is None:
        raise UserError("That file is no longer in your data folders. Choose another one.")
    return path


def _line(record: ModelRecord | str) -> str:
    if isinstance(record, str):
        return record
    return f"{record.title} · {record.architecture}, {len(record.classes()):,} classes"


def _removed(name: str) -> str:
    user_models.remove(name)
    return name
