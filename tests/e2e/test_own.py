"""A visitor's own checkpoint and images, from upload to verdict."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect
from torchvision.models import resnet18

CLASSES = tuple(f"bird {index}" for index in range(10))
EACH = 2


def jpeg(rng: np.random.Generator, side: int = 48) -> bytes:
    """A small picture: noise of a few large blocks."""
    blocks = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    blocks.resize((side, side), Image.Resampling.BICUBIC).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def brought(tmp_path: Path) -> dict[str, Path]:
    """The files that a visitor brings: a checkpoint, its class names, two archives of images, one image."""
    torch.manual_seed(0)
    paths = {name: tmp_path / name for name in ("birds.pth", "classes.txt", "garden.zip", "cellar.zip", "asked.jpg")}
    torch.save(resnet18(num_classes=10).state_dict(), paths["birds.pth"])
    paths["classes.txt"].write_text("\n".join(CLASSES), encoding="utf-8")
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(paths["garden.zip"], "w") as archive:
        for name in CLASSES:
            for index in range(EACH):
                archive.writestr(f"garden/{name}/{index}.jpg", jpeg(rng))
        archive.writestr(f"garden/{CLASSES[0]}/broken.jpg", b"this is no picture")
    with zipfile.ZipFile(paths["cellar.zip"], "w") as archive:
        for index in range(8):
            archive.writestr(f"{index}.jpg", jpeg(rng))
    paths["asked.jpg"].write_bytes(jpeg(rng))
    return paths


def pick(page: Page, label: str, option: str, settle: Callable[..., None]) -> None:
    """Choose in a select box of the dialog."""
    box = page.get_by_role("dialog").get_by_role("combobox", name=re.compile(label))
    box.fill(option)
    box.press("Enter")
    settle()


def test_from_upload_to_verdict(
    visit: Callable[..., Page],
    settle: Callable[..., None],
    screenshot: Callable[..., None],
    brought: dict[str, Path],
) -> None:
    page = visit("/")
    page.get_by_role("button", name="Change the study").click()
    dialog = page.get_by_role("dialog")

    dialog.get_by_text("Your own images").click()
    for name, said in (("garden", "21 images in 10 classes"), ("cellar", "8 images")):
        dialog.locator('[class*="st-key-own-images-zip"] input').set_input_files(brought[f"{name}.zip"])
        settle()
        dialog.get_by_role("button", name="Add these images").click()
        expect(dialog.get_by_text(f"{name}: {said}")).to_be_visible()
        settle()
    screenshot("own-images")
    dialog.get_by_text("Your own images").click()
    dialog.get_by_text("Your own models").click()
    dialog.locator(".st-key-own-model-file input").set_input_files(brought["birds.pth"])
    expect(dialog.get_by_text("birds.pth")).to_be_visible()
    # Named at once, it is still on its way: the button opens when it has arrived, before the next file is sent.
    expect(dialog.get_by_role("button", name="Add this model")).to_be_enabled(timeout=60_000)
    dialog.locator(".st-key-own-model-classes input").set_input_files(brought["classes.txt"])
    settle()
    dialog.get_by_label("Name", exact=True).fill("Birds")
    dialog.get_by_label("Trained on", exact=True).fill("ten birds")
    dialog.get_by_label("Trained on", exact=True).press("Enter")
    settle()
    screenshot("own-model")
    dialog.get_by_role("button", name="Add this model").click()
    expect(dialog.get_by_text("Birds is picked above: a resnet18 with 10 classes.")).to_be_visible()
    settle()

    pick(page, "ID dataset", "garden", settle)
    dialog.get_by_role("button", name="Clear all").click()
    settle()
    pick(page, "OOD datasets", "cellar", settle)
    page.keyboard.press("Tab")
    screenshot("own-study")
    dialog.get_by_role("button", name="Use and run this study").click()
    expect(page.get_by_text("In the store: opens at once")).to_be_attached(timeout=120_000)
    settle()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_contain_text("ID: garden")
    expect(sidebar).to_contain_text("garden: 1 of 21 files could not be read and were left out")
    query = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    assert re.fullmatch(r"own:Birds-[0-9a-f]{6}", query["model"])
    assert query["id"] == "own:garden"
    assert query["ood"] == "own:cellar"

    address = urlsplit(page.url).query
    page = visit(f"/score_histograms?{address}")
    expect(page.locator(".st-key-histograms .js-plotly-plot")).to_be_visible(timeout=60_000)
    screenshot("own-histograms")

    page = visit(f"/score_image?{address}")
    page.locator('input[type="file"]').first.set_input_files(brought["asked.jpg"])
    settle()
    verdict = page.locator(".st-key-score-image-verdict")
    expect(verdict).to_contain_text("NAP")
    expect(page.get_by_text(re.compile(r"Birds predicts bird \d"))).to_be_visible()
    screenshot("own-verdict")
