#!/usr/bin/env python3
"""Make what the README shows, the default study's table and the screenshots, and docs/{methods,models,datasets}.md.

    python assets/build/build_docs.py [--table-only]

The table is written between the two marker lines of README.md; tests/test_readme.py checks that it is still what the
code gives. The screenshots need Chromium and go to docs/.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request

from browser import chromium
from documents import pairs, render, table
from repository import DOCS, ROOT, parser, write_document

from nap_core import datasets, methods
from nap_core.analysis import covariate_shift, evaluation, layers
from nap_core.cli.evaluate import scoreboard
from nap_core.cli.output import pair
from nap_core.methods import EvaluationData, combination
from nap_core.models import architectures, torchvision_zoo
from nap_core.storage.activation_store import Store
from nap_core.studies import benchmarks
from nap_core.studies.study import default_study, run

START, END = "<!-- table:default-study -->", "<!-- /table:default-study -->"
PORT = 8597
ADDRESS = f"http://127.0.0.1:{PORT}"
VIEWS = {  # file: (page, dark, the button that is pressed first, if any)
    "home": ("", False, ""),
    "activation_maps": ("activation_maps", False, ""),
    "max_vs_mean": ("max_vs_mean", False, ""),
    "channels": ("channels", False, ""),
    "layers": ("layers", True, ""),
    "score_histograms": ("score_histograms", False, ""),
    "w_sensitivity": ("w_sensitivity", True, ""),
    "score_designs": ("score_designs", False, ""),
    "near_and_far": ("near_and_far", False, ""),
    "score_image": ("score_image", False, ""),
    "compare_methods": ("compare_methods", True, ""),
    "reproduce": ("reproduce?item=figure-2", False, "Reproduce all"),
    "published": ("reproduce?tab=published", False, ""),
}


def readme_table(data: EvaluationData) -> str:
    """FPR95 / AUROC in percent for every method and OOD dataset, and NAP+Energy at each dataset's best w."""
    cells = scoreboard(evaluation.evaluate(data))[1]
    curve = evaluation.weight_curve(data, "nap+energy")
    best = curve.best("fpr95")
    fpr95, auroc = (of[:, combination.WEIGHTS.index(best)] for of in (curve.fpr95, curve.auroc))
    figures = [*pairs(fpr95, auroc), pair(fpr95.mean(), auroc.mean())]
    rows = [*cells.values(), [f"NAP+Energy (best average w = {best:g})", *figures]]
    titles = [datasets.RECORDS[name].title for name in data.ood]
    return "\n".join(table(["FPR95 ↓ / AUROC ↑ (%)", *titles, "average"], rows))


def write_table() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measured = readme_table(run(default_study(), Store(folder)))
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text().partition(START)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{START}\n{measured}\n{END}{after}")


def documents() -> dict[str, dict[str, object]]:
    """Name of a document → the fields of its template: the catalogues of methods, datasets and models."""
    read_at: dict[str, dict[str, list[str]]] = {}
    for name in architectures.names():
        architecture = architectures.find(name)
        if architecture and architecture.note:
            place = f"{architecture.hook}; last layer `{architecture.head}`"
            read_at.setdefault(architecture.note, {}).setdefault(place, []).append(f"`{name}`")
    return {
        "methods": {name: getattr(methods, name) for name in ("FAMILIES", "RECORDS", "NEED_SENTENCES", "LEFT_OUT")},
        "datasets": {
            "bundled": datasets.RECORDS.values(),
            "library": [datasets.find(name) for name in datasets.published.names()],
            "folder": datasets.published.folder(),
            "benchmarks": benchmarks.RECORDS.values(),
        },
        "models": {
            "read_at": read_at,
            "torchvision": [torchvision_zoo.record(name) for name in torchvision_zoo.names()],
        },
    }


def prepare(folder: str) -> None:
    """What the pages show, into a store of its own: in the user's own one w may have been searched."""
    study, store = default_study(), Store(folder)
    run(study, store)
    layers.run_layers(study, store, layers.suggested(study.network()))
    covariate_shift.extraction_plan(study).run(store)


def take_screenshots(folder: str) -> None:
    """Of the pages on the store in ``folder``."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={PORT}", "--server.headless=true"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"NAP_STORE": folder}, **quiet)
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{ADDRESS}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.5)
        with chromium() as browser:
            for name, (path, dark, button) in VIEWS.items():
                scheme = "dark" if dark else "light"
                page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
                page.goto(f"{ADDRESS}/{path}")
                page.wait_for_selector("h1", timeout=120_000)
                page.wait_for_selector('[data-test-script-state="notRunning"]', timeout=120_000)
                page.wait_for_timeout(5000)
                if button:
                    page.get_by_role("button", name=button).click()
                    # Streamlit's own header has a button of that name, too.
                    stop = page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True)
                    stop.wait_for(timeout=60_000)
                    stop.wait_for(state="detached", timeout=900_000)
                    page.wait_for_timeout(5000)
                page.screenshot(path=DOCS / f"{name}.png")
                page.close()
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    reader = parser(__doc__)
    reader.add_argument("--table-only", action="store_true")
    args = reader.parse_args()
    write_table()
    for name, fields in documents().items():
        write_document(name, render(name, **fields))
    if not args.table_only:
        with tempfile.TemporaryDirectory() as folder:
            prepare(folder)
            take_screenshots(folder)


if __name__ == "__main__":
    main()
