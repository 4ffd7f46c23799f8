"""Every table and figure of the NAP paper (arXiv:2402.18162): its question, its claim, and how it is run again."""

from __future__ import annotations

from nap_core.errors import UserError
from nap_core.paper.catalogue import ablations, results
from nap_core.paper.catalogue.rows import GROUPS
from nap_core.paper.spec import Entry

__all__ = ["ENTRIES", "GROUPS", "find"]

ENTRIES: dict[str, Entry] = {entry.name: entry for entry in (*results.ENTRIES, *ablations.ENTRIES)}


def find(text: str) -> Entry:
    """The entry that ``text`` names: "table-9", "Table 9", "9" (a table), "figure-6", "fig 6".

    Raises UserError for anything else.
    """
    word = text.strip().lower().replace(" ", "-").replace("_", "-").replace("fig.", "fig")
    word = word.replace("fig-", "figure-") if word.startswith("fig-") else word
    aliases = {"figure-4c": "figure-4b", "6.5": "section-6.5"}
    entry = ENTRIES.get(aliases.get(word, word)) or ENTRIES.get(f"table-{word}")
    if entry is None:
        raise UserError(f"The paper has no “{text}”, or nothing can be run of it. There are: {', '.join(ENTRIES)}.")
    return entry
