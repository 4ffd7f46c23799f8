"""A study of ImageNet's size without ImageNet: made-up activations of a ResNet-50 in a store, and a network to go with.

The numbers are drawn, but plausible: channels that fire for some classes and are silent for most, maxima some times
their means, logits from the means, OOD images whose channels have lower values and whose peaks are flatter.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from nap_core import datasets, models
from nap_core.activations import Activations
from nap_core.datasets.images import BaseImages
from nap_core.datasets.spec import DatasetRecord
from nap_core.extraction import SHARD_ROWS, Stored
from nap_core.models import LoadedModel, ModelRecord, architectures, sources
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study

CHANNELS, CLASSES = 2048, 1000
ID, FIT, MODEL = "synthetic-id", "synthetic-fit", "synthetic-resnet50"
OOD = tuple(f"synthetic-ood-{number}" for number in range(1, 5))
ROWS = {ID: 50_000, FIT: 50_000} | dict.fromkeys(OOD, 10_000)
SEEDS = {name: seed for seed, name in enumerate(ROWS)}


class Pictures(BaseImages):
    """The images of a made-up dataset: small noise, drawn on access."""

    @cached_property
    def fingerprint(self) -> str:
        return sha256(self.name.encode()).hexdigest()

    def image(self, index: int) -> Image.Image:
        draw = np.random.default_rng((SEEDS[self.name], index))
        return Image.fromarray(draw.integers(0, 256, (64, 64, 3), dtype=np.uint8)).resize((256, 256))


@cache
def pictures(name: str) -> Pictures:
    """The images of a dataset; those of ID datasets have the network's classes."""
    is_id, rows = name in (ID, FIT), np.arange(ROWS[name])
    labels = rows % CLASSES if is_id else np.full(len(rows), -1)
    return Pictures(name, name.replace("-", " "), model().classes if is_id else (), labels)


@cache
def _prototypes() -> tuple[np.ndarray, np.ndarray]:
    """How strongly each class drives each channel (K, C), and the head's weights (K, C)."""
    draw = np.random.default_rng(100)
    drive = draw.gamma(0.35, 1.1, (CLASSES, CHANNELS)).astype(np.float32)
    weight = (drive - drive.mean(axis=0)) * np.float32(0.02)
    return drive, weight + draw.normal(0, 0.01, weight.shape).astype(np.float32)


def random_resnet50(head: np.ndarray | None = None) -> LoadedModel:
    """A ResNet-50 with random weights, those of its head given (K, C)."""
    blueprint = architectures.find("resnet50")
    torch.manual_seed(0)
    network = blueprint.build(CLASSES)
    if head is not None:
        with torch.no_grad():
            network.get_submodule(blueprint.head).weight.copy_(torch.from_numpy(head))
    names = models.benchmark_classes("ImageNet-1k")
    return models.assemble(blueprint, network, blueprint.transform, names, "made up")


@cache
def model() -> LoadedModel:
    """A ResNet-50 with random weights and the head that the made-up logits come from."""
    return replace(random_resnet50(_prototypes()[1]), name=MODEL, title="Synthetic ResNet-50")


def register() -> Study:
    """Put the model and the datasets into this process's catalogues; the study of them."""
    for name in ROWS:
        role = "fit" if name == FIT else "id" if name == ID else "ood"
        images = pictures(name)
        datasets.RECORDS[name] = DatasetRecord(
            name, images.title, "", "", "", ROWS[name], role=role, kind="noise", classes=images.classes
        )
        datasets.sources._loaded[name] = 0, images
    models.RECORDS[MODEL] = ModelRecord(
        MODEL,
        "Synthetic ResNet-50",
        "resnet50",
        "ImageNet-1k",
        weights=Path,
        classes=tuple,
        licence="",
        source="",
        id_dataset=ID,
        fit_dataset=FIT,
        ood_datasets=OOD,
        images=ROWS[ID],
    )
    models.ARCHITECTURES.setdefault("resnet50", model().architecture)
    load = sources._load
    sources._load = lambda name, made: model() if name == MODEL else load(name, made)
    return Study(MODEL, ID, OOD, ROWS[ID])


def activations(name: str, first: int, last: int) -> Activations:
    """Images ``first`` to ``last`` of a dataset, always the same ones."""
    drive, weight = _prototypes()
    draw = np.random.default_rng((SEEDS[name], first))
    rows = last - first
    is_id = name in (ID, FIT)
    classes = np.arange(first, last) % CLASSES if is_id else draw.integers(0, CLASSES, rows)
    strength = draw.uniform(0.5, 1.5, (rows, 1)).astype(np.float32)
    noise = draw.standard_gamma(0.6, (rows, CHANNELS), dtype=np.float32)
    share = np.float32(0.25 if is_id else 0.2)
    mean = np.maximum(share * drive[classes] * strength + np.float32(0.5) * noise - np.float32(0.15), 0)
    peaks = 1 + draw.standard_gamma(6.0 if is_id else 5.98, (rows, CHANNELS), dtype=np.float32)
    maximum = mean * peaks
    labels = classes.astype(np.int64) if is_id else np.full(rows, -1, np.int64)
    logits = mean @ weight.T + draw.normal(0, 1, (rows, CLASSES)).astype(np.float32)
    return Activations(maximum, mean, maximum * mean / 4, logits, labels)


def fill(store: Store) -> dict[str, tuple[int, int]]:
    """Write all datasets into a store as an extraction does; bytes predicted and bytes on disk of each."""
    sizes = {}
    for name, rows in ROWS.items():
        stored = Stored(store, model(), pictures(name))
        predicted = stored.size(rows)
        entry = stored.opened(rows)
        for start in range(0, rows, SHARD_ROWS):
            entry.append(activations(name, start, min(start + SHARD_ROWS, rows)), start)
        entry.compact()
        sizes[name] = predicted, entry.size_bytes
    return sizes
