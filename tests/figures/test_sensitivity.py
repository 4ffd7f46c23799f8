"""What the numbers hang on, in pictures, on made-up numbers."""

import numpy as np
import pandas as pd
import pytest

from nap_core import metrics
from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores
from nap_core.analysis.overhead import Cost
from nap_core.figures.compare_methods import fpr_curves
from nap_core.figures.sensitivity import cost_picture, fpr_table, images_picture, size_picture
from tests.sentences import Says

TITLES = {"near": "CIFAR-100", "far": "SVHN"}


def scores(method: str = "nap", w: float | None = None) -> MethodScores:
    draw = np.random.default_rng(0)
    return MethodScores(
        method, w, draw.normal(1, 1, 100), {"near": draw.normal(0, 1, 50), "far": draw.normal(-1, 1, 9)}
    )


def drawn(method: str, sizes: tuple[int, ...] = (10, 20, 100)) -> pd.DataFrame:
    """At n images the median is 0.3, the band ± 1 / n but for the whole."""
    rows = [
        (method, ood, size, metric, *((0.3 - 1 / size, 0.3, 0.3 + 1 / size) if size != max(sizes) else (0.3,) * 3))
        for ood in ("near", "far", AVERAGE)
        for size in sizes
        for metric in ("fpr95", "auroc")
    ]
    return pd.DataFrame(rows, columns=["method", "ood", "images", "metric", "low", "median", "high"])


def test_the_opened_method_has_the_band_and_every_method_a_line(says: Says) -> None:
    rows = [scores("energy"), scores("nap")]
    tables = {row.method: drawn(row.method) for row in rows}
    picture = images_picture(rows, tables, "fpr95", AVERAGE, "nap", TITLES)
    band, *lines = sorted(picture.figure.data, key=lambda trace: trace.fill != "toself")
    assert [line.name for line in lines] == ["Energy", "NAP"]
    assert list(lines[1].x) == [10, 20, 100]
    assert list(band.y) == pytest.approx([0.4, 0.35, 0.3, 0.3, 0.25, 0.2])
    says(picture.reading, "FPR95 NAP 2 20.0 40.0 9 10 10 25.0 35.0 20 100 30.0")
    assert len(picture.table) == 6


def test_the_fit_split_has_words_of_its_own(says: Says) -> None:
    picture = images_picture([scores()], {"nap": drawn("nap")}, "fpr95", "far", "nap", TITLES, of_fit=True)
    assert picture.figure.layout.xaxis.title.text == "images in the fit split"
    says(picture.reading, "FPR95 NAP SVHN 20.0 40.0 10 25.0 35.0 20 100 30.0")


def test_too_few_images_for_parts_are_told(says: Says) -> None:
    picture = images_picture([scores()], {"nap": drawn("nap", (12,))}, "auroc", "far", "nap", TITLES)
    says(picture.reading, "AUROC NAP SVHN 30.0 12")


def sizes(accuracy: float = 0.9) -> pd.DataFrame:
    rows = [
        ("nap", side, ood, value, 1 - value, accuracy - side / 1000)
        for side, values in ((16, (0.5, 0.7)), (32, (0.2, 0.4)), (64, (0.9, 0.9)))
        for ood, value in zip(("near", "far"), values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["method", "side", "ood", "fpr95", "auroc", "id_accuracy"])


def test_the_sizes_average_over_datasets_or_show_one(says: Says) -> None:
    picture = size_picture([scores()], sizes(), "fpr95", AVERAGE, "nap", TITLES, 32)
    right, line = picture.figure.data
    assert list(line.x) == [16, 32, 64]
    assert list(line.y) == pytest.approx([0.6, 0.3, 0.9])
    assert list(right.y) == pytest.approx([0.884, 0.868, 0.836])
    says(picture.reading, "FPR95 NAP 2 lowest 32 30.0 90.0 64 83.6 86.8")
    one = size_picture([scores()], sizes(), "auroc", "near", "nap", TITLES, 16)
    assert list(one.figure.data[1].y) == pytest.approx([0.5, 0.8, 0.1])
    says(one.reading, "AUROC NAP CIFAR-100 highest 32 80.0 16 50.0 10.0 64 83.6 88.4")


def test_without_labels_the_sizes_have_no_accuracy() -> None:
    picture = size_picture([scores()], sizes(float("nan")), "fpr95", AVERAGE, "nap", TITLES, 32)
    assert [trace.name for trace in picture.figure.data] == ["NAP"]
    assert "right on" not in picture.reading


def test_the_fpr_curve_averages_datasets_when_asked(says: Says) -> None:
    row = scores()
    average = fpr_curves([row], ("near", "far"), "nap", TITLES, averaged=True)
    at = list(average.figure.data[0].x).index(0.95)
    expected = np.mean([metrics.fpr_at_tpr(row.id, values, 0.95) for values in row.ood.values()])
    assert average.figure.data[0].y[at] == pytest.approx(expected)
    says(average.reading, "2 NAP 80 24.0 99 66.2")
    pooled = fpr_curves([row], ("near", "far"), "nap", TITLES)
    assert pooled.figure.data[0].y[at] == pytest.approx(metrics.fpr_at_tpr(row.id, row.pooled, 0.95))
    says(pooled.reading, "both NAP 80 40.7 99 81.4")
    says(fpr_curves([row], ("far",), "nap", TITLES, averaged=True).reading, "SVHN NAP 80 0.0 99 44.4")


@pytest.mark.parametrize("tpr", [0.8, 0.95, 0.99])
def test_the_table_has_the_fpr_at_that_tpr(tpr: float) -> None:
    row = scores("nap+energy", 0.4)
    (line,) = fpr_table([row], tpr, TITLES).to_dict("records")
    expected = [100 * metrics.fpr_at_tpr(row.id, values, tpr) for values in row.ood.values()]
    assert line == pytest.approx(
        {"Method": "NAP+Energy (w = 0.4)", "CIFAR-100": expected[0], "SVHN": expected[1], "average": np.mean(expected)}
    )


def test_the_cost_keeps_its_device_and_stands_beside_the_papers(says: Says) -> None:
    cost = Cost(2.0, 0.002, 256, (0.0009, 0.001, 0.02), 64, "CPU, 2 threads", "ResNet-20")
    picture = cost_picture(cost)
    says(picture.reading, "2 NAP 0.1 ResNet-20 2 2 256 3 0.0462 0.0817 176.7155 ImageNet-1k")
    repeats, here, paper = picture.figure.data
    assert list(repeats.x) == pytest.approx([0.09, 0.1, 2.0])
    assert (here.x[0], paper.x[0]) == pytest.approx((0.1, 0.0462))
    assert "CPU, 2 threads" in here.y[0]
    assert picture.table["device"].iloc[0] == "CPU, 2 threads"
