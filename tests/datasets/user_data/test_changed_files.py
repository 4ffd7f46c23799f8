"""Files that are replaced or written to while a folder is in use: what is stored belongs to what was read."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from nap_core import datasets, models
from nap_core.errors import UserError
from nap_core.extraction import extract
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Store

COUNT = 6


@pytest.fixture
def model() -> LoadedModel:
    return models.load("resnet20-cifar10")


def fill(folder: Path, first: int = 0, suffix: str = ".png") -> Path:
    """``COUNT`` bundled photographs from ``first`` on."""
    folder.mkdir(parents=True, exist_ok=True)
    source = datasets.load("cifar10")
    for index in range(COUNT):
        source.image(first + index).save(folder / f"{index}{suffix}")
    return folder


def assert_as_fresh(name: str, model: LoadedModel, store: Store) -> None:
    """What the store gives of a dataset is what a pass over the files gives now."""
    stored = extract(model, datasets.load(name), store=store).maximum
    np.testing.assert_allclose(stored, extract(model, datasets.load(name)).maximum, atol=1e-4)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no time of change that a program cannot set")
def test_bitmaps_replaced_with_their_time_kept(data_root: Path, model: LoadedModel, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for first in (0, 100):
        for path in fill(data_root / "bitmaps", first, ".bmp").iterdir():
            os.utime(path, (1e9, 1e9))
        assert_as_fresh("own:bitmaps", model, store)


def test_images_overwritten_in_place(data_root: Path, model: LoadedModel, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    fill(data_root / "here" / "known")
    assert_as_fresh("own:here", model, store)
    fill(data_root / "here" / "known", 100)
    assert_as_fresh("own:here", model, store)


def test_an_image_more_two_levels_down_is_seen(data_root: Path) -> None:
    folder = fill(data_root / "nested" / "bird" / "images")
    assert len(datasets.load("own:nested")) == COUNT
    shutil.copy(folder / "0.png", folder / "another.png")
    assert len(datasets.load("own:nested")) == COUNT + 1


def test_an_image_of_a_list_is_replaced(data_root: Path) -> None:
    folder = fill(data_root / "lists" / "images")
    (data_root / "lists" / "mine.txt").write_text("".join(f"images/{index}.png {index}\n" for index in range(COUNT)))
    for name in ("own:lists/mine.txt", "own:lists/mine.txt:from-0"):
        before = datasets.load(name).fingerprint
        Image.new("RGB", (9, 9), (len(name),) * 3).save(folder / "0.png")
        assert datasets.load(name).fingerprint != before
        datasets.load(name).image(0)


def test_an_archive_replaced_with_its_time_kept(data_root: Path) -> None:
    prints = []
    for level in (1, 2):
        np.savez(data_root / "a.npz", images=np.full((2, 4, 4), level, np.uint8))
        os.utime(data_root / "a.npz", (1e9, 1e9))
        prints.append(datasets.load("own:a.npz").fingerprint)
    assert os.name == "nt" or prints[0] != prints[1]


def test_a_copy_blurred_during_the_session_leaves_the_original_its_activations(
    data_root: Path, model: LoadedModel, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    shutil.copytree(fill(data_root / "sharp"), data_root / "copy")
    opened = datasets.load("own:copy")
    extract(model, opened, limit=2, store=store)
    for path in sorted((data_root / "copy").iterdir()):
        Image.open(path).filter(ImageFilter.GaussianBlur(3)).save(path)
    with pytest.raises(UserError, match="has changed since"):
        extract(model, opened, store=store)
    assert_as_fresh("own:copy", model, store)
    assert_as_fresh("own:sharp", model, store)
