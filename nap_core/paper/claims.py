"""What the paper states and does not measure, as the catalogue records it."""

from __future__ import annotations

import pandas as pd

from nap_core.methods import NEED_SENTENCES, RECORDS

# The column #Param of Table 1, by the paper's name and ours, empty where the catalogue does not have the method.
_TABLE_1 = (
    ("NAPattern", "", "4"),
    ("NMD", "", "more than 4"),
    ("ASH", "ash-s", "1"),
    ("ReAct", "react", "1"),
    ("NAC-UE", "nac-ue", "3"),
    ("KNN", "knn", "2"),
    ("NAP", "nap", "1"),
)


def orthogonality() -> pd.DataFrame:
    """Table 1 by the methods' records: what each looks at, what it needs beyond one pass, and its parameters."""
    rows = []
    for name, word, count in _TABLE_1:
        record = RECORDS.get(word)
        needs = "; ".join(NEED_SENTENCES[need] for need in record.needs) if record else ""
        rows.append(
            {
                "Method": name,
                "Looks within a channel": "" if record is None else "yes" if record.prior else "no",
                "Score": record.formula if record else "not in the catalogue",
                "Needs beyond one pass": needs or ("nothing" if record else ""),
                "Parameters, paper": count,
                "Parameters here": ", ".join(one.name for one in record.parameters) if record else "",
            }
        )
    return pd.DataFrame(rows)
