"""Score an image: has the network seen this?"""

import streamlit as st

from nap_core import methods, models
from nap_core.analysis import single_image
from nap_core.datasets import uploaded_images
from nap_core.errors import UserError
from nap_core.figures import score_image
from pages.components.images import analysed_images, image_report, image_table, uploads
from pages.components.images.analysed_images import AnalysedImage, IdScores
from pages.components.methods import method_picker, selected_methods
from pages.components.runs import method_run, run_panel
from pages.components.study import url_state, workspace
from pages.components.study.frame import require_frame

PHOTOGRAPHS = "efficientnet-lite0-imagenet"  # what photographs go to, whatever the study is
NETWORK, METHOD = "network", "method"  # the controls: their names in the address and in the session


def main() -> None:
    require_frame()
    st.title("Has the network seen this?")
    left, right = st.columns(2)
    with left:
        model = url_state.selectbox(
            "Network",
            NETWORK,
            networks(),
            _titled,
            "Photographs go to EfficientNet-Lite0, whatever the study in the sidebar is, unless it is about a model of "
            "your own or you pick another one.",
        )
    run_panel.require_prepared(workspace.reference_study(model))
    method_picker.row(models.find(model).trained_on)
    verdict = right.container()  # filled once it is known which methods have scores
    drop, samples = st.columns([5, 7], gap="medium")
    with drop:
        uploads.drop_zone()
    with samples:
        uploads.sample_strip(model)
    try:
        among = compared_with(model)
        with verdict:
            method = url_state.selectbox("Verdict by", METHOD, list(among.scores), methods.title)
        answer(model, method, among)
    except UserError as error:
        st.error(str(error))


def _titled(model: str) -> str:
    record = models.find(model)
    return f"{record.title} · trained on {record.trained_on}" if record.trained_on else record.title


def networks() -> list[str]:
    """The models that can be picked, the default first: those of the catalogue, and one's own that the study is about.

    One's other own models have no images that they could be compared with.
    """
    studied = workspace.current_study().model
    own = [] if studied in models.RECORDS else [studied]
    return [*own, PHOTOGRAPHS, *(name for name in models.RECORDS if name != PHOTOGRAPHS)]


def compared_with(model: str) -> IdScores:
    """The scores of the network's ID images under the chosen methods.

    The page ends here, with a sentence, when none of them can be computed. Image-based methods are left out: they would
    need a pass over a thousand ID images first.
    """
    specs = selected_methods.current()
    own = [spec for spec in specs if methods.parse(spec).own_pass]
    about = analysed_images.data(model)
    owner = ("ID images", workspace.variant(model), about.id_name)
    able, waits, unable = method_run.ready(owner, about, [spec for spec in specs if spec not in own])
    among = analysed_images.id_scores(model, about, able)
    method_run.offer(owner, about, waits)
    method_picker.say_searched(analysed_images.searched_or_published(model, about, list(among.scores)))
    method_run.explain(unable | among.unable)
    if own:
        need = "needs a pass of its" if len(own) == 1 else "need passes of their"
        st.caption(f"{method_run.names(own)} {need} own over the ID images: left out here.")
    if not among.scores:
        if not specs:
            st.info("Pick a method to see what it says.", icon=":material/info:")
        st.stop()
    return among


def answer(model: str, method: str, among: IdScores) -> None:
    """The table when several images are asked about, and the single view of the one that is open."""
    asked = uploads.asked(model)
    images = image_table.look_at(model, asked, max(len(asked), len(uploads.files())))
    small_images(model, [looked for _, looked in images])
    opened = 0 if images else None
    if len(images) > 1:
        opened = image_table.draw(model, method, images, among)
    if opened is not None:
        one, looked = images[opened]
        if len(images) > 1:
            st.header(score_image.plain(looked.name))
        image_report.draw(model, method, one.key, looked, among)


def small_images(model: str, images: list[AnalysedImage]) -> None:
    """Say it when a network for photographs is given images that fit another network better."""
    tiny = [looked.name for looked in images if looked.tiny]
    better = single_image.model_for_tiny_images(model)
    if not tiny or better is None:
        return
    title = models.find(better).title
    which = f"“{score_image.plain(tiny[0])}” is" if len(tiny) == 1 else f"{len(tiny):,} of these images are"
    said, button = st.columns([5, 1], vertical_alignment="center")
    said.info(
        f"{which} at most {uploaded_images.TINY} pixels wide and high. {title}, which looks at small images, fits "
        f"better: {models.find(model).title} sees them blown up.",
        icon=":material/photo_size_select_small:",
    )
    button.button(f"Use {title}", key="score-image-ask-small", on_click=ask, args=(better,), width="stretch")


def ask(model: str) -> None:
    """Pick another network."""
    st.session_state[NETWORK] = model


main()
