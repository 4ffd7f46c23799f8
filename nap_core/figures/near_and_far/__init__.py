"""Near-OOD, far-OOD and covariate shift in one view, and what is behind it for one method."""

from nap_core.figures.near_and_far.details import accuracy_picture, cells_picture
from nap_core.figures.near_and_far.overview import overview
from nap_core.figures.near_and_far.words import findings, table_12, table_12_words

__all__ = ["accuracy_picture", "cells_picture", "findings", "overview", "table_12", "table_12_words"]
