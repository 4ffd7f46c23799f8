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
from documents import pairs, table
from repository import DOCS, ROOT, parser, write_document

from nap_core import datasets, methods
from nap_core.analysis import covariate_shift, evaluation, layers
from nap_core.cli.evaluate import scoreboard
from nap_core.cli.output import pair
from nap_core.methods import EvaluationData, combination
from nap_core.models import architectures, torchvision_zoo
from nap_core.storage import byte_size
from nap_core.storage.activation_store import Store
from nap_core.storage.downloads import Download
from nap_core.studies import benchmarks
from nap_core.studies.study import default_study, run

START, END = "<!-- table:default-study -->", "<!-- /table:default-study -->"
MODELS = """\
# Models

Made from the records of `nap_core.models` by `make docs`.

## Where NAP is read

NAP is read from the map before the global average pooling, where the paper reads it. What that is in each
architecture is said here; on any of them another layer can be picked in the app. The last linear layer turns
features into logits, and that their product equals the network's own logits is tested for every family.
"""
TWO_QUESTIONS = """\
### VGG: which map

A VGG has no global pooling. Its last maps are those of the last ReLU (14 × 14 for 224 pixels) and those after
the max-pooling that follows (7 × 7), which the network's own average pooling and first linear layer read.
Max-pooling keeps the maximum of a channel and raises its mean, so NAP is higher on the map before it: these
are two scores. The paper has two results for NAP alone on the same VGG and the same data, FPR95 32.78 and
AUROC 92.18 in Table 5, 29.23 and 93.46 in Table 8, with the same Energy in both, and does not say what
differs. Read here is the map after the max-pooling: what enters the pooling before the head, as in every
other network. The other one is a pick away, for VGG-16 the layer `features.29`.

### Transformers: which attention

NAP is max(A), A the attention of the class token over the patches in the last block (Appendix K). The paper
leaves the heads open. Read first is the mean over the heads, then each head: `nap:head=3` is the third alone.
A is the softmax over all tokens. It is read from what enters the attention, beside the network's own pass,
whose logits stay the same to the last bit. Networks that do not read their class token, and attention with
relative positions, are no such Transformers; there, tokens are read as maps. The other designs of Table 6 are
for maps, and are refused.

## Torchvision's weights

Named `torchvision:resnet50`, or `torchvision:resnet50:IMAGENET1K_V1` for another set than the default. The
first run downloads them into torch's own cache, where torchvision finds them, too; they are checked by the
sha256 in their names.

| model | name | top-1 on ImageNet-1k | download |
| --- | --- | ---: | ---: |"""
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


def methods_document() -> str:
    """docs/methods.md: the catalogue, record by record."""
    lines = [
        "# Methods",
        "",
        "Made from the records of `nap_core.methods` by `make docs`. Any of them is named by its word, parameters",
        "behind it: `ash-s:percentile=0.9`. `nap+energy` combines a prior with a method whose score has a positive",
        "form. Higher means more in-distribution, everywhere.",
    ]
    for family, heading in methods.FAMILIES.items():
        lines += ["", f"## {heading}"]
        for record in (one for one in methods.RECORDS.values() if one.family == family):
            source = ", ".join(str(part) for part in (record.venue, record.year) if part)
            link = f"[{record.paper}]({record.url})" if record.url else record.paper
            formula = f"{record.formula[0].upper()}{record.formula[1:]}."
            lines += ["", f"### {record.title}: `{record.name}`", "", formula, f"{link}, {source}.", ""]
            needs = "; ".join(methods.NEED_SENTENCES[need] for need in record.needs)
            lines.append(f"- Needs: {needs or 'nothing beyond the stored activations'}.")
            for parameter in record.parameters:
                named = "".join(f", {value} on {name}" for name, value in parameter.by_benchmark.items())
                lines.append(
                    f"- `{parameter.name}`: {parameter.meaning}; {parameter.range}; default {parameter.default}{named} "
                    f"({parameter.source})."
                )
            if record.positive:
                weights = "".join(f", {w} on {name}" for name, w in record.published_w.items())
                lines.append(f"- With a prior: w = {record.default_w}{weights}. {record.positive.note}")
    lines += ["", "## Left out", ""]
    lines += [f"- pytorch-ood's {name}: {reason}." for name, reason in methods.LEFT_OUT.items()]
    return "\n".join(lines) + "\n"


def datasets_document() -> str:
    """docs/datasets.md: what is bundled, the library with its files, and the benchmarks."""
    lines = [
        "# Datasets and benchmarks",
        "",
        "Made from the records of `nap_core.datasets` and `nap_core.benchmarks` by `make docs`. Any dataset is named",
        "by its word: in an address, in “Change the study” and on the command line.",
        "",
        "## Bundled",
        "",
        "| Dataset | | Images | Source |",
        "|---|---|---|---|",
    ]
    for record in datasets.RECORDS.values():
        lines.append(f"| {record.title} | `{record.name}` | {record.size:,} | {record.source} |")
    lines += [
        "",
        "## The library",
        "",
        "Downloaded when a study with them is run: resumed after a cut, checked, and never under their final name",
        "before they are whole. Each has a folder in `NAP_DATASETS`; without a network, put the files there yourself.",
        "What is unpacked needs its archive no more.",
    ]
    for record in (datasets.find(name) for name in datasets.published.names()):
        lines += ["", f"### {record.title}: `{record.name}`", "", f"{record.description} {record.note}", ""]
        lines.append(f"- {record.size:,} images. {record.source}. {record.licence}.")
        lines += [f"- {_file(one)}" for one in record.downloads]
    lines += ["", "## Benchmarks", ""]
    for benchmark in benchmarks.RECORDS.values():
        id_dataset, ood_names = benchmark.id_dataset, ", ".join(f"`{name}`" for name in benchmark.ood_datasets)
        fit = f"fit split `{benchmark.fit_dataset}`" if benchmark.fit_dataset else "no fit split"
        lines += [
            f"### {benchmark.title}: `{benchmark.name}`",
            "",
            f"`{id_dataset}` against {ood_names}; {fit}; up to {benchmark.images:,} images of each. "
            f"{benchmark.source}. {benchmark.note}",
            "",
        ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _file(one: Download) -> str:
    """A file of the library: its place, its address, what is published of it."""
    size = f", {byte_size.in_words(one.size)}" if one.size else ""
    place = f"`{one.path.relative_to(datasets.published.folder()).as_posix()}`"
    said = "given to registered people only" if one.by_hand else "downloaded"
    return f"{place} from <{one.url}>{size}, {said}; {f'`{one.checksum}`' if one.checksum else 'no checksum published'}"


def models_document() -> str:
    """docs/models.md: where NAP is read in every architecture, and torchvision's weights."""
    groups: dict[str, dict[str, list[str]]] = {}
    for name in architectures.names():
        architecture = architectures.find(name)
        if architecture and architecture.note:
            place = f"{architecture.hook}; last layer `{architecture.head}`"
            groups.setdefault(architecture.note, {}).setdefault(place, []).append(f"`{name}`")
    lines = [MODELS]
    for note, places in groups.items():
        lines += [note, "", *(f"- {place}: {', '.join(names)}" for place, names in places.items()), ""]
    lines.append(TWO_QUESTIONS)
    for name in torchvision_zoo.names():
        record = torchvision_zoo.record(name)
        size = byte_size.in_words(sum(one.size or 0 for one in record.downloads()))
        lines.append(f"| {record.title} | `{name}` | {100 * (record.accuracy or 0):.1f} % | {size} |")
    return "\n".join(lines) + "\n"


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
    for name, make in (("methods", methods_document), ("datasets", datasets_document), ("models", models_document)):
        write_document(name, make())
    if not args.table_only:
        with tempfile.TemporaryDirectory() as folder:
            prepare(folder)
            take_screenshots(folder)


if __name__ == "__main__":
    main()
