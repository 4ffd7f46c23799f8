"""Home: what this is, in two images, and where to go from here."""

import streamlit as st

from nap_core.analysis import home_example
from nap_core.analysis.home_example import HomeExample
from nap_core.errors import UserError
from nap_core.figures import colour_of, colours
from nap_core.figures.home import pair_picture, study_histogram
from nap_core.figures.palette import ID_COLOUR
from nap_core.methods import EvaluationData
from nap_core.studies.study import Study
from pages.components.images import maps_state
from pages.components.results.figure_view import show
from pages.components.runs import run_panel
from pages.components.study import workspace


def scores_of_the_study(pair: HomeExample, study: Study, data: EvaluationData) -> None:
    """The histogram of NAP, with both images marked where the study has the model of the example."""
    same_model = study.variant.is_plain and study.network().weights_sha256 == pair.weights_sha256
    scores = workspace.scores(study, data, "nap")
    palette = colours(study.id_dataset, study.ood_datasets)
    marks = (pair.id_image, pair.ood_image) if same_model else ()
    show(study_histogram(scores, study.id_dataset, workspace.titles(study), palette, marks), "study-scores")


def before_the_first_run(pair: HomeExample, study: Study) -> None:
    """What the two images mean, and the button that measures it on hundreds."""
    st.markdown(
        f"Most methods look at a channel's **average**: {pair.id_image.mean:.2f} here, "
        f"{pair.ood_image.mean:.2f} there. The **Neural Activation Prior** looks at how far the peak stands above it, "
        "and scores the images "
        f"**{pair.id_image.nap:.2f}** and **{pair.ood_image.nap:.2f}**: the higher, the more familiar."
    )
    with st.container(key="home-run"):
        st.markdown("Does that hold for hundreds of images? Measure it on this computer:")
        run_panel.offer(study, key="main")


def ways_on(pair: HomeExample) -> None:
    """Three cards that lead to the pages."""
    here = maps_state.link(
        (pair.id_image.dataset, pair.id_image.row), (pair.ood_image.dataset, pair.ood_image.row), pair.channel
    )
    cards: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
        ("pages/activation_maps.py", "Look inside", "grid_view", "See every channel answer these two images.", here),
        (
            "pages/score_image.py",
            "Try your own image",
            "image_search",
            "Drop a picture: its score among those of the ID images.",
            {},
        ),
        ("pages/compare_methods.py", "Compare methods", "compare", "NAP beside MSP and Energy, and both together.", {}),
    )
    for column, (target, label, icon, words, query) in zip(st.columns(3), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.page_link(target, label=f"**{label}**", icon=f":material/{icon}:", query_params=query or None)
            st.caption(words)


st.title("Is this image like what the network was trained on?", anchor=False)
try:
    pair = home_example.load()
    study = workspace.current_study()
    data = workspace.activations(study)
    images, scores = st.columns([6, 5], gap="large")
    with images:
        position = (
            study.ood_datasets.index(pair.ood_image.dataset) if pair.ood_image.dataset in study.ood_datasets else 0
        )
        show(pair_picture(pair, (ID_COLOUR, colour_of(position))), "pair")
    with scores:
        if data is None:
            before_the_first_run(pair, study)
        else:
            scores_of_the_study(pair, study, data)
    ways_on(pair)
except UserError as error:
    st.error(str(error), icon=":material/error:")
