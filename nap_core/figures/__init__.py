"""Pure functions that turn results into a ``Picture``, one file a page. Nothing here imports Streamlit or torch."""

from nap_core.figures.palette import ID_COLOUR, colour_of, colours
from nap_core.figures.picture import Picture

__all__ = ["ID_COLOUR", "Picture", "colour_of", "colours"]
