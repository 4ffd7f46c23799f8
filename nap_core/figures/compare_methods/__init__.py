"""Methods side by side: the results table, curves, what accuracy costs, who agrees, how certain the numbers are."""

from nap_core.figures.compare_methods.correlation import correlation_picture
from nap_core.figures.compare_methods.fpr_curve import fpr_curves
from nap_core.figures.compare_methods.intervals import interval_picture
from nap_core.figures.compare_methods.pareto import pareto_picture
from nap_core.figures.compare_methods.roc import roc_curves
from nap_core.figures.compare_methods.table import caption, heat_table, least_width, remarks
from nap_core.figures.compare_methods.words import against_words, disagreement_reading, ood_positive_caption

__all__ = [
    "against_words",
    "caption",
    "correlation_picture",
    "disagreement_reading",
    "fpr_curves",
    "heat_table",
    "interval_picture",
    "least_width",
    "ood_positive_caption",
    "pareto_picture",
    "remarks",
    "roc_curves",
]
