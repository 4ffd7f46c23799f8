"""How much should NAP weigh? FPR95 and AUROC of each combination over w, and the scores at the w in use."""

from collections.abc import Sequence

import streamlit as st

from nap_core import methods
from nap_core.figures import colours
from nap_core.figures.score_histograms import histograms
from nap_core.figures.w_sensitivity import curve_picture, finding, sensitivity_table
from nap_core.methods import EvaluationData
from nap_core.studies.study import Study
from pages.components.controls import pick_one
from pages.components.methods import all_combinations, method_picker, weight_search
from pages.components.results import figure_view
from pages.components.runs import method_run, run_panel
from pages.components.study import workspace

OTHERWISE = ("nap+energy", "nap+msp")  # the first that can run, when no combination is chosen
IN_A_ROW = 3  # more combinations than this go into a box that opens


@st.fragment
def explore(study: Study, data: EvaluationData, combinations: Sequence[str]) -> None:
    """All that follows the slider, so that moving it draws nothing else anew."""
    titles, palette = workspace.titles(study), colours(study.id_dataset, study.ood_datasets)
    which, weight = st.columns([2, 3])
    with which:
        method = pick_combination(combinations)
    prior, other = methods.combination_parts(method)
    default = workspace.weight(study, data, method)
    key = f"w_{other.record.name}"
    begins = default.w if default else 0.5
    w = weight.slider(
        f"w, the weight of {other.title}: 0 is {prior.title} alone, 1 is {other.title} alone",
        min_value=0.0,
        max_value=1.0,
        value=None if followed(key, begins) else begins,  # Streamlit takes either this or the session's
        step=0.05,
        key=key,
        bind="query-params",
    )
    sensitivity = all_combinations.sensitivity(study, method, data)
    left, right = st.columns(2)
    with left:
        figure_view.show(curve_picture(sensitivity, "fpr95", w), "w-fpr95")
    with right:
        figure_view.show(curve_picture(sensitivity, "auroc", w), "w-auroc")
    st.markdown(finding(sensitivity))
    scores = workspace.scores(study, data, method, w)
    figure_view.show(histograms([scores], study.id_dataset, titles, palette, together=True), "w-histogram")
    st.caption(
        rf"The score is $S_\text{{{other.title}}}^{{\,w}} \cdot S_\text{{{prior.title}}}^{{\,1-w}}$. "
        f"{other.record.positive.note if other.record.positive else ''}"
        f"{f' {default.sentence()}' if default else ''}"
    )
    table = sensitivity_table(sensitivity, w)
    percent = {name: st.column_config.NumberColumn(format="%.1f") for name in table.columns[2:]}
    st.dataframe(table, hide_index=True, column_config=percent, key="w-table")
    st.caption(
        "FPR95 and AUROC in percent; the best w is that of the lowest FPR95. It is read off these very OOD images, so "
        "it shows what w can do at most."
    )
    all_combinations.section(study, data, combinations, method, w)
    weight_search.section(study, data, method)


def followed(key: str, default: float) -> bool:
    """Whether the slider ``key`` was moved along with its default just now, because a search has changed that and
    nobody had moved the slider."""
    before = st.session_state.get(f"{key}-default", default)
    st.session_state[f"{key}-default"] = default
    if st.session_state.get(key) != before or before == default:
        return False
    st.session_state[key] = default
    return True


def pick_combination(combinations: Sequence[str]) -> str:
    """One of the combinations: side by side while they are few."""
    few = len(combinations) <= IN_A_ROW
    key, usual = "w_combination" if few else "w_combination_box", OTHERWISE[0]
    first = usual if usual in combinations else None
    return pick_one("Combination", combinations, key, titled=methods.title, first=first, segments=few)


st.title("How much should NAP weigh?")
study = workspace.current_study()
activations = run_panel.require_activations(study)
method_picker.row()
combined = [row.method for row in method_picker.scores(study, activations) if methods.parse(row.method).prior]
explore(study, activations, combined or method_run.ready(study, activations, OTHERWISE)[0][:1])
