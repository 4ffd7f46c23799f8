"""NAP Explorer: page settings, navigation and the sidebar that picks a study."""

from pathlib import Path

import streamlit as st

STYLES = Path(__file__).parent / "pages" / "components" / "static" / "app.css"

st.set_page_config(page_title="NAP Explorer", page_icon="assets/icon.png", layout="wide")

page = st.navigation(
    {
        "": [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/score_image.py", title="Score an image", icon=":material/image_search:"),
        ],
        "Look inside": [
            st.Page("pages/activation_maps.py", title="Activation maps", icon=":material/grid_view:"),
            st.Page("pages/max_vs_mean.py", title="Max vs mean", icon=":material/scatter_plot:"),
            st.Page("pages/channels.py", title="Channels", icon=":material/equalizer:"),
            st.Page("pages/layers.py", title="Layers", icon=":material/layers:"),
        ],
        "Compare": [
            st.Page("pages/score_histograms.py", title="Score histograms", icon=":material/bar_chart:"),
            st.Page("pages/compare_methods.py", title="Compare methods", icon=":material/compare:"),
            st.Page("pages/w_sensitivity.py", title="w sensitivity", icon=":material/tune:"),
            st.Page("pages/score_designs.py", title="Score designs", icon=":material/science:"),
        ],
        "Robustness": [
            st.Page("pages/near_and_far.py", title="Near and far", icon=":material/social_distance:"),
            st.Page("pages/sensitivity.py", title="Sensitivity", icon=":material/straighten:"),
        ],
        "The paper": [
            st.Page("pages/reproduce.py", title="The paper, reproduced", icon=":material/replay:"),
            st.Page("pages/published.py", title="Published and measured", visibility="hidden"),  # an old address
        ],
    },
    expanded=True,  # of a dozen pages Streamlit hides the last, which may be the one that is open
)
st.html(STYLES)

# Not above: it imports torch, for seconds at a server's first request, and the list of pages must not wait for that.
from pages.components.study import accuracy_notice, url_state  # noqa: E402
from pages.components.study.sidebar import study_sidebar  # noqa: E402

url_state.adopt_old_names()
study_sidebar()
accuracy_notice.show()  # the first thing that is said on any page
page.run()
