"""Published beside measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nap_core.paper.published_values import printed
from nap_core.paper.spec import AVERAGE, Entry

if TYPE_CHECKING:
    from nap_core.paper.inputs import ReproductionInput

COLUMNS = ["row", "method", "w", "ood", "heading", "metric", "published", "measured", "difference", "note"]
ORIENTATION = "paper: "
"""Before the heading in the ``ood`` of a published figure that nothing measured stands beside."""


def compare(measured: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Both side by side: the columns of ``COLUMNS``, in the order of ``measured``, which is ``measuring.measure``'s.

    ``published`` is ``printed.printed``'s, or empty. ``difference`` is measured less published, in their own unit (a
    share, or w), NaN where one of the two is missing. Averages of the paper that no average over the same datasets was
    measured for, and what it has on a single dataset that was not used, follow at the end, for orientation: ``ood``
    then begins with ``ORIENTATION``.
    """
    keys = ["row", "heading", "metric"]
    both = measured.merge(published, on=keys, how="left", suffixes=("", "_published"), validate="many_to_one")
    both["difference"] = both["measured"] - both["published"]
    notes = both.pop("note_published").fillna("")
    both["note"] = [" ".join(filter(None, pair)) for pair in zip(both["note"], notes, strict=True)]
    alone = published["heading"].nunique() == 1
    candidates = published[(published["heading"] == AVERAGE) | alone]
    matched = candidates.merge(measured[keys].drop_duplicates(), on=keys, how="left", indicator="matched")["matched"]
    rest = candidates[(matched == "left_only").to_numpy()]
    rest = rest.assign(ood=ORIENTATION + rest["heading"].str.replace(AVERAGE, "average"), method="")
    rest = rest.reindex(columns=COLUMNS).astype({"w": float, "measured": float, "difference": float})
    return pd.concat([both[COLUMNS], rest], ignore_index=True) if len(rest) else both[COLUMNS]


def published_for(entry: Entry, subject: ReproductionInput) -> pd.DataFrame:
    """What the paper prints that may stand beside ``subject``: all of the setting that is like it; where there is none,
    the averages of the entry's first setting, which nothing is compared with."""
    setting = subject.setting(entry)
    if setting is not None:
        return printed(entry, setting)
    if not entry.settings:
        return pd.DataFrame(columns=["row", "heading", "metric", "published", "note"])
    first = entry.settings[0]
    published = printed(entry, first)
    only = first.headings[0] if len(first.headings) == 1 else AVERAGE
    return published[published["heading"] == only].assign(heading=f"{AVERAGE} of {first.network.title}")
