"""The size of a study on disk, computed before it runs."""

from __future__ import annotations

from dataclasses import dataclass

from nap_core.extraction import Stored
from nap_core.storage import byte_size
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, extraction_plan


@dataclass(frozen=True)
class Storage:
    """Bytes that the activations of a study take in the store; ``half``: some of them in half precision."""

    size: int
    half: bool

    def words(self) -> str:
        """ "about 1.4 GB in the store, half precision"."""
        return f"about {byte_size.in_words(self.size)} in the store{', half precision' if self.half else ''}"


def storage(study: Study, store: Store) -> Storage:
    """What the store will hold of the study's datasets, to the byte, once all of them are there.

    The fit split is not counted: it is extracted when a method first needs it. Raises UserError as
    ``studies.extraction_plan`` does.
    """
    model, steps = study.network(), extraction_plan(study).steps
    kept = [(Stored(store, model, step.dataset), step.images) for step in steps]
    return Storage(sum(one.size(rows) for one, rows in kept), any(one.chosen(rows) is one.half for one, rows in kept))
