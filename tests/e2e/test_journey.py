"""What a visitor does, in a real browser: from the first start over every page to a link sent to a colleague."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from nap_core import evaluation
from nap_core.store import Store
from nap_core.study import Study, StudyActivations, default_study, run

SMALL = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 50)
LINK = "model=resnet20-cifar10&id=cifar10&ood=mnist,uniform-noise&n=50"
PAGES = {
    "": "See whether a network has met an image like this before",
    "activation_maps": "Which channels light up?",
    "max_vs_mean": "Does the peak stand above the mean?",
    "score_histograms": "How far apart are the scores?",
    "w_sensitivity": "How much should NAP weigh?",
    "score_image": "Has the network seen this?",
    "compare_methods": "Which method sees what?",
}

Visit = Callable[..., Page]
Settle = Callable[..., None]


@pytest.fixture(scope="module")
def small() -> StudyActivations:
    """The small study as nap_core gives it, without the app."""
    return run(SMALL, Store())


def run_the_study(page: Page, settle: Settle) -> None:
    """Press the run button of the page when the study is not in the store yet, and wait for the result."""
    button = page.locator(".st-key-run-main button")
    if button.count():
        button.click()
        expect(page.get_by_text("In the store: opens at once")).to_be_attached(timeout=120_000)
        settle()


def figure(page: Page, key: str) -> str:
    return f".st-key-{key} .js-plotly-plot"


def saved(page: Page, key: str, kind: str) -> bytes:
    """What the save menu of a figure gives."""
    page.locator(f".st-key-picture-{key}").get_by_role("button", name="Save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=kind, exact=True).click()
    page.keyboard.press("Escape")
    return Path(download.value.path()).read_bytes()


def test_the_first_start_leads_to_a_result(visit: Visit, settle: Settle, page: Page) -> None:
    visit("/")
    expect(page.locator(figure(page, "pair"))).to_be_visible()
    expect(page.get_by_text("Same average. Only one has a peak.").first).to_be_visible()
    button = page.get_by_role("button", name=re.compile("Run the default study"))
    expect(button).to_be_visible()
    button.click()
    expect(page.locator(figure(page, "study-scores"))).to_be_visible(timeout=120_000)
    assert default_study().to_query()["n"] == "500"
    assert "n=500" in page.url


@pytest.mark.every_look
@pytest.mark.parametrize("path", PAGES)
def test_every_page_draws_in_every_look(
    visit: Visit, settle: Settle, page: Page, screenshot: Callable[..., None], path: str
) -> None:
    visit(f"/{path}?{LINK}")
    run_the_study(page, settle)
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[path])
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=60_000)
    settle()
    # The page never scrolls sideways as a whole, however narrow the screen is.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    screenshot(path or "home", whole=True)


def test_a_link_to_a_page_works_as_the_first_request_of_a_server(new_app_url: str, page: Page) -> None:
    page.goto(f"{new_app_url}/w_sensitivity?{LINK}")
    expect(page.get_by_text("The study", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES["w_sensitivity"])
    expect(page.get_by_role("link", name="Score histograms")).to_be_visible()
