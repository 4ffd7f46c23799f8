"""A score that the visitor writes: its histogram and its numbers beside S_NAP's, alone and combined."""

from __future__ import annotations

import streamlit as st

from nap_core import methods
from nap_core.analysis import score_variants
from nap_core.analysis.channels.kinds import kind_of
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.score_designs import beside, verdict
from nap_core.figures.score_histograms import histograms, least_width
from nap_core.methods import EvaluationData
from nap_core.methods.expressions import OVER, parse
from nap_core.studies.study import Study
from pages.components.controls import pick_one
from pages.components.results import figure_view
from pages.components.study import workspace
from pages.components.study.cache import cached

TEXT, EXAMPLE, CHANNELS = "expression", "expression_example", "expression_over"
MOST_APART = 4  # more OOD datasets than this share a panel

GRAMMAR = """
| you write | it means |
|---|---|
| `max`, `mean`, `var` | maximum, mean and variance of one channel's map |
| `1.5`, `eps` | a number; `eps` is 1, the paper's ε |
| `a + b`, `a - b`, `a * b`, `a / b` | as everywhere, with round brackets |
| `a ** b`, `-a` | a power, a change of sign |
| `sqrt(a)`, `log(a)`, `exp(a)`, `abs(a)` | root, natural logarithm, exponential, absolute value |
| `larger(a, b)`, `smaller(a, b)` | the larger or the smaller of two |
| `clip(a, low, high)` | a, but not below low and not above high |

`max` and `mean` are always those of one channel's map. How the channels become one score is chosen beside the
expression. Higher must mean more in-distribution.
"""


def _take_example() -> None:
    """Write the example that was clicked into the field."""
    if name := st.session_state.get(EXAMPLE):
        st.session_state[TEXT] = score_variants.EXAMPLES[name]
        st.session_state[CHANNELS] = "mean"


@st.fragment
def section(study: Study, data: EvaluationData, other: str) -> None:
    """The field of the expression, and its scores on the study."""
    st.subheader("Write your own score", anchor=False)
    title = methods.title(other)
    weight = workspace.weight(study, data, f"nap+{other}")
    text, over, w = _controls(other, weight.w if weight else 0.5)
    model = data.context.model
    if model is not None and kind_of(model).of_heads:
        st.caption(
            f"{model.title} is a Transformer: a channel here is a head of its last block (the first one the mean over "
            "all of them), and max, mean and var are those of the class token's attention over the image."
        )
    try:
        expression = parse(text, over)
        written = cached(
            (study, text, over), score_variants.expression_scores, data, expression, spinner="Scoring …", entries=64
        )
        both = score_variants.combined_scores(data, written, other, w)
        ours = workspace.scores(study, data, "nap")
        ours_both = workspace.scores(study, data, f"nap+{other}", w)
    except UserError as error:
        # The marks of a power would be read as bold letters.
        st.warning(str(error).replace("*", r"\*"), icon=":material/edit:")
        return
    st.latex(expression.latex)
    titles, palette = workspace.titles(study), colours(study.id_dataset, study.ood_datasets)
    together = len(study.ood_datasets) > MOST_APART
    shown = histograms([written, both], study.id_dataset, titles, palette, together=together)
    figure_view.show(
        shown, "expression-histograms", scroll_width=least_width(1 if together else len(study.ood_datasets))
    )
    st.markdown(verdict({"alone": (written, ours), f"with {title}": (both, ours_both)}, titles))
    st.dataframe(beside([written, ours, both, ours_both], titles), hide_index=True, key="expression-table")
    st.caption(_notes(written, title))


def _controls(other: str, default_w: float) -> tuple[str, str, float]:
    """The expression, how the channels become one, and w, which begins at ``default_w``."""
    st.session_state.setdefault(TEXT, st.query_params.get(TEXT, score_variants.EXAMPLES[score_variants.FIRST_EXAMPLE]))
    at = {text: name for name, text in score_variants.EXAMPLES.items()}
    st.session_state[EXAMPLE] = at.get(st.session_state[TEXT].strip())
    with st.container(horizontal=True, vertical_alignment="center", key="expression-examples"):
        st.pills(
            "Examples", list(score_variants.EXAMPLES), key=EXAMPLE, on_change=_take_example,
            label_visibility="collapsed", width="stretch",
        )  # fmt: skip
        with st.popover("What may be written", icon=":material/function:", type="tertiary", key="expression-grammar"):
            st.markdown(GRAMMAR)
    field, beside_it, slider = st.columns([4, 2, 3], vertical_alignment="bottom")
    text = field.text_input("Of every channel", key=TEXT, bind="query-params", placeholder="(max / (mean + eps)) ** 2")
    over = pick_one("Over the channels", {name: one.title for name, one in OVER.items()}, CHANNELS, place=beside_it)
    w = slider.slider(
        f"w, the weight of {methods.title(other)}",
        min_value=0.0,
        max_value=1.0,
        value=default_w,
        step=0.05,
        key=f"expression_w_{other}",
        bind="query-params",
    )
    return text, over, w


def _notes(written: score_variants.WrittenScores, title: str) -> str:
    said = "FPR95 / AUROC in percent."
    negative = sum(int((values < 0).sum()) for values in (written.id, *written.ood.values()))
    if negative:
        total = len(written.id) + len(written.pooled)
        said += (
            f" Your score is negative for {negative:,} of {total:,} images; combined with {title} it counts as 0 there."
        )
    return said
