"""The sections of the sensitivity page: each a figure, and what it needs first."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from nap_core import datasets, methods
from nap_core.analysis import overhead, sensitivity
from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores
from nap_core.analysis.overhead import Cost
from nap_core.analysis.sensitivity import input_size, number_of_images
from nap_core.errors import UserError
from nap_core.figures.compare_methods import fpr_curves
from nap_core.figures.sensitivity import cost_picture, fpr_table, images_picture, size_picture
from nap_core.figures.text import join
from nap_core.methods import EvaluationData
from nap_core.metrics import Metric
from nap_core.storage.progress import RunCallbacks
from nap_core.studies.study import Study
from pages.components.results import figure_view
from pages.components.runs import task
from pages.components.study import hints, workspace
from pages.components.study.cache import cached


def images_section(
    study: Study,
    data: EvaluationData,
    rows: Sequence[MethodScores],
    metric: Metric,
    against: str,
    opened: str,
) -> None:
    """FPR95 or AUROC over the number of images that are scored; then over those of the fit split."""
    spinner = "Drawing subsets of the images …"
    drawn = {
        row.method: cached((study, row.method, row.w), sensitivity.by_images, row, spinner=spinner) for row in rows
    }
    titles = workspace.titles(study)
    figure_view.show(images_picture(rows, drawn, metric, against, opened, titles), "sensitivity-images", scroll_width=0)
    st.caption(
        f"{number_of_images.DRAWS} random subsets of each size, the same for every method, with as many ID images as "
        "images of each OOD dataset; lines are medians, the band holds the middle 90 % of the draws. Subsets are at "
        "most half of the images, for larger ones are too much alike: images that nobody has seen would scatter a "
        "little more."
    )
    st.subheader("The fit split", anchor=False)
    _fit_section(study, data, [row for row in rows if _fits(row.method)], metric, against, opened)


def _fits(spec: str) -> bool:
    method = methods.parse(spec)
    return method.fits and not method.own_pass


def _fit_section(
    study: Study,
    data: EvaluationData,
    rows: Sequence[MethodScores],
    metric: Metric,
    against: str,
    opened: str,
) -> None:
    if not rows:
        st.caption(
            "None of the chosen methods estimates from training images, so it does not matter how many there are."
        )
        return
    specs = tuple(row.method for row in rows)

    def work(callbacks: RunCallbacks) -> dict[str, pd.DataFrame]:
        weights = {row.method: row.w for row in rows if row.w is not None}
        return sensitivity.by_fit_images(data, specs, weights, callbacks=callbacks)

    label = f"Fit {'it' if len(specs) == 1 else f'these {len(specs)}'} to parts of the fit split"
    names = join([methods.title(spec) for spec in specs])
    st.markdown(f"{names} {'estimates' if len(specs) == 1 else 'estimate'} from training images.")
    done = task.result_of(
        ("fit images", study, tuple((row.method, row.w) for row in rows)),
        work,
        label,
        key="fit-images",
    )
    if done:
        first = opened if opened in done else specs[0]
        titles = workspace.titles(study)
        figure_view.show(
            images_picture(rows, done, metric, against, first, titles, of_fit=True), "sensitivity-fit", scroll_width=0
        )
        st.caption(f"{number_of_images.FIT_DRAWS} draws a size, all images of the study scored in each.")


def size_section(study: Study, rows: Sequence[MethodScores], metric: Metric, against: str, opened: str) -> None:
    """FPR95 or AUROC over the size of the views."""
    try:
        plan = input_size.extraction_plan(study, workspace.device())
    except UserError as error:
        st.info(hints.sentence(error), icon=":material/info:")
        return
    count = min(input_size.IMAGES, study.images)
    label = f"See {count:,} images of each dataset in other sizes ({{images}} to go through)"
    caption = "The short side and the crop are scaled together, from half to twice the network's own size."
    if not task.is_extracted(("input sizes", study), plan, label, caption, key="input-sizes"):
        return
    outcomes = cached(
        (study,), sensitivity.by_size, study, workspace.store(), workspace.device(),
        spinner="Reading the activations of each size …", entries=8, shared=True,
    )  # fmt: skip
    able = [row for row in rows if input_size.can_be_sized(row.method)]
    for one in outcomes:
        if one.refused:
            st.caption(f"Not at {one.side} pixels: {one.refused}")
    if len(able) < len(rows):
        names = ", ".join(row.title for row in rows if row not in able)
        st.caption(
            f"Without {names}: fitted to training images in the network's own size, or in need of a further pass."
        )
    if not able:
        st.info("None of the chosen methods can be scored in another size. Add NAP or Energy.", icon=":material/info:")
        return
    shown = opened if opened in [row.method for row in able] else able[-1].method
    own = next(one.side for one in outcomes if one.factor == 1)
    seen = [one for one in outcomes if one.data is not None]
    figures = pd.concat(
        cached((study, row.method, row.w, one.factor), input_size.figures, one, row.method, row.w, entries=1024)
        for row in able
        for one in seen
    )
    titles = workspace.titles(study)
    figure_view.show(
        size_picture(able, figures, metric, against, shown, titles, own), "sensitivity-size", scroll_width=0
    )
    st.caption(
        f"The first {count:,} images of each dataset, in every size; the dotted line is the size of the study. The "
        "threshold is set anew in each size, on the ID images in that size."
    )


def tpr_section(study: Study, rows: Sequence[MethodScores], against: str, opened: str) -> None:
    """FPR over the TPR, and the results table at one TPR."""
    titles = workspace.titles(study)
    names = study.ood_datasets if against == AVERAGE else (against,)
    figure_view.show(fpr_curves(rows, names, opened, titles, averaged=True), "sensitivity-tpr", scroll_width=0)
    tpr = st.slider("TPR of the table", 80, 99, 95, format="%d %%", key="sensitivity_tpr", bind="query-params")
    table = fpr_table(rows, tpr / 100, titles)
    percents = {name: st.column_config.NumberColumn(format="%.1f") for name in table.columns[1:]}
    st.dataframe(table, hide_index=True, column_config=percents, key="sensitivity-tpr-table")
    st.caption(f"FPR in percent at the threshold that {tpr} % of the ID images reach; at 95 % it is FPR95.")


def cost_section(study: Study) -> None:
    """NAP's share of the forward pass on the device of this server."""
    where = workspace.device_title()
    source = _real_images(study)
    if source is None:
        st.info(
            "No dataset of this study has images that could be run through the network. Pick one in “Change the "
            "study”.",
            icon=":material/info:",
        )
        return

    def work(callbacks: RunCallbacks) -> Cost:
        return overhead.measure(study.network(), datasets.load(source), device=workspace_device, callbacks=callbacks)

    workspace_device = workspace.device()
    label = f"Measure on {where}: {overhead.IMAGES} images, {overhead.REPEATS} times"
    done: Cost | None = task.result_of(("cost", study, workspace_device), work, label, key="cost")
    if done is not None:
        figure_view.show(cost_picture(done), "sensitivity-cost", scroll_width=0)
    st.caption(
        "Timed apart: the forward pass over real batches, and what NAP adds, the maximum of each map and the score. "
        "The mean is not NAP's: global pooling makes it anyway. Reading files, preprocessing and copies to the device "
        "count for neither. Other work on this machine shows in single repeats; the median stands."
    )
    if done is not None and done.reads_attention:
        st.caption(
            "Of a Transformer the attention of the class token is taken as given; kernels that fuse attention do not "
            "hand it out, and making it would cost more than its maximum."
        )


def _real_images(study: Study) -> str | None:
    """The first dataset of the study that has images."""
    return next((name for name in study.datasets if datasets.find(name).images_shipped), None)
