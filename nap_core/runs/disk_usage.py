"""How much room a study takes on the disk, known before it runs."""

from __future__ import annotations

from dataclasses import dataclass

from nap_core import datasets
from nap_core.extraction import Stored
from nap_core.storage import byte_size
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study


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

    The fit split is not counted: it is extracted when a method first asks for it. Raises UserError as
    ``study.missing_images`` does.
    """
    model = study.network()
    size, half = 0, False
    for name in study.datasets:
        if datasets.find(name).role == "precomputed":
            continue
        dataset = datasets.load(name)
        rows = min(study.images, len(dataset))
        stored = Stored(store, model, dataset)
        size += stored.size(rows)
        half |= stored.chosen(rows) is stored.half
    return Storage(size, half)
