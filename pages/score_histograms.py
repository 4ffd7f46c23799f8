"""How far apart are the scores? ID against OOD under each method, and the images behind every bar."""

import streamlit as st

from nap_core import methods
from nap_core.figures import colours
from nap_core.figures.score_histograms import bins_of, histograms, images_in_bin, label, least_width
from pages.components.images.histogram_images import placed_images
from pages.components.methods import method_picker
from pages.components.results import figure_view
from pages.components.results.scrolling import finger_scrolls
from pages.components.runs import run_panel
from pages.components.study import workspace

FIRST = ("energy", "nap", "nap+energy")  # of the standard choice: as in Figure 2 of the paper
APART, TOGETHER = "One by one", "All together"

st.title("How far apart are the scores?")
study = workspace.current_study()
data = run_panel.require_activations(study)
titles, palette = workspace.titles(study), colours(study.id_dataset, study.ood_datasets)
id_title = titles[study.id_dataset]

method_picker.row()
how, where = st.columns([3, 5])
view = how.segmented_control(
    "OOD datasets", [APART, TOGETHER], default=APART, required=True, key="histogram_view", bind="query-params"
)
kept = where.slider(
    f"{id_title} above the threshold (TPR)",
    min_value=50.0,
    max_value=100.0,
    value=95.0,
    step=0.5,
    format="%.1f %%",
    key="tpr",
    bind="query-params",
)
together, tpr = view == TOGETHER, kept / 100
rows = {row.method: row for row in method_picker.scores(study, data)}
if tuple(rows) == methods.STANDARD:
    rows = {name: rows[name] for name in dict.fromkeys([*FIRST, *rows])}
shown = histograms(list(rows.values()), study.id_dataset, titles, palette, tpr=tpr, together=together)
event = figure_view.show(shown, "histograms", selection=["points"])
finger_scrolls("histograms", least_width(1 if together else len(study.ood_datasets)))
st.caption(
    f"Further right is more like {id_title}. The outermost bars also count the scores beyond the axis. "
    "Point at a column for its numbers, click it for its images."
)

# Kept apart from the figure's own selection, which ends when another threshold draws the figure anew.
if event.selection.points:
    st.session_state.histogram_bar = (study, *event.selection.points[0]["customdata"])
of_study, method, against, position = st.session_state.get("histogram_bar", (None, "", "", 0))
if of_study == study and method in rows:
    scores, names = rows[method], against.split(",")
    place = bins_of(scores).words(position)
    id_images, ood_images = images_in_bin(scores, position, study.id_dataset, names, tpr)
    st.subheader(f"{label(scores)}, {place}")
    group = titles[names[0]] if len(names) == 1 else "OOD images"
    placed_images(ood_images, group, place, titles, palette, key="bar-ood")
    placed_images(id_images, id_title, place, titles, palette, key="bar-id")
