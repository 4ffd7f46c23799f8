#!/usr/bin/env python3
"""Measure EfficientNet-Lite0 on ImageNet photographs against textures and scenes: docs/imagenet.md and its pictures.

    python assets/build/build_imagenet.py --reference ../shared

``--reference`` is a folder whose ``data`` holds imagenet_sample (images, labels.csv), textures and scenes. The study
is one that the app opens as well, from the same folder: the document says how. The pictures need Chromium.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pandas as pd
from browser import chromium
from build_bank import read_labels
from documents import table
from repository import DOCS, REFERENCE, parser, write_document

from nap_core import datasets, methods, metrics, models
from nap_core.analysis import evaluation
from nap_core.analysis.channels import max_mean_points
from nap_core.analysis.channels.ranking import FLOOR
from nap_core.cli.evaluate import scoreboard
from nap_core.cli.output import pair
from nap_core.figures import max_vs_mean, score_histograms, w_sensitivity
from nap_core.figures.compare_methods import roc_curves
from nap_core.figures.export.html import plain
from nap_core.figures.palette import colours as colours_of
from nap_core.figures.picture import Picture
from nap_core.methods import EvaluationData, ImageSet
from nap_core.paper import published_tables
from nap_core.storage import allowed_folders
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run

IMAGES, TEXTURES, SCENES = "own:imagenet_sample", "own:textures", "own:scenes"
STUDY = {"model": "efficientnet-lite0-imagenet", "id": IMAGES, "ood": f"{TEXTURES},{SCENES}", "n": "1200"}
TITLES = {IMAGES: "ImageNet photographs", TEXTURES: "Textures", SCENES: "Scenes"}
DRAWN = ("energy", "nap", "nap+energy")
# The paper's OOD sets that are nearest to ours, and what it calls the methods.
PUBLISHED_OOD = {TEXTURES: "Textures", SCENES: "SUN"}
PUBLISHED = {one.spec: one.method for one in published_tables.COUNTERPARTS if one.table == "Table 9"}


def measured(reference: Path) -> EvaluationData:
    """The study, its photographs labelled with ImageNet's classes."""
    data = reference / "data"
    os.environ[allowed_folders.VARIABLE] = str(data)
    data = run(Study.from_query(STUDY), Store())
    photographs = data.id.activations
    rows = read_labels(data / "imagenet_sample" / "labels.csv")
    files = datasets.load(IMAGES).files[: len(photographs)]
    labels = np.array([int(rows[Path(file).name]["imagenet_index"]) for file in files], dtype=np.int64)
    return replace(data, id=ImageSet(replace(photographs, labels=labels), data.id.images))


def specs() -> list[str]:
    """Every method that runs on stored activations and needs no training images, which ImageNet's sample has not."""
    every = [methods.parse(name) for name in (*methods.RECORDS, *methods.COMBINATIONS)]
    return [one.spec for one in every if not one.fits and not one.own_pass]


def pictures(data: EvaluationData) -> dict[str, Picture]:
    """Those of the app's pages whose figures show no photographs."""
    study = Study.from_query(STUDY)
    hues = colours_of(study.id_dataset, study.ood_datasets)
    rows = [evaluation.method_scores(data, spec) for spec in DRAWN]
    curve = evaluation.weight_curve(data, "nap+energy")
    sensitivity = w_sensitivity.Sensitivity.of("nap+energy", curve, study.trained_on, TITLES, hues)
    clouds = [max_mean_points.points_of(name, data.of(name), floor=FLOOR) for name in study.datasets]
    return {
        "Score histograms": score_histograms.histograms(rows, IMAGES, TITLES, hues),
        "w sensitivity": w_sensitivity.curve_picture(sensitivity, "fpr95", curve.best("fpr95")),
        "Max vs mean": max_vs_mean.scatter(clouds, rows[1], TITLES, hues, most=40_000),
        "ROC curves": roc_curves(rows, study.ood_datasets, DRAWN[-1], TITLES),
    }


def save(drawn: Mapping[str, Picture], folder: Path) -> None:
    """Each picture as a PNG file."""
    with chromium() as browser, tempfile.TemporaryDirectory() as pages:
        for picture in drawn.values():
            figure = plain(picture)
            width, height = 1000, int(figure.layout.height or 560)
            if picture.name == "max_vs_mean":
                width, height = 720, 720 + max_vs_mean.TALLER
            figure.update_layout(width=width, height=height)
            page = browser.new_page(viewport={"width": width + 20, "height": height + 20})
            file = Path(pages) / "figure.html"
            figure.write_html(file, config={"displayModeBar": False})
            page.goto(file.as_uri())
            page.wait_for_selector(".plotly-graph-div .main-svg")
            page.wait_for_timeout(1500)
            page.locator(".plotly-graph-div").screenshot(path=folder / f"imagenet_{picture.name}.png")
            page.close()


def by_class(data: EvaluationData) -> list[list[str]]:
    """Rows of a table: how well each class of scenes is separated from the photographs, and what it is taken for."""
    scenes, images = data.of(SCENES), datasets.load(SCENES)
    labels = images.labels[: len(scenes)]
    scores = {spec: evaluation.method_scores(data, spec) for spec in ("nap", "energy")}
    class_names = models.load(Study.from_query(STUDY).model).classes
    lines = []
    for label, name in enumerate(images.classes):
        rows = np.flatnonzero(labels == label)
        taken, count = Counter(scenes.predictions[rows].tolist()).most_common(1)[0]
        aurocs = [100 * metrics.auroc(score.id, score.ood[SCENES][rows]) for score in scores.values()]
        most = f"{class_names[taken]}, {count} of {len(rows)}"
        lines.append([name.replace("_", " "), *(f"{value:.1f}" for value in aurocs), most])
    return lines


def document(data: EvaluationData, results: pd.DataFrame, drawn: Mapping[str, Picture]) -> str:
    """docs/imagenet.md."""
    names = list(data.ood)
    theirs = published_tables.results().query("table == 'Table 3' and model == 'MobileNetV2'")
    theirs = theirs.set_index(["method", "ood_dataset"])
    heads, rows = [f"published, {PUBLISHED_OOD[name]}" for name in names], []
    for spec, cells in scoreboard(results)[1].items():
        keys = [(PUBLISHED.get(spec), PUBLISHED_OOD[name]) for name in names]
        published = [pair(*theirs.loc[key, ["fpr95", "auroc"]]) if key in theirs.index else "" for key in keys]
        rows.append([*cells, *published])
    counts = ", ".join(f"{len(data.of(name)):,} {TITLES[name].lower()}" for name in names)
    lines = [
        "# ImageNet: EfficientNet-Lite0 on textures and scenes",
        "",
        f"{len(data.id.activations):,} photographs of ImageNet's classes (NIPS 2017 set, CC BY 2.0) beside {counts}:",
        "FPR95 ↓ / AUROC ↑ in percent. The network names",
        f"{100 * evaluation.id_accuracy(data):.1f} % of the photographs rightly. Methods that estimate from training",
        "images are left out: there are none here.",
        "",
        "`make imagenet` measures it again; the app opens the same study with `NAP_DATA_ROOTS=../shared/data make app`",
        f"at `/score_histograms?{urlencode(STUDY, safe=':,')}`.",
        "",
        *table(["method", *(TITLES[name] for name in names), "average", *heads], rows),
        "",
        "Published is the NAP paper's Table 3: MobileNetV2, ImageNet's 50,000 validation images, 5,640 textures and",
        "10,000 scenes of SUN. Another network and other images: what can be compared is the order of the methods.",
        "",
        "## Why scenes are hard here",
        "",
        "Half of the classes of scenes show what ImageNet names, and the network sees it. There a peak is no error:",
        "an ID class is in the picture. Where there is nothing of the kind (sky, bamboo, desert), NAP tells the",
        "scenes apart. The last ReLU of this network also ends at 6, which cuts the highest peaks (the flat top of the",
        "scatter below). AUROC in percent, and what most images of a class are taken for:",
        "",
        *table(["scenes", "NAP", "Energy", "taken for"], by_class(data)),
    ]
    for title, picture in drawn.items():
        lines += ["", f"## {title}", "", f"![{title}](imagenet_{picture.name}.png)", "", picture.reading]
    return "\n".join(lines) + "\n"


def main() -> None:
    reader = parser(__doc__)
    reader.add_argument("--reference", type=Path, default=REFERENCE)
    data = measured(reader.parse_args().reference)
    drawn = pictures(data)
    save(drawn, DOCS)
    write_document("imagenet", document(data, evaluation.evaluate(data, specs()), drawn))


if __name__ == "__main__":
    main()
