"""The old address of the tab "On the paper's own network" of the page "The paper, reproduced"."""

from pages.components.study import url_state
from pages.components.study.frame import require_frame

require_frame()
# Links to this page were shared before December 2026; they are followed until December 2027.
url_state.move_to("pages/reproduce.py", tab="published")
