"""Every table and figure of the NAP paper (arXiv:2402.18162): its question, its claim, and how it is run again."""

from __future__ import annotations

from dataclasses import replace

from nap_core.errors import UserError
from nap_core.paper.catalogue import ablations, results
from nap_core.paper.catalogue.rows import GROUPS
from nap_core.paper.spec import Entry, PageLink

__all__ = ["ENTRIES", "GROUPS", "find"]


def _completed(entry: Entry) -> Entry:
    """An entry with what follows from the rest: the published table of its own name, the page that compares methods."""
    printed = entry.name.startswith("table-") and entry.kind in ("methods", "layers")
    table = entry.table or (f"Table {entry.name.removeprefix('table-')}" if printed else "")
    if entry.kind not in ("methods", "accuracy") or any(link.methods for link in entry.links):
        return replace(entry, table=table)
    compare = PageLink("Compare methods", "compare_methods", tuple(row.spec for row in entry.rows))
    return replace(entry, table=table, links=(*entry.links, compare))


ENTRIES: dict[str, Entry] = {entry.name: _completed(entry) for entry in (*results.ENTRIES, *ablations.ENTRIES)}


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
