"""Which score reads the peak best? The designs of Table 6, a score of one's own, what ε does, and the oracle."""

import streamlit as st

from nap_core import methods
from nap_core.analysis import score_variants
from nap_core.analysis.channels.kinds import kind_of
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.score_designs import Board, design_picture, least_width, printed_table
from nap_core.methods import EvaluationData
from nap_core.metrics import METRIC_TITLES, Metric
from nap_core.paper import published_values
from nap_core.studies.study import Study
from pages.components.controls import pick_one
from pages.components.methods import epsilon_section, oracle_section, variant_editor
from pages.components.results import figure_view
from pages.components.results.comparison_choice import pick_metric
from pages.components.runs import run_panel
from pages.components.study import hints, workspace
from pages.components.study.cache import cached

DEFAULT, BEST = "Default", "Best"


def own_weights(study: Study, other: str, data: EvaluationData) -> dict[str, float]:
    """The w of each design as every page takes it: searched or published."""
    weights = workspace.weights(study, data, [f"{design}+{other}" for design in score_variants.DESIGNS])
    return {design: weights[f"{design}+{other}"].w for design in score_variants.DESIGNS}


BEST_HELP = (
    "At one w for all, No Square, which is NAP without the square, weighs half as much as NAP. With the best w of "
    "each, the exponent is out of the comparison."
)


def pick(data: EvaluationData) -> tuple[str, str, Metric]:
    """The method that designs are combined with, the choice of w, and the metric."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="design-controls"):
        every = score_variants.others(data.context)
        first = score_variants.OTHER if score_variants.OTHER in every else every[0]
        other = pick_one("Combined with", every, "design_with", titled=methods.title, first=first, width=240)
        w = pick_one("w of each", [DEFAULT, BEST], "design_w", segments=True, help=BEST_HELP)
        metric = pick_metric("design_metric")
    return other, w, metric


def table_six(study: Study, data: EvaluationData, other: str, w: str, metric: Metric) -> None:
    """The designs alone and combined."""
    model = data.context.model
    if model is not None and kind_of(model).of_heads:
        st.info(
            f"The designs of Table 6 are made for the maps of CNNs. On a Transformer such as {model.title} NAP is the "
            "highest attention of the class token; what else can be made of the attention is to be tried below.",
            icon=":material/info:",
        )
        return
    try:
        weights = (
            cached((study, other), score_variants.best_weights, data, other, spinner="Trying every w …")
            if w == BEST
            else own_weights(study, other, data)
        )
        key, spinner = (study, other, tuple(weights.items())), "Scoring …"
        table = cached(key, score_variants.design_table, data, other=other, weights=weights, spinner=spinner)
    except UserError as error:
        st.info(hints.sentence(error), icon=":material/info:")
        return
    titles, palette = workspace.titles(study), colours(study.id_dataset, study.ood_datasets)
    board = Board(table, titles, palette)
    figure_view.show(design_picture(board, metric), "designs", scroll_width=least_width(board))
    published = published_values.table_6(study.trained_on, other)
    st.dataframe(printed_table(board, metric, published), hide_index=True, key="designs-table")
    said = f"{METRIC_TITLES[metric]} in percent; in brackets the difference from {board.baseline} alone, in points. "
    said += (
        rf"Combined is $S_\text{{{board.baseline}}}^{{\,w}} \cdot S_\text{{design}}^{{\,1-w}}$, with {_which(weights)}."
    )
    if w == BEST:
        said += " The best w, of the lowest FPR95 on average, is read off these very OOD images."
    if published:
        said += " Table 6 is the paper's, of its DenseNet, averaged over its six OOD datasets."
    st.caption(said)


def _which(weights: dict[str, float]) -> str:
    """ "w = 0.4", or one for each design."""
    if len(set(weights.values())) == 1:
        return f"w = {next(iter(weights.values())):g}"
    return "w = " + ", ".join(f"{w:g} for {methods.title(design)}" for design, w in weights.items())


st.title("Which score reads the peak best?")
study = workspace.current_study()
activations = run_panel.require_activations(study)
chosen_other, chosen_w, chosen_metric = pick(activations)
table_six(study, activations, chosen_other, chosen_w, chosen_metric)
variant_editor.section(study, activations, chosen_other)
epsilon_section.section(study, activations, chosen_other, chosen_metric)
oracle_section.section(study, activations)
