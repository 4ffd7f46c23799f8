"""NAC-ME on the compare page: how much of its neurons' states the fit split covers, for models of the same data."""

from __future__ import annotations

import streamlit as st

from nap_core import models, study
from nap_core.jobs import CoverageJob
from nap_core.methods.model_coverage import known_coverage
from nap_core.study import Study
from pages.parts import workspace
from pages.parts.run_panel import bar


def coverage_of_models(chosen: Study) -> None:
    """A number for each model of the catalogue that knows the study's data and has a fit split, or how to get it."""
    known = [name for name, one in models.RECORDS.items() if one.knows == chosen.knows and one.fit_dataset]
    rivals = [name for name in known if study.prepared(study.default_study(name))]
    if not rivals:
        st.caption(
            f"NAC-ME needs training images of {chosen.knows}, and none come with the app: the coverage of "
            f"{workspace.model_title(chosen)} cannot be told."
        )
        return
    for column, name in zip(st.columns(max(len(rivals), 3)), rivals, strict=False):
        with column:
            _one(name)
    st.caption(
        "NAC-ME is the share of the area of its neurons' states that the fit split covers (Neuron Activation Coverage, "
        "ICLR 2024). Between models of the same data the larger was found to generalise better; between data it says "
        "nothing."
    )


def _one(name: str) -> None:
    ground = study.ground(study.default_study(name), workspace.store(), workspace.device())
    title, found = models.find(name).title, known_coverage(ground)
    if found is not None:
        st.metric(f"NAC-ME of {title}", f"{found:.3f}")
        return
    jobs = workspace.jobs()
    job = jobs.coverage_of(name)
    if job is not None and job.state == "running":
        bar(job, f"coverage-{name}", _progress)
        return
    if job is not None and job.state == "failed":
        st.error(f"The run ended early: {job.error}", icon=":material/error:")
    st.button(
        f"Measure NAC-ME of {title}",
        key=f"coverage-{name}",
        icon=":material/play_arrow:",
        on_click=jobs.start_coverage,
        args=(name, ground),
    )


def _progress(job: CoverageJob) -> tuple[float, str]:
    now = job.progress
    if now is None:
        return 0.0, "Getting ready …"
    text = f"{now.done:,} of {now.total:,} images · {now.images_per_second:,.0f} images/s"
    return now.done / now.total, f"{text} · about {now.seconds_left:.0f} s left"
