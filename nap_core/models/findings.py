"""The findings of a model check: what an examination of a network showed when it was loaded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nap_core.models.loaded_model import LoadedModel

Code = Literal["output", "repeatability", "map", "precision", "channels", "preprocessing"]
Level = Literal["note", "warning", "refused"]
LEVELS: tuple[Level, ...] = ("refused", "warning", "note")
"""The most serious first."""


@dataclass(frozen=True)
class Finding:
    """One thing that the examination of a network showed.

    Attributes:
        code: what was examined.
        level: "note" for what was changed or is worth knowing, "warning" for what may give wrong numbers, "refused" for
            what some or all methods cannot run on.
        sentence: what was seen and what follows from it.
    """

    code: Code
    level: Level
    sentence: str


def ordered(findings: tuple[Finding, ...]) -> list[Finding]:
    """The findings, the most serious first."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def worst(findings: tuple[Finding, ...]) -> Level | None:
    """The level of the most serious finding; None without findings."""
    return next((finding.level for finding in ordered(findings)), None)


def model_check(model: LoadedModel) -> dict[str, object]:
    """The check of a model as JSON can hold it: how it is read and fed, and its findings, the most serious first."""
    structure = model.structure
    return {
        "model": model.name,
        "title": model.title,
        "classes": len(model.classes),
        "structure": structure.sentence() if structure else "",
        "map": str(model.hook),
        "map_shape": list(model.map_shape or ()),
        "output": model.output.ending,
        "logits_scaled": model.output.scaled,
        "transform": model.transform.describe(),
        "level": worst(model.findings) or "passed",
        "findings": [asdict(finding) for finding in ordered(model.findings)],
    }
