"""What every page test needs: a way to open a page, and nothing that the app kept for an earlier test."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest, local_script_runner

from nap_core.studies.study import Study

ROOT = Path(__file__).resolve().parents[2]

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="session", autouse=True)
def _packages_are_scanned_once() -> Iterator[None]:
    """Every AppTest scans all installed packages for components: half of the time that a page takes to open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session", autouse=True)
def _runs_are_waited_for_asleep() -> Iterator[None]:
    """AppTest asks every millisecond whether a run has ended, and goes through all of the run's events to see it."""
    ask = local_script_runner.require_widgets_deltas

    def wait(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
        runner._script_thread.join(timeout)
        ask(runner, 1)  # raises where the run goes on

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_script_runner, "require_widgets_deltas", wait)
        yield


@pytest.fixture(autouse=True)
def _fresh_server_caches() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def open_page() -> OpenPage:
    """``open_page("w_sensitivity", STUDY, w_msp="0.75")``: a page by a link to a study and to what else it says.

    Each opening is a visitor of a fresh server. Without a study the link says nothing of it.
    """

    def open_page(name: str, study: Study | None = None, **address: str) -> AppTest:
        st.cache_resource.clear()
        st.cache_data.clear()
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
        for parameter, value in ((study.to_query() if study else {}) | address).items():
            app.query_params[parameter] = value
        app.switch_page(f"pages/{name}.py").run()
        assert not app.exception
        return app

    return open_page
