"""Does decoding keep up with the network? Images a second of either alone and of both, on JPEGs of a usual size."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from documents import table as markdown
from PIL import Image
from synthetic import random_resnet50
from timing import cores, seconds

from nap_core import datasets, models
from nap_core.datasets import FolderImages
from nap_core.extraction import BATCH, available_devices, choose_device, describe_device, extract
from nap_core.extraction import forward_pass as decoding
from nap_core.extraction.forward_pass import ForwardPass
from nap_core.models import LoadedModel, Transform

SIZE = (500, 375)  # of most of ImageNet's photographs
ROUNDS = 2


def photographs(folder: Path, count: int) -> FolderImages:
    """JPEGs of 500 × 375 pixels: cut-outs of the bundled photographs, no two alike."""
    draw = np.random.default_rng(0)
    samples = datasets.load("photos")
    for index in range(count):
        photo = samples.image(index % len(samples))
        scale = draw.uniform(0.6, 1.0) * min(photo.width / SIZE[0], photo.height / SIZE[1])
        width, height = SIZE[0] * scale, SIZE[1] * scale
        left, top = draw.uniform(0, photo.width - width), draw.uniform(0, photo.height - height)
        cut = photo.resize(SIZE, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
        if index // len(samples) % 2:
            cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        cut.save(folder / f"{index:05d}.jpg", quality=90)
    return datasets.from_folder(folder)


def networks(device: str) -> Iterator[LoadedModel]:
    """A light network and a small one; on a GPU, which they leave idle, a large one with random weights as well."""
    yield models.load("resnet20-cifar10")
    yield models.load("efficientnet-lite0-imagenet")
    if device == "cpu":
        return
    yield random_resnet50()


def decoding_seconds(dataset: FolderImages, transform: Transform, size: int, pinned: bool = False) -> float:
    """How long all images take in batches of ``size``: the best of some rounds."""

    def decode() -> None:
        for _ in decoding.blocks(dataset, transform, 0, len(dataset), size, pinned=pinned):
            pass

    return min(seconds(decode) for _ in range(ROUNDS))


def rates(model: LoadedModel, dataset: FolderImages, device: str) -> tuple[float, float, float]:
    """Images a second: decoding alone, the network alone, both together; the best of some rounds each."""
    forward_pass = ForwardPass(model, choose_device(device), None, autocast=False)
    size, pinned = forward_pass.batch_size, forward_pass.device.type == "cuda"

    views = next(decoding.blocks(dataset, model.transform, 0, len(dataset), size, pinned=pinned))[1]
    labels = np.full(len(views), -1)
    batches = max(1, len(dataset) // len(views)) if pinned else 2

    def compute() -> None:
        for _ in range(batches):
            forward_pass.statistics(views, labels)

    compute()  # the first pass allocates
    alone = len(dataset) / decoding_seconds(dataset, model.transform, size, pinned)
    network = batches * len(views) / min(seconds(compute) for _ in range(ROUNDS))
    # As many as take some seconds: a large network on a CPU has tens of images a second.
    count = int(min(len(dataset), max(4 * size, 10 * network)))
    both = count / min(seconds(lambda: extract(model, dataset, limit=count, device=device)) for _ in range(ROUNDS))
    return alone, network, both


def table(count: int) -> list[str]:
    """Ratios on every device that there is."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = photographs(Path(folder), count)
        every = decoding.threads()
        transform = models.load("efficientnet-lite0-imagenet").transform

        many = decoding_seconds(dataset, transform, BATCH["cpu"])
        decoding.threads = lambda: 1
        one = decoding_seconds(dataset, transform, BATCH["cpu"])
        decoding.threads = lambda: every
        rows = []
        for device in dict.fromkeys(["cpu", available_devices()[0]]):
            for model in networks(device):
                alone, network, both = rates(model, dataset, device)
                # The CPU does both with the same cores, a GPU leaves them to decoding.
                limit = 1 / (1 / alone + 1 / network) if device == "cpu" else min(alone, network)
                speeds = (f"{speed:,.0f}" for speed in (alone, network, both))
                shares = (f"{alone / network:,.1f} ×", f"{100 * both / limit:.0f} %")
                rows.append([describe_device(device), model.title, *speeds, *shares])
    gpu = [] if available_devices()[0] != "cpu" else ["There is no GPU on the machine that measured this.", ""]
    heads = ["network alone", "both together", "decoding over network", "of what is possible"]
    return [
        f"{count:,} JPEGs of {SIZE[0]} × {SIZE[1]} pixels, cut out of the bundled photographs. {every} decoding "
        f"thread{'s' if every > 1 else ''} on {cores()} cores decode **{one / many:.2f} ×** as fast as one. Images a "
        "second depend on the machine, their ratios hardly do.",
        "",
        *gpu,
        *markdown(["device", "network", "decoding alone, images/s", *heads], rows),
        "",
        "What is possible: on the CPU, where both use the same cores, the images that they would get through one after "
        "the other; on a GPU, the slower of the two.",
    ]
