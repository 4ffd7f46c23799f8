"""How far apart are the scores? ID against each OOD dataset under each method, and the images behind every bar."""

import streamlit as st

from nap_core import methods
from nap_core.figures import colours
from nap_core.figures.score_histograms import bins_of, histograms, images_in_bin, label, least_width
from pages.parts import picture, run_panel, workspace
from pages.parts.placed_images import placed_images
from pages.parts.scrolling import finger_scrolls

FIRST = ["energy", "nap", "nap+energy"]  # as in Figure 2 of the paper
APART, TOGETHER = "One by one", "All together"

st.title("How far apart are the scores?")
chosen = workspace.current_study()
found = run_panel.require_activations(chosen)
titles, hues = workspace.titles(chosen), colours(chosen.id_dataset, chosen.ood_datasets)

which, how, where = st.columns([5, 3, 3])
picked = which.multiselect(
    "Methods", methods.NAMES, FIRST, format_func=methods.title, key="histogram-methods", persist_state="session"
)
view = how.segmented_control(
    "OOD datasets", [APART, TOGETHER], default=APART, required=True, key="histogram-view", persist_state="session"
)
percent_kept = where.slider(
    f"{titles[chosen.id_dataset]} kept by the threshold (TPR)",
    50.0, 100.0, 95.0, 0.5, format="%.1f %%", key="histogram-tpr", persist_state="session",
)  # fmt: skip
if not picked:
    st.info("Pick a method to see its scores.", icon=":material/info:")
    st.stop()

rows = {name: workspace.scores(found, name) for name in picked}
together, tpr = view == TOGETHER, percent_kept / 100
shown = histograms(list(rows.values()), chosen.id_dataset, titles, hues, tpr=tpr, together=together)
finger_scrolls("histograms", least_width(1 if together else len(chosen.ood_datasets)))
event = picture.show(shown, "histograms", selection=["points"])
st.caption(
    f"Further right is more like {titles[chosen.id_dataset]}. The outermost bars also count the scores beyond the axis. "
    "Point at a column for its numbers, click it for its images."
)

# Kept apart from the figure's own selection, which ends when another threshold redraws it.
if event.selection.points:
    st.session_state.histogram_bar = (chosen, *event.selection.points[0]["customdata"])
study_of_bar, method, against, position = st.session_state.get("histogram_bar", (None, "", "", 0))
if study_of_bar == chosen and method in rows:
    scores, names = rows[method], against.split(",")
    where_words = bins_of(scores).words(position)
    known, unknown = images_in_bin(scores, position, chosen.id_dataset, names, tpr)
    st.subheader(f"{label(scores)} {where_words}")
    group = titles[names[0]] if len(names) == 1 else "OOD images"
    placed_images(unknown, group, where_words, titles, hues, key="bar-ood")
    placed_images(known, titles[chosen.id_dataset], where_words, titles, hues, key="bar-id")
