"""What a visitor does, in a real browser: from the first start over every page to a link sent to a colleague."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from nap_core.analysis import evaluation
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, default_study, run

SMALL = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 50)
LINK = "model=resnet20-cifar10&id=cifar10&ood=mnist,uniform-noise&n=50"
PAGES = {
    "": "Is this image like what the network was trained on?",
    "activation_maps": "Which channels light up?",
    "max_vs_mean": "Does the peak stand above the mean?",
    "channels": "Which channels tell them apart?",
    "layers": "At which depth does the peak appear?",
    "score_histograms": "How far apart are the scores?",
    "w_sensitivity": "How much should NAP weigh?",
    "score_designs": "Which score reads the peak best?",
    "score_image": "Has the network seen this?",
    "compare_methods": "Which method sees what?",
    "near_and_far": "How far away must an image be?",
    "sensitivity": "How sensitive are the numbers?",
    "published": "Do our numbers agree with the paper's?",
    "reproduce": "Does the paper hold on my study?",
}

WITHOUT_FIGURE = ("reproduce",)  # until one of its tables is opened and run

# The words of a figure that its tool bar would cover where it is shown.
COVERED = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap((figure) => {
    const bar = figure.querySelector('.modebar')?.getBoundingClientRect();
    if (!bar?.width) return [];
    const words = [...figure.querySelectorAll('text')].filter((text) => {
        const box = text.getBoundingClientRect();
        const across = box.left < bar.right && box.right > bar.left;
        const down = box.top < bar.bottom && box.bottom > bar.top;
        return box.width && across && down;
    });
    return words.map((text) => text.textContent);
})"""

Visit = Callable[..., Page]
Settle = Callable[..., None]


@pytest.fixture(scope="module")
def small() -> EvaluationData:
    """The small study as nap_core gives it, without the app."""
    return run(SMALL, Store())


def run_the_study(page: Page, settle: Settle) -> None:
    """Press the run button of the page when the study is not in the store yet, and wait for the result."""
    button = page.locator(".st-key-run-main button")
    if button.count():
        button.click()
        expect(page.get_by_text("In the store: opens at once")).to_be_attached(timeout=120_000)
        settle()
    layers = page.locator(".st-key-run-layers button")
    if layers.count():
        layers.click()
        expect(page.locator(figure("layers-depth"))).to_be_visible(timeout=120_000)
        settle()


def figure(key: str) -> str:
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
    expect(page.locator(figure("pair"))).to_be_visible()
    expect(page.locator(figure("pair"))).to_contain_text("has a peak.")
    button = page.get_by_role("button", name=re.compile("Run the default study"))
    expect(button).to_be_visible()
    button.click()
    expect(page.locator(figure("study-scores"))).to_be_visible(timeout=120_000)
    assert f"n={default_study().images}" in page.url


@pytest.mark.every_look
@pytest.mark.parametrize("path", PAGES)
def test_every_page_draws_in_every_look(
    visit: Visit,
    settle: Settle,
    page: Page,
    schemes: Callable[[], Iterator[str]],
    screenshot: Callable[..., None],
    path: str,
) -> None:
    visit(f"/{path}?{LINK}")
    run_the_study(page, settle)
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[path])
    if path not in WITHOUT_FIGURE:
        expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=60_000)
    settle()
    for scheme in schemes():
        # The page never scrolls sideways as a whole, however narrow the screen is.
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), scheme
        assert page.evaluate(COVERED) == [], scheme
        if path not in WITHOUT_FIGURE:
            expect(page.locator(".js-plotly-plot").first).to_be_visible()
        screenshot(path or "home", whole=True)


@pytest.fixture
def open_page(visit: Visit, settle: Settle, page: Page) -> Callable[[str], Page]:
    """``open_page("w_sensitivity")`` opens a page of the small study, with its results."""

    def open_page(path: str) -> Page:
        visit(f"/{path}?{LINK}")
        run_the_study(page, settle)
        return page

    return open_page


OpenPage = Callable[[str], Page]


def test_a_figure_saves_as_png_svg_and_csv_and_its_numbers_are_nap_cores(
    open_page: OpenPage, settle: Settle, small: EvaluationData
) -> None:
    page = open_page("compare_methods")
    picture = Image.open(io.BytesIO(saved(page, "compare-table", "PNG")))
    assert picture.format == "PNG"
    assert min(picture.size) > 200
    drawing = saved(page, "compare-table", "SVG")
    assert drawing.lstrip().startswith(b"<svg")
    assert b"Uniform" in drawing
    said = {(row["method"], row["ood"]): float(row["fpr95"]) for row in csv_rows(saved(page, "compare-table", "CSV"))}
    table = evaluation.evaluate(small)
    measured = {(row.method, row.ood): row.fpr95 for row in table.itertuples()}
    assert {cell: said[cell] for cell in measured} == pytest.approx(measured, abs=1e-9)


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_a_table_of_the_paper_is_run_on_the_study(open_page: OpenPage, settle: Settle) -> None:
    page = open_page("reproduce")
    page.locator(".st-key-entry-table-6 summary").first.click()
    settle()
    expect(page).to_have_url(re.compile("item=table-6"))
    page.get_by_role("button", name="Reproduce on my study").click()
    expect(page.locator(figure("reproduced-table-6"))).to_be_visible(timeout=120_000)
    settle()
    expect(page.locator(".st-key-entry-table-6 summary").first).to_contain_text(re.compile(r"hold.*\d of 14"))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator(".st-key-entry-figure-3 summary").click()
    settle()
    expect(page.locator(figure("reproduced-table-6"))).to_have_count(0)


def test_moving_w_moves_the_numbers(open_page: OpenPage, settle: Settle, small: EvaluationData) -> None:
    page = open_page("w_sensitivity")
    curve = evaluation.weight_curve(small, "nap+energy")
    slider = page.get_by_role("slider", name=re.compile("the weight of Energy"))
    for w, step in ((0.45, 1), (0.4, -1)):
        slider.press("ArrowRight" if step > 0 else "ArrowLeft")
        settle()
        share = float(curve.average("fpr95")[list(curve.w).index(w)])
        reading = page.locator(".st-key-picture-w-fpr95")
        expect(reading).to_contain_text(f"{100 * share:.1f} % at w = {w:g}")


def test_shifted_images_complete_near_and_far(open_page: OpenPage, settle: Settle) -> None:
    page = open_page("near_and_far")
    overview = page.locator(figure("far-overview"))
    expect(overview).to_contain_text("far-OOD")
    expect(overview).not_to_contain_text("covariate shift")
    page.locator(".st-key-run-shift button").click()
    expect(page.locator(figure("far-cells"))).to_be_visible(timeout=180_000)
    settle()
    expect(overview).to_contain_text("covariate shift")
    expect(page.locator(".st-key-picture-far-overview")).to_contain_text("at severity 5")


def test_the_cost_of_nap_is_measured(open_page: OpenPage, settle: Settle) -> None:
    page = open_page("sensitivity")
    page.locator(".st-key-sensitivity").get_by_text("Cost", exact=True).click()
    settle()
    page.locator(".st-key-run-cost button").click()
    expect(page.locator(".st-key-picture-sensitivity-cost")).to_contain_text("NAP adds", timeout=120_000)
    assert "sensitivity=Cost" in page.url


def test_a_written_score_is_drawn_shared_and_answered(open_page: OpenPage, settle: Settle) -> None:
    page = open_page("score_designs")
    field = page.get_by_label("Of every channel")
    page.get_by_text("Log of the peak", exact=True).click()
    settle()
    expect(field).to_have_value("log(eps + max)")
    field.fill("max / (mean - mean)")
    field.press("Enter")
    settle()
    expect(page.get_by_text("divides by zero in channel 0 of image 1")).to_be_visible()
    field.fill("max / (mean + 0.5)")
    field.press("Enter")
    settle()
    expect(page.locator(figure("expression-histograms"))).to_be_visible()
    assert "expression=max" in page.url
    page.get_by_role("button", name="Train the oracle").click()
    expect(page.locator(figure("oracle"))).to_contain_text("Spearman", timeout=60_000)


def test_a_box_around_points_shows_their_images(open_page: OpenPage, settle: Settle) -> None:
    page = open_page("max_vs_mean")
    drawn = page.locator(figure("scatter"))
    drawn.scroll_into_view_if_needed()
    drawn.hover()
    page.locator(f'{figure("scatter")} .modebar-btn[data-title="Box Select"]').click()
    area = page.locator(f'{figure("scatter")} .nsewdrag[data-subplot="xy"]').bounding_box()
    page.mouse.move(area["x"] + 5, area["y"] + 5)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] - 5, area["y"] + area["height"] - 5, steps=8)
    page.mouse.up()
    settle()
    gallery = page.get_by_role("group", name=re.compile("Images with selected points"))
    expect(gallery.get_by_role("button")).to_have_count(24)
    expect(gallery).to_contain_text("CIFAR-10")


def test_a_bar_shows_the_images_in_it(open_page: OpenPage, settle: Settle) -> None:
    page = open_page("score_histograms")
    page.locator(figure("histograms")).scroll_into_view_if_needed()
    bars = page.locator(f"{figure('histograms')} .bars path").all()
    tallest = max(bars, key=lambda bar: (bar.bounding_box() or {"height": 0})["height"])
    box = tallest.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3)
    settle()
    expect(page.get_by_role("group").filter(has=page.locator("img")).first).to_be_visible()


def test_good_and_bad_files_are_answered_each(open_page: OpenPage, settle: Settle, tmp_path: Path) -> None:
    page = open_page("score_image")
    good, text, empty, cut = (tmp_path / name for name in ("leaf.jpg", "notes.png", "empty.png", "cut.jpg"))
    Image.effect_noise((300, 200), 60).convert("RGB").save(good)
    text.write_text("this is no image")
    empty.write_bytes(b"")
    cut.write_bytes(good.read_bytes()[:900])
    page.locator('input[type="file"]').first.set_input_files([good, text, empty, cut])
    settle()
    for name in ("notes.png", "empty.png", "cut.jpg"):
        expect(page.get_by_role("alert").filter(has_text=name)).to_be_visible()
    expect(page.locator(".st-key-score-image-verdict")).to_contain_text("NAP")
    expect(page.locator(figure("score-image-standing"))).to_be_visible()


def test_a_tile_lays_its_channel_over_the_images(open_page: OpenPage, settle: Settle) -> None:
    page = open_page("activation_maps")
    tile = page.get_by_role("button", name=re.compile(r"^[Cc]hannel \d+")).nth(3)
    number = re.search(r"\d+", tile.get_attribute("aria-label") or tile.inner_text())[0]
    tile.click()
    settle()
    expect(page.get_by_role("heading", name=f"Channel {number}", exact=True)).to_be_visible()
    assert f"channel={number}" in page.url


def test_a_point_opens_its_channel_and_other_pages_lead_back(open_page: OpenPage, settle: Settle) -> None:
    page = open_page("channels")
    points = page.locator(f"{figure('channels-ranked')} .scatterlayer .trace").first.locator("path.point")
    expect(points).to_have_count(64)
    box = points.nth(3).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    heading = page.get_by_role("heading", name=re.compile(r"Channel \d+: rank 4 of 64"))
    expect(heading).to_be_visible()
    number = re.search(r"\d+", heading.inner_text())[0]
    settle()
    assert f"channel={number}" in page.url
    page.get_by_role("button", name="See its points").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES["max_vs_mean"])
    settle()
    page.get_by_role("button", name="Its page").click()
    expect(page.get_by_role("heading", name=f"Channel {number}: rank 4 of 64")).to_be_visible()


def test_a_shared_link_opens_the_same_study_and_setting(open_page: OpenPage, settle: Settle, visit: Visit) -> None:
    page = open_page("w_sensitivity")
    page.get_by_role("slider", name=re.compile("the weight of Energy")).press("ArrowRight")
    settle()
    address = page.url
    page.context.clear_cookies()
    page.goto(address)
    settle()
    expect(page.locator(".st-key-picture-w-fpr95")).to_contain_text("at w = 0.45")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_contain_text("Uniform noise")
    expect(sidebar).not_to_contain_text("Fashion-MNIST")


def test_a_link_to_a_page_works_as_the_first_request_of_a_server(new_app_url: str, page: Page) -> None:
    page.goto(f"{new_app_url}/w_sensitivity?{LINK}")
    expect(page.get_by_text("The study", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES["w_sensitivity"])
    expect(page.get_by_role("link", name="Score histograms")).to_be_visible()


def test_methods_are_added_run_and_taken_away_in_a_report(
    open_page: OpenPage, settle: Settle, page: Page, browser: Browser, tmp_path: Path
) -> None:
    open_page("compare_methods")
    page.get_by_role("button", name="Add methods").click()
    dialog = page.get_by_role("dialog")
    for name in ("KNN", "ODIN"):
        dialog.get_by_label("Find").fill(name)
        dialog.get_by_label("Find").press("Enter")
        settle()
        # On a busy machine the list may be drawn anew under the click, which is then lost: a person clicks again.
        box = dialog.locator(f".st-key-catalogue-{name.lower()} input")
        for _ in range(3):
            if not box.is_checked():
                dialog.locator(f".st-key-catalogue-{name.lower()} label").click()
                settle()
        expect(box).to_be_checked()
    dialog.get_by_role("button", name="Use these 7 methods").click()
    expect(dialog).to_be_hidden()
    page.locator(".st-key-run-methods button").click()
    table = page.locator(figure("compare-table"))
    for name in ("KNN", "ODIN"):
        expect(table.get_by_text(name, exact=True)).to_be_visible(timeout=180_000)
    settle()
    assert "methods=nap%2Cmsp%2Cenergy%2Cnap%2Bmsp%2Cnap%2Benergy%2Cknn%2Codin" in page.url
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("HTML")).click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    complaints: list[str] = []
    for scheme in ("light", "dark"):
        alone = browser.new_context(offline=True, color_scheme=scheme)
        opened = alone.new_page()
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: complaints.extend([request.url] * request.url.startswith("http")))
        opened.goto(report.as_uri())
        expect(opened.locator(".js-plotly-plot .main-svg").first).to_be_visible()
        expect(opened.get_by_role("rowheader", name="ODIN").first).to_be_visible()
        alone.close()
    assert complaints == []


def test_a_study_that_was_stopped_goes_on_from_there(new_app_url: str, page: Page) -> None:
    study = replace(default_study(), images=300)
    page.goto(f"{new_app_url}/?{urlencode(study.to_query())}")
    page.get_by_role("button", name="Run the study").click(timeout=60_000)
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text(re.compile(r"\d images/s · about"))).to_be_visible()
    sidebar.get_by_role("button", name="Stop").click()
    go_on = sidebar.get_by_role("button", name=re.compile("Go on"))
    expect(go_on).to_be_visible()
    left = int(re.sub(r"\D", "", go_on.inner_text()))
    assert 0 < left < study.images * len(study.datasets)
    go_on.click()
    expect(sidebar.get_by_text("In the store: opens at once")).to_be_visible(timeout=240_000)
    expect(page.locator(figure("study-scores"))).to_be_visible()
