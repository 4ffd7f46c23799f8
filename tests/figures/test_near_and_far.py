"""Near, far and shifted on made-up numbers: where the marks are, and what is said."""

import numpy as np
import pandas as pd
import pytest

from nap_core.analysis import covariate_shift
from nap_core.analysis.covariate_shift import ShiftRates, ShiftResult
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures import ID_COLOUR
from nap_core.figures.near_and_far import accuracy_picture, cells_picture, findings, overview, table_12, table_12_words
from tests.sentences import Says

TITLES = {"near": "CIFAR-100", "far": "SVHN", "odd": "Clothes"}
COLOURS = {"near": "#c98608", "far": "#c8352c", "odd": "#ea702b"}
GROUPS = {"near": ("near",), "far": ("far", "odd")}


def shares(kept: float, right: float = 0.6, lost: float = 0.2) -> ShiftRates:
    """At severity s the share ``kept`` less s hundredths is kept."""
    falling = kept - np.arange(6) / 100
    cells = np.tile(falling[1:, None], (1, len(covariate_shift.CORRUPTIONS)))
    cells[4, 3], cells[4, 5] = 0.01, 0.99  # defocus blur, motion blur
    known = np.full(6, right)
    return ShiftRates(
        falling, 1 - falling, {"kept": cells, "auroc": 1 - cells}, known, known + 0.1, known - 0.3, np.full(6, lost)
    )


def response(
    method: str, near: float, far: float, shifted: ShiftRates | None = None, w: float | None = None
) -> ShiftResult:
    scores = MethodScores(method, w, np.ones(2), {name: np.zeros(2) for name in TITLES})
    ood = {name: {"kept": value, "auroc": 1 - value} for name, value in (("near", near), ("far", far), ("odd", far))}
    return ShiftResult(scores, ood, shifted)


def drawn(
    responses: list[ShiftResult], metric: covariate_shift.Metric = "kept", groups=GROUPS, opened: str | None = None
):
    return overview(responses, metric, groups, opened or responses[-1].method, TITLES, COLOURS)


def lines(picture, name: str):
    return [trace for trace in picture.figure.data if trace.name == name]


def test_shifted_images_come_first_then_near_then_far() -> None:
    picture = drawn([response("energy", 0.5, 0.2, shares(0.9)), response("nap", 0.7, 0.1, shares(0.8))])
    severities, ood = lines(picture, "NAP")
    assert list(severities.x) == [0, 1, 2, 3, 4, 5]
    assert list(severities.y) == pytest.approx([0.8, 0.79, 0.78, 0.77, 0.76, 0.75])
    assert list(ood.y) == pytest.approx([0.7, 0.1])
    assert 5 < ood.x[0] < ood.x[1]
    ticks = dict(zip(picture.figure.layout.xaxis.ticktext, picture.figure.layout.xaxis.tickvals, strict=True))
    assert (ticks["near-OOD"], ticks["far-OOD"]) == tuple(ood.x)
    right = lines(picture, "accuracy of the network")[0]
    assert right.line.color == ID_COLOUR
    assert list(right.y) == pytest.approx([0.6] * 6)


def test_the_dots_are_the_datasets_under_the_opened_method() -> None:
    picture = drawn([response("energy", 0.5, 0.2), response("nap", 0.7, 0.1)], opened="energy")
    for name, value in (("near", 0.5), ("far", 0.2), ("odd", 0.2)):
        (dot,) = lines(picture, TITLES[name])
        assert dot.marker.color == COLOURS[name]
        assert list(dot.y) == [value]


def test_the_reading_says_the_three_and_what_the_network_gets_right(says: Says) -> None:
    picture = drawn([response("nap+energy", 0.5, 0.2, shares(0.9), w=0.4)])
    says(picture.reading, "95 NAP+Energy 85.0 5 50.0 CIFAR-100 20.0 SVHN Clothes 60.0 5")
    auroc = drawn([response("nap", 0.5, 0.2, shares(0.9))], "auroc")
    says(auroc.reading, "NAP AUROC 15.0 5 50.0 CIFAR-100 80.0 SVHN Clothes")
    assert not lines(auroc, "accuracy of the network")


def test_without_shifted_images_the_groups_alone_are_drawn() -> None:
    picture = drawn([response("nap", 0.5, 0.2)])
    assert len(lines(picture, "NAP")) == 1
    assert "severity" not in picture.reading
    assert list(picture.figure.layout.xaxis.ticktext) == ["near-OOD", "far-OOD"]
    assert picture.table["images"].tolist() == ["near", "far", "odd"]


def test_unknown_classes_leave_the_line_of_the_network_out() -> None:
    picture = drawn([response("nap", 0.5, 0.2, shares(0.9, right=float("nan")))])
    assert not lines(picture, "accuracy of the network")
    assert "The network is right" not in picture.reading


def test_the_table_holds_every_mark() -> None:
    picture = drawn([response("energy", 0.5, 0.2, shares(0.9)), response("nap", 0.7, 0.1)])
    table = picture.table
    assert len(table) == 6 + 3 + 3
    row = table[(table["method"] == "energy") & (table["images"] == "severity 5")].iloc[0]
    assert (row["kept"], row["network_right"]) == pytest.approx((0.85, 0.6))


def test_findings_say_that_near_is_harder_and_for_whom_most(says: Says) -> None:
    near, shifted = findings(
        [response("energy", 0.5, 0.4, shares(0.9, lost=0.1)), response("nap", 0.7, 0.1, shares(0.8, lost=0.3))],
        "nap",
        GROUPS,
        "CIFAR-10",
    )
    says(near, "every NAP 70.0 10.0 FPR95 NAP 60.0 Energy 10.0")
    says(shifted, "degraded 5 60.0 NAP 30.0 Energy 10.0 AUROC")


def test_findings_say_the_contrary_when_it_is_so(says: Says) -> None:
    (sentence,) = findings([response("nap", 0.1, 0.4)], "nap", GROUPS, "CIFAR-10")
    says(sentence, "NAP 10.0 40.0")
    (sentence,) = findings([response("nap", 0.1, 0.4)], "nap", {"far": ("far",)}, "CIFAR-10")
    says(sentence, "CIFAR-100 CIFAR-10")
    sentence = findings([response("nap", 0.5, 0.4), response("energy", 0.1, 0.3)], "nap", GROUPS, "CIFAR-10")[0]
    says(sentence, "1 2 NAP 50.0 40.0 FPR95 NAP 10.0 Energy -20.0")


def test_findings_do_not_claim_what_nobody_knows(says: Says) -> None:
    given = shares(0.9, right=float("nan"), lost=float("nan"))
    sentence = findings([response("nap", 0.5, 0.2, given)], "nap", GROUPS, "My birds")[1]
    says(sentence, "degraded My birds")


def test_cells_show_each_corruption_at_each_severity(says: Says) -> None:
    picture = cells_picture(shares(0.9), "kept", "NAP")
    (heat,) = picture.figure.data
    assert np.shape(heat.z) == (15, 5)
    assert heat.text[3][4] == "1"
    says(picture.reading, "5 NAP 1.0 defocus blur 99.0 motion blur")
    assert len(picture.table) == 75
    auroc = cells_picture(shares(0.9), "auroc", "NAP")
    says(auroc.reading, "5 NAP defocus blur AUROC 99.0 motion blur 1.0")
    assert auroc.figure.data[0].z[3][4] < auroc.figure.data[0].z[5][4]  # the bluer, the less it is taken for unknown


def test_accuracy_among_kept_and_rejected(says: Says) -> None:
    picture = accuracy_picture(shares(0.9), "NAP")
    assert [trace.name for trace in picture.figure.data] == ["all images", "accepted", "rejected"]
    says(picture.reading, "5 70.0 NAP 30.0 20.0")
    assert accuracy_picture(shares(0.9, right=float("nan")), "NAP") is None


def test_table_12_has_the_papers_rows_and_ours(says: Says) -> None:
    table = table_12(None)
    assert table["Method"].tolist() == ["Energy", "NAP-E", "ReAct", "NAP-R", "ASH", "NAP-A"]
    assert table.set_index("Method").loc["NAP-E", "FPR95 paper"] == pytest.approx(44.38)
    here = pd.DataFrame({"method": ["energy", "nap+energy"], "fpr95": [0.5, 0.6], "auroc": [0.9, 0.91]})
    wide = table_12(here).set_index("Method")
    assert wide.loc["NAP-E", "AUROC this study"] == pytest.approx(91)
    assert np.isnan(wide.loc["ASH", "AUROC this study"])
    says(table_12_words(table), "NAP raises AUROC CIFAR-100 3 3 0 3")
    says(table_12_words(table_12(here)), "NAP raises AUROC CIFAR-100 3 3 0 3 1 3")
