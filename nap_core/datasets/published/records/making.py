"""What the records of the library have in common."""

from __future__ import annotations

from nap_core.datasets.spec import DatasetRecord, Kind, Role

UNSTATED = "No licence stated; published for research, to be cited"


def record(
    name: str,
    title: str,
    description: str,
    note: str,
    source: str,
    *,
    size: int,
    role: Role = "ood",
    kind: Kind = "photographs",
    shape: tuple[int, int] | None = None,
    classes: tuple[str, ...] = (),
    licence: str = UNSTATED,
) -> DatasetRecord:
    """A record without downloads, which depend on where the library lies; an OOD dataset unless it says otherwise."""
    return DatasetRecord(name, title, description, note, kind, role, size, shape, classes, licence, source)
