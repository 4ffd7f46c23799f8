"""A comparison of methods to take away: the tidy table, a table for a paper, a report that opens anywhere."""

from nap_core.figures.export.html import html_report
from nap_core.figures.export.latex import latex_table
from nap_core.figures.export.tables import tidy_table

__all__ = ["html_report", "latex_table", "tidy_table"]
