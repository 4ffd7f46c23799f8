"""Published figures beside ours, on the CIFAR-10 network that the NAP, DICE and ASH papers evaluate.

``assets/published`` holds both: results.csv and weights.csv are the papers' tables, measured.csv is what
``make fidelity`` measured with this code. Nothing is fitted to these figures; where they part, ``NOTES`` says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "published"
NETWORK = "DenseNet-BC-100-12"
CLOSE = 0.01  # AUROC: a larger difference wants a note

SVHN, CIFAR100, TEXTURES = "SVHN part", "CIFAR-100", "Textures, 10 classes"
OOD_NOTES = {
    CIFAR100: "The 10,000 test images of Table 12.",
    SVHN: "1,083 images of SVHN's training split; the paper has its test split, so close and not equal.",
    TEXTURES: "1,200 images of 10 of the 47 classes of the Describable Textures; the paper has all 5,640.",
}

# Table 9 prints these rows in another order than its header's (SVHN, LSUN-Crop, LSUN-Resize, iSUN, Textures,
# Places365), as their KNN figures and the averages show: what stands under LSUN-Crop is Textures.
ROWS_IN_ANOTHER_ORDER = frozenset({"MSP", "NAP-M", "DICE", "NAP-D", "SCALE", "NAP-S", "KNN", "NAP-K"})


@dataclass(frozen=True)
class Counterpart:
    """A row of a published table and the method of our catalogue that it is, parameters included."""

    table: str
    method: str
    spec: str


COUNTERPARTS: tuple[Counterpart, ...] = (
    *(
        Counterpart("Table 9", method, spec)
        for method, spec in {
            "MSP": "msp",
            "NAP-M": "nap+msp",
            "Energy": "energy",
            "NAP-E": "nap+energy",
            "ASH": "ash-s",
            "NAP-A": "nap+ash-s",
            "DICE": "dice",
            "NAP-D": "nap+dice",
            "SCALE": "scale",
            "NAP-S": "nap+scale",
            "ReAct": "react",
            "NAP-R": "nap+react",
            "KNN": "knn",
            "NAP-K": "nap+knn",
        }.items()
    ),
    Counterpart("Table 12", "Energy", "energy"),
    Counterpart("Table 12", "NAP-E", "nap+energy"),
    Counterpart("Table 12", "ReAct", "react:threshold=1.5"),
    Counterpart("Table 12", "NAP-R", "nap+react:threshold=1.5"),
    Counterpart("Table 12", "ASH", "ash-s:percentile=0.9"),
    Counterpart("Table 12", "NAP-A", "nap+ash-s:percentile=0.9"),
)

OOD_OF_TABLE = {"Table 9": (SVHN, TEXTURES), "Table 12": (CIFAR100,)}

NOTES: dict[tuple[str, str, str], str] = {}


@cache
def results() -> pd.DataFrame:
    """Every published figure: source, table, model, id_dataset, ood_dataset, method, fpr95 and auroc as shares."""
    table = pd.read_csv(FOLDER / "results.csv")
    table["fpr95"], table["auroc"] = table.pop("fpr95_percent") / 100, table.pop("auroc_percent") / 100
    return table


@cache
def measured() -> pd.DataFrame:
    """Ours: the columns of ``evaluation.COLUMNS``, one row a (method, OOD dataset)."""
    return pd.read_csv(FOLDER / "measured.csv")


def _column(method: str, ood: str) -> str:
    """Under which heading Table 9 or 12 prints the figure."""
    if ood == TEXTURES:
        return "LSUN-Crop" if method in ROWS_IN_ANOTHER_ORDER else "Textures"
    return "SVHN" if ood == SVHN else ood


def comparison() -> pd.DataFrame:
    """Published beside measured: table, published_as, method, w, ood, n_ood, fpr95, auroc, both with the prefix
    ``published_``, ``difference`` (AUROC, ours less theirs, a share) and ``note``."""
    theirs = pd.DataFrame(
        {
            "table": part.table,
            "published_as": part.method,
            "method": part.spec,
            "ood": ood,
            "printed_under": _column(part.method, ood),
            "note": NOTES.get((part.table, part.method, ood), ""),
        }
        for part in COUNTERPARTS
        for ood in OOD_OF_TABLE[part.table]
    )
    printed = results().query("source == 'NAP' and model == @NETWORK and id_dataset == 'CIFAR-10'")
    printed = printed.rename(
        columns={
            "ood_dataset": "printed_under",
            "method": "published_as",
            "fpr95": "published_fpr95",
            "auroc": "published_auroc",
        }
    ).drop(columns=["source", "model", "id_dataset"])
    ours = measured()[["method", "w", "ood", "n_ood", "fpr95", "auroc"]]
    both = theirs.merge(printed, on=["table", "published_as", "printed_under"], how="left", validate="one_to_one")
    both = both.merge(ours, on=["method", "ood"], how="left", validate="many_to_one")
    both["difference"] = both["auroc"] - both["published_auroc"]
    return both


def without_counterpart() -> pd.DataFrame:
    """What was measured and has no published figure on this network: method, ood, n_id, n_ood, fpr95, auroc."""
    known = {part.spec for part in COUNTERPARTS}
    rows = measured()
    return rows[~rows["method"].isin(known)].reset_index(drop=True)
