"""Maximum over mean: the scatter with its margins, its captions, and the sparklines of channels."""

from nap_core.figures.max_vs_mean.scatter import MOST_DRAWN, SURFACE, TALLER, scatter
from nap_core.figures.max_vs_mean.sparkline import sparkline
from nap_core.figures.max_vs_mean.words import drawn_words, reading, tally

__all__ = ["MOST_DRAWN", "SURFACE", "TALLER", "drawn_words", "reading", "scatter", "sparkline", "tally"]
