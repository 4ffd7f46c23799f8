"""Methods side by side: the results table, the ROC curves, and in words where two methods part."""

from nap_core.figures.compare_methods.roc import roc_curves
from nap_core.figures.compare_methods.table import METRIC_TITLES, caption, heat_table, least_width
from nap_core.figures.compare_methods.words import disagreement_reading

__all__ = ["METRIC_TITLES", "caption", "disagreement_reading", "heat_table", "least_width", "roc_curves"]
