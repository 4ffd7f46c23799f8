"""Many threads decode, and nobody can tell from what comes out."""

import io
import os
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from nap_core import datasets
from nap_core.datasets.images import ArrayImages
from nap_core.errors import UserError
from nap_core.extraction import forward_pass
from nap_core.extraction.forward_pass import AHEAD, PIECE, ForwardPass, blocks
from nap_core.models import Transform

TRANSFORM = Transform(8, 6, (0.5,) * 3, (0.25,) * 3)


class Pictures(ArrayImages):
    """Random pictures that note which of them were asked for, and may ``do`` something first."""

    def image(self, index: int) -> Image.Image:
        self.asked.append(index)
        self.do(index)
        return super().image(index)


def pictures(count: int, do=lambda _index: None) -> Pictures:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 12, 9, 3), dtype=np.uint8)
    found = Pictures("pictures", "Pictures", (), np.full(count, -1), pixels, np.arange(count))
    found.__dict__.update(asked=[], do=do)
    return found


def views_of(dataset, first: int, last: int) -> np.ndarray:
    return np.stack([TRANSFORM.view(dataset.image(index)) for index in range(first, last)])


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize(("first", "last", "size"), [(0, 1, 4), (0, 50, 16), (3, 50, PIECE), (5, 41, 1), (0, 50, 999)])
def test_every_image_comes_once_in_order_bit_by_bit(threads, first, last, size, monkeypatch) -> None:
    monkeypatch.setattr(forward_pass, "threads", lambda: threads)
    dataset = pictures(50, do=lambda index: time.sleep(0.002 * (index % 3)))
    found = list(blocks(dataset, TRANSFORM, first, last, size))
    assert [start for start, _ in found] == list(range(first, last, size))
    assert all(len(block) == size for _, block in found[:-1])
    np.testing.assert_array_equal(torch.cat([block for _, block in found]), views_of(pictures(50), first, last))


def test_photographs_are_those_of_a_single_thread(tmp_path, monkeypatch) -> None:
    """JPEGs larger than the network's input, where a draft mode would show."""
    draw = np.random.default_rng(1)
    for index in range(24):
        small = Image.fromarray(draw.integers(0, 256, (15, 20, 3), dtype=np.uint8))
        file = io.BytesIO()
        small.resize((500, 375), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        (tmp_path / f"{index:02d}.jpg").write_bytes(file.getvalue())
    dataset, transform = datasets.from_folder(tmp_path), Transform(64, 56, (0.5,) * 3, (0.25,) * 3, "bicubic")
    monkeypatch.setattr(forward_pass, "threads", lambda: 4)
    ((_, found),) = blocks(dataset, transform, 0, 24, 24)
    np.testing.assert_array_equal(found, np.stack([transform.view(dataset.image(index)) for index in range(24)]))


def test_several_images_are_decoded_at_a_time(monkeypatch) -> None:
    monkeypatch.setattr(forward_pass, "threads", lambda: 3)
    meet = threading.Barrier(3)
    dataset = pictures(3 * PIECE, do=lambda index: index % PIECE == 0 and meet.wait(60))
    ((_, block),) = blocks(dataset, TRANSFORM, 0, 3 * PIECE, 3 * PIECE)
    assert len(block) == 3 * PIECE


def test_no_more_is_decoded_ahead_than_there_are_blocks_for(monkeypatch) -> None:
    monkeypatch.setattr(forward_pass, "threads", lambda: 4)
    dataset = pictures(100)
    feed = blocks(dataset, TRANSFORM, 0, 100, 10)
    for used in range(1, 4):
        next(feed)
        until = time.monotonic() + 10
        while len(dataset.asked) < 10 * (used + AHEAD) and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(0.05)  # long enough for a thread to take what it must not
        assert sorted(dataset.asked) == list(range(10 * (used + AHEAD)))
    feed.close()


@pytest.mark.parametrize("threads", [1, 4])
def test_the_first_image_that_cannot_be_read_is_named(threads, monkeypatch) -> None:
    """Although a later one of the same block is found first; the blocks before it come."""

    def fail(index: int) -> None:
        if index in (PIECE + 2, 3 * PIECE):
            time.sleep(0.2 if index == PIECE + 2 else 0)
            raise UserError(f"picture {index} is gone")

    monkeypatch.setattr(forward_pass, "threads", lambda: threads)
    feed = blocks(pictures(100, do=fail), TRANSFORM, 0, 100, PIECE)
    assert next(feed)[0] == 0
    with pytest.raises(UserError, match=f"^picture {PIECE + 2} is gone$"):
        next(feed)
    feed = blocks(pictures(100, do=fail), TRANSFORM, 0, 100, 50)
    with pytest.raises(UserError, match=f"^picture {PIECE + 2} is gone$"):
        next(feed)


def test_who_stops_listening_waits_for_no_more_than_is_under_way(monkeypatch) -> None:
    monkeypatch.setattr(forward_pass, "threads", lambda: 2)
    hold = threading.Event()
    dataset = pictures(1000, do=lambda index: index >= 100 and hold.wait(60))
    feed = blocks(dataset, TRANSFORM, 0, 1000, 100)
    next(feed)
    threading.Timer(0.1, hold.set).start()
    feed.close()
    asked = len(dataset.asked)
    assert asked <= 100 + 2 * PIECE * 2  # what either thread had in hand, and had taken before it was told
    time.sleep(0.05)
    assert len(dataset.asked) == asked
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decoder")]


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (6, 6), (128, forward_pass.MAXIMUM_THREADS)])
def test_a_thread_a_core(cores, expected, monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(cores)), raising=False)
    assert forward_pass.threads() == expected


@pytest.mark.parametrize(("device", "pinned"), [("cuda", True), ("cpu", False), ("mps", False)])
def test_memory_is_pinned_for_nvidias_cards(device, pinned, monkeypatch) -> None:
    asked = []

    def record(*_arguments, pinned: bool):
        asked.append(pinned)
        return iter(())

    monkeypatch.setattr(forward_pass, "blocks", record)
    model = type("Model", (), {"transform": TRANSFORM, "map_shape": (8, 4, 4)})()
    assert list(ForwardPass(model, torch.device(device), None, False).batches(pictures(4), 0, 4)) == []
    assert asked == [pinned]
