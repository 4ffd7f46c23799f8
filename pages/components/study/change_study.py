"""The dialog that changes the study, with the visitor's own models and images among what can be picked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nap_core import datasets, models, studies
from nap_core.datasets import published
from nap_core.datasets.labels import are_strangers
from nap_core.errors import UserError
from nap_core.extraction import available_devices
from nap_core.figures.picture import percent
from nap_core.models import ModelRecord, plugins, torchvision_zoo
from nap_core.storage import byte_size
from nap_core.studies import benchmarks
from nap_core.studies.study import Study, default_study
from pages.components.study import (
    downloads,
    image_remarks,
    layer_choice,
    model_check,
    user_image_list,
    user_model_list,
    workspace,
)

SIZES = (50, 100, 200, 500, 1000)
LARGE_SIZES = (2000, 5000, 10_000, 20_000, 50_000)  # offered where a dataset has more images than fit into SIZES


@st.dialog("Change the study")
def dialog(study: Study) -> None:
    """Draw the dialog, which starts from ``study``."""
    draw(study)


def draw(study: Study) -> None:
    """What the dialog holds."""
    user_image_list.unpack_asked()  # first: what it adds is listed below
    wanted = _picked(study)
    device = _device()
    if wanted is not None:
        _use(wanted, device)
    user_image_list.adder()
    user_model_list.adder()


def _picked(study: Study) -> Study | None:
    """The study that is picked; None, with a sentence, where it cannot be one."""
    offered = _models()
    if st.session_state.get(user_model_list.PICKED) not in offered:
        st.session_state[user_model_list.PICKED] = study.model if study.model in offered else next(iter(offered))
    model = st.selectbox(
        "Model",
        list(offered),
        format_func=lambda name: _titled(offered[name]),
        key=user_model_list.PICKED,
        help="Type to search. Torchvision's models come with its ImageNet weights, which are downloaded once.",
    )
    try:
        if note := workspace.where_read(model):
            st.caption(note)
        model_check.draw(model)
        benchmark = _benchmark(study, model)
        if benchmark:
            start = benchmarks.study_of(benchmark, model)
        else:
            start = study if model == study.model else default_study(model)
        id_dataset, ood, fit = _datasets(start, offered[model], f"{model}-{benchmark}")
        sizes = _sizes((id_dataset, *ood), start.images)
        # Another name where there are other sizes: a slider keeps no value that it does not offer.
        key = f"n-{model}-{benchmark}-{sizes[-1]}"
        images = st.select_slider("Images of each", sizes, value=start.images, key=key)
        layer, transform = layer_choice.pick(start)
        return Study(model, id_dataset, ood, images, fit, layer, transform, study.weights, study.distinct)
    except UserError as error:
        st.info(str(error), icon=":material/info:")
        return None


def _benchmark(study: Study, model: str) -> str:
    """The benchmark that fills in what is below; empty for none, or where no benchmark has the model's classes."""
    offered = benchmarks.of_model(model)
    if not offered:
        return ""
    now = next((name for name in offered if benchmarks.study_of(name, model) == study), "")
    names = ["", *offered]
    picked = st.selectbox(
        "Benchmark",
        names,
        index=names.index(now),
        format_func=lambda name: benchmarks.RECORDS[name].title if name else "none: the datasets below",
        key=f"benchmark-{model}",
    )
    if picked:
        st.caption(f"{benchmarks.RECORDS[picked].source}. {benchmarks.RECORDS[picked].note}")
    return picked


def _sizes(names: Sequence[str], chosen: int) -> list[int]:
    """How many images of each dataset can be picked: more where the largest of them has more."""
    largest = max((datasets.find(name).size for name in names), default=0)
    below = [size for size in LARGE_SIZES if size < largest]
    above = LARGE_SIZES[len(below) : len(below) + 1] if largest > SIZES[-1] else ()
    return sorted({*SIZES, *below, *above, chosen})


def _models() -> dict[str, ModelRecord]:
    """Every model that can be picked: bundled, of the user's own modules, one's own, torchvision's. Damaged ones
    of the user's are listed where they can be removed."""
    own = {name: record for name, record in user_model_list.kept().items() if isinstance(record, ModelRecord)}
    return (
        models.RECORDS
        | plugins.records()
        | own
        | {name: torchvision_zoo.record(name) for name in torchvision_zoo.names()}
    )


def _titled(record: ModelRecord) -> str:
    """A model in a line: for torchvision's its accuracy on ImageNet, and what is still to be downloaded of it."""
    if not record.name.startswith(torchvision_zoo.PREFIX) or record.accuracy is None:
        return f"{record.title} · trained on {record.trained_on}"
    missing = sum(one.size or 0 for one in record.downloads() if not one.present)
    load = f" · {byte_size.in_words(missing)} to download" if missing else ""
    return f"{record.title} · torchvision, {percent(record.accuracy)}{load}"


def _datasets(start: Study, record: ModelRecord, key: str) -> tuple[str, tuple[str, ...], str]:
    """The ID dataset, the OOD datasets and the fit split that are picked: bundled ones, one's own, the library's.

    ``key`` tells the controls of one model and benchmark from those of another.
    """
    own = user_image_list.offered()
    roles = {name: one.role for name, one in datasets.RECORDS.items()} | dict.fromkeys(own, "own")
    roles |= {name: datasets.find(name).role for name in published.names()}
    # A link may name what no list shows.
    roles |= {name: datasets.find(name).role for name in studies.needed_datasets(start) if name not in roles}
    always = (record.id_dataset, start.id_dataset)
    id_names = [name for name, role in roles.items() if role in ("id", "own") or name in always]
    id_dataset = st.selectbox(
        "ID dataset", id_names, index=id_names.index(start.id_dataset), format_func=_marked, key=f"id-{key}"
    )
    if are_strangers(datasets.find(id_dataset).classes, record.classes()):
        st.warning(
            f"{record.title} was trained on {record.trained_on}, and {datasets.title(id_dataset)} shows none of its "
            "classes. Pick ID images of the training classes, your own for example.",
            icon=":material/warning:",
        )
    ood_names = [name for name, role in roles.items() if role in ("ood", "id", "own") and name != id_dataset]
    ood = st.multiselect(
        "OOD datasets",
        ood_names,
        default=[name for name in start.ood_datasets if name in ood_names],
        format_func=_marked,
        key=f"ood-{key}-{id_dataset}",
    )
    if record.fit_dataset and not start.fit_dataset:
        return id_dataset, tuple(ood), ""
    fit_names: list[str] = ["", *(name for name, role in roles.items() if role in ("fit", "own"))]
    fit_split: str = st.selectbox(
        "Fit split",
        fit_names,
        index=fit_names.index(start.fit_dataset),
        format_func=lambda name: _marked(fit) if (fit := name or record.fit_dataset) else "none",
        key=f"fit-{key}",
        help="Training images of the model, from which methods such as KNN and ReAct estimate. Without one, the "
        "methods that need none still run.",
    )
    return id_dataset, tuple(ood), fit_split


def _marked(name: str) -> str:
    """The title of a dataset, with what is still to be downloaded of it."""
    return f"{datasets.title(name)}{downloads.mark(name)}"


def _device() -> str:
    devices = ["", *available_devices()]
    return st.selectbox(
        "Device",
        devices,
        index=devices.index(workspace.device() or ""),
        format_func=lambda name: name or "the best there is",
    )


def _use(wanted: Study, device: str) -> None:
    """What of the study is in the store, and the button that takes it."""
    try:
        workspace.open_own(wanted)
        missing, ready = workspace.missing_images(wanted), studies.prepared(wanted)
        room = workspace.storage_words(wanted) if missing else ""
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.caption(_what_is_cached(wanted, missing) + (f"  \n:material/hard_drive: {_capital(room)}" if room else ""))
    able = downloads.explain(wanted)
    image_remarks.draw(wanted)
    runs = bool(missing) or not ready
    label = "Download, use and run this study" if downloads.waits(wanted) else "Use and run this study"
    if st.button(label if runs else "Use this study", type="primary", disabled=not able):
        st.session_state.device = device or None
        workspace.choose_study(wanted)
        if runs:
            workspace.start(wanted)
        st.rerun()


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _what_is_cached(wanted: Study, missing: dict[str, int]) -> str:
    marks = [
        f":material/schedule: {datasets.title(name)}: {missing[name]:,} images to extract"
        if name in missing
        else f":material/check_circle: {datasets.title(name)}: in the store"
        for name in wanted.datasets
    ]
    return "  \n".join(marks)
