"""The app in a real browser: one server and one Chromium for the run, a fresh and closely watched page for each test.

The browser is the Chromium that is on the machine; nothing is ever downloaded. Where there is none, these tests are
left out with one line that says how to get it, and with CI=true that is an error.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
HOST = "127.0.0.1"
PATIENCE = 30_000  # ms that a step may take on a busy machine of two cores

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
CHROMIUM_PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",  # root in a container has none to give
    "--disable-gpu",
    "--use-angle=swiftshader",  # WebGL in software, for Plotly's scattergl
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}",  # whatever a page asks for, nothing leaves the machine
)
HOW_TO_GET_CHROMIUM = (
    "no Chromium was found. Debian: apt install chromium; macOS: brew install --cask chromium; "
    "or name one: NAP_CHROMIUM=/path/to/chromium"
)

# On a deep link Streamlit first asks whether the server lives below that path, and Chromium logs the answer "no".
BASE_PATH_PROBE = re.compile(r"/[^/]+/_stcore/(health|host-config)$")

# Streamlit's state of the script and of the connection, and nothing on the screen still waiting for its content,
# for a quarter of a second without a break: a click's rerun has been asked for by then.
IS_SETTLED = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    const settled = app !== null
        && app.dataset.testScriptState === 'notRunning'
        && app.dataset.testConnectionState === 'CONNECTED'
        && !app.querySelector('[data-testid="stAppSkeleton"], [data-testid="stSkeleton"], [data-stale="true"]');
    if (!settled) { window.napSettledSince = undefined; return false; }
    window.napSettledSince ??= performance.now();
    return performance.now() - window.napSettledSince > 250;
}"""

# What shows that the app follows the system's colour scheme.
BACKGROUND = """() => getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor"""

_left_out = pytest.StashKey[int]()
_server_log = pytest.StashKey[Path]()


@dataclass(frozen=True)
class Look:
    """How a visitor opens the app: screen in CSS pixels and the system's colour scheme."""

    device: str
    width: int
    height: int
    scheme: str

    @property
    def name(self) -> str:
        return f"{self.device}-{self.scheme}"


# What a page is opened in; each is then changed to the other colour scheme, as a system does at nightfall.
LOOKS = (Look("desktop", 1440, 900, "light"), Look("phone", 390, 844, "dark"))


def find_chromium() -> str | None:
    """The browser to drive: the one NAP_CHROMIUM names, else the first of the usual ones; None where there is none."""
    if named := os.environ.get("NAP_CHROMIUM"):
        if shutil.which(named) is None:
            raise pytest.UsageError(f"NAP_CHROMIUM is {named!r}, and there is no such program.")
        return named
    found = (shutil.which(name) for name in (*CHROMIUM_NAMES, *CHROMIUM_PLACES))
    return next((path for path in found if path), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if HERE in item.path.parents]
    items.sort(key=lambda item: HERE in item.path.parents)  # last: whatever is quicker to fail comes first
    for item in ours:
        item.add_marker("e2e")
    if not ours or find_chromium():
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"The browser tests cannot run: {HOW_TO_GET_CHROMIUM}.")
    config.stash[_left_out] = len(ours)
    for item in ours:
        item.add_marker(pytest.mark.skip(reason="no Chromium"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if count := config.stash.get(_left_out, 0):
        terminalreporter.write_line(f"Browser tests left out: {count}, because {HOW_TO_GET_CHROMIUM}.", yellow=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "look" in metafunc.fixturenames and metafunc.definition.get_closest_marker("every_look"):
        metafunc.parametrize("look", LOOKS, ids=[look.name for look in LOOKS], indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the server said beside a failure, and keep a picture of the screen where one was asked for."""
    report = yield
    log = item.config.stash.get(_server_log, None)
    if report.failed and log is not None and HERE in item.path.parents:
        report.sections.append(("server log", log.read_text(encoding="utf-8")[-4000:]))
        keep = getattr(item, "funcargs", {}).get("screenshot")
        if keep is not None and call.when == "call":
            with suppress(Error):  # the page itself may be what failed
                keep("failed-" + re.sub(r"\W+", "-", item.name))
    return report


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = find_chromium()
    assert path is not None, HOW_TO_GET_CHROMIUM
    return path


@contextmanager
def serve(root: Path) -> Iterator[tuple[str, Path]]:
    """Run the app with its store and the user's folders, all empty, under ``root``; its address and its log."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    folders = {f"XDG_{kind}_HOME": str(root / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    own = {"NAP_STORE": "store", "NAP_DATA_ROOTS": "images", "NAP_MODELS_FOLDER": "models"}
    environment = os.environ | folders | {name: str(root / folder) for name, folder in own.items()}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    url, log = f"http://{HOST}:{port}", root / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _await_server(url, server, log)
        yield url, log
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await_server(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"The app did not start within {seconds:.0f} s:\n{log.read_text(encoding='utf-8')}", pytrace=False)


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[str]:
    """The address of the app that all tests share, without a slash at the end."""
    with serve(tmp_path_factory.mktemp("app")) as (url, log):
        pytestconfig.stash[_server_log] = log
        yield url


@pytest.fixture
def new_app_url(tmp_path: Path) -> Iterator[str]:
    """The address of an app that nobody has opened yet, for what happens on the very first visit."""
    with serve(tmp_path) as (url, _):
        yield url


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Look:
    """A light desktop; with the marker ``every_look``, a light desktop and a dark phone in turn."""
    return getattr(request, "param", LOOKS[0])


@pytest.fixture
def page(browser: Browser, app_url: str, look: Look, pytestconfig: pytest.Config) -> Iterator[Page]:
    """An empty tab of a visitor who has never been here.

    At the end the test fails if the console showed an error, if anything was asked of another host, or if the script
    raised an exception.
    """
    phone = look.device == "phone"
    context = browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme=look.scheme,
        is_mobile=phone,
        has_touch=phone,
    )
    context.set_default_timeout(PATIENCE)
    log = pytestconfig.stash[_server_log]
    logged_before = log.stat().st_size
    complaints: list[str] = []
    _listen(context, complaints)
    yield context.new_page()
    context.close()
    with log.open("rb") as lines:
        lines.seek(logged_before)
        complaints.extend(line.decode() for line in lines if b"Uncaught app execution" in line)
    assert not complaints, "the page complained:\n" + "\n".join(complaints)


def _listen(context: BrowserContext, complaints: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        source = message.location["url"]
        if message.type == "error" and not ("404" in message.text and BASE_PATH_PROBE.search(source)):
            complaints.append(f"console: {message.text} ({source})")

    def on_address(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != HOST:
            complaints.append(f"asked another host: {address}")

    context.on("console", on_console)
    context.on("weberror", lambda thrown: complaints.append(f"uncaught: {thrown.error}"))
    context.on("request", lambda request: on_address(request.url))
    context.on("page", lambda page: page.on("websocket", lambda connection: on_address(connection.url)))


@pytest.fixture
def settle(page: Page) -> Callable[..., None]:
    """``settle(seconds=60)`` waits until Streamlit has drawn everything that the last action led to."""

    def settle(seconds: float = 60) -> None:
        page.evaluate("() => { window.napSettledSince = undefined }")
        page.wait_for_function(IS_SETTLED, polling=50, timeout=1000 * seconds)

    return settle


@pytest.fixture
def visit(page: Page, app_url: str, settle: Callable[..., None]) -> Callable[..., Page]:
    """``visit("/max_vs_mean?n=200")`` opens that address of the app, waits until it is drawn and returns the page."""

    def visit(path: str = "/") -> Page:
        page.goto(app_url + path)
        settle()
        return page

    return visit


@pytest.fixture
def schemes(page: Page, look: Look, settle: Callable[..., None]) -> Callable[[], Iterator[str]]:
    """``for scheme in schemes()``: the page as it was opened, then the same page after a change of colour scheme."""

    def schemes() -> Iterator[str]:
        yield look.scheme
        other = "dark" if look.scheme == "light" else "light"
        before = page.evaluate(BACKGROUND)
        page.emulate_media(color_scheme=other)
        page.wait_for_function(f"before => ({BACKGROUND})() !== before", arg=before)
        settle()
        yield other

    return schemes


@pytest.fixture
def screenshot(page: Page, look: Look) -> Callable[..., None]:
    """``screenshot("home")`` writes home-desktop-light.png into the folder NAP_SCREENSHOTS names, if it names one.

    With ``whole=True`` the picture is as tall as the page's content, which scrolls inside Streamlit's own frame.
    """

    def screenshot(name: str, *, whole: bool = False) -> None:
        folder = os.environ.get("NAP_SCREENSHOTS")
        if not folder:
            return
        if whole:
            height = page.evaluate("() => document.querySelector('[data-testid=\"stMain\"]').scrollHeight")
            page.set_viewport_size({"width": look.width, "height": max(look.height, height)})
            page.wait_for_timeout(500)  # figures are drawn anew
        dark = page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
        page.screenshot(path=Path(folder) / f"{name}-{look.device}-{'dark' if dark else 'light'}.png")
        if whole:
            page.set_viewport_size({"width": look.width, "height": look.height})

    return screenshot
