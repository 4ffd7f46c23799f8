"""The rows that several tables of the paper share, and the groups in which its tables and figures are listed."""

from __future__ import annotations

from nap_core.paper.published_tables import BASES, COUNTERPARTS
from nap_core.paper.spec import Row

IDEA, RESULTS, WEIGHT = "The idea", "The main results", "The weight w"
DESIGN, NETWORKS, LIMITS = "The score and its cost", "Layers and networks", "Near-OOD and accuracy"
GROUPS = (IDEA, RESULTS, WEIGHT, DESIGN, NETWORKS, LIMITS)


def rows_of(table: str, names: tuple[str, ...] = ()) -> tuple[Row, ...]:
    """Our methods for the rows of a table, those of ``names`` or all of them; a combination is to beat its base."""
    parts = [part for part in COUNTERPARTS if part.table == table]
    chosen = [next(part for part in parts if part.method == name) for name in names] if names else parts
    return tuple(
        Row(part.method, part.spec, beats=(BASES[part.method],) if part.method in BASES else ()) for part in chosen
    )


EVERY_METHOD = rows_of("Table 9")
PRODUCTS = tuple(
    row
    for base in ("MSP", "Energy", "ASH", "DICE", "ReAct", "KNN")
    for plain in rows_of("Table 9", (base,))
    for row in (plain, Row(f"{base} x NAP", f"nap+{plain.spec}", 0.5, (base,)))
)
DESIGNS = (
    Row("Energy (baseline)", "energy"),
    Row("Energy x Variance", "nap-variance+energy", beats=("Energy (baseline)",)),
    Row("Energy x No Square", "nap-no-square+energy", beats=("Energy (baseline)",)),
    Row("Energy x Minus", "nap-minus+energy", beats=("Energy (baseline)",)),
    Row(
        "Energy x NAP",
        "nap+energy",
        beats=("Energy (baseline)", "Energy x Variance", "Energy x No Square", "Energy x Minus"),
    ),
)
ALL_SPECS = tuple(row.spec for row in EVERY_METHOD)
COMBINATIONS = tuple(Row(row.printed, row.spec) for row in EVERY_METHOD if row.beats)
LAYERS = tuple(Row(f"NAP({names})", names) for names in ("c1", "t1", "t2", "p"))
LAYER_PRODUCTS = tuple(Row(f"NAP({names})", names) for names in ("c1,t1,t2,p", "t1,t2,p", "t2,p"))
