"""The NAP paper, reproduced: a record of each table and figure, what the paper prints, and how it is run again.

    >>> from nap_core import paper
    >>> from nap_core.paper.running import ReproductionInput, run
    >>> entry = paper.find("table-9")
    >>> run(entry, ReproductionInput(data)).table

This package holds the records alone; ``running`` imports the measurements and, with them, torch.
"""

from nap_core.paper.catalogue import ENTRIES, GROUPS, find
from nap_core.paper.spec import Entry, PageLink, Row, Setting

__all__ = ["ENTRIES", "GROUPS", "Entry", "PageLink", "Row", "Setting", "find"]
