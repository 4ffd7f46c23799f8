"""Near, far and shifted on made-up numbers: where the marks are, and what is said."""

import numpy as np
import pandas as pd
import pytest

from nap_core.analysis import covariate_shift
from nap_core.analysis.covariate_shift import ShiftRates, ShiftResult
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures import ID_COLOUR
from nap_core.figures.near_and_far import accuracy_picture, cells_picture, findings, overview, table_12, table_12_words

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
    right = lines(picture, "the network is right")[0]
    assert right.line.color == ID_COLOUR
    assert list(right.y) == pytest.approx([0.6] * 6)


def test_the_dots_are_the_datasets_under_the_opened_method() -> None:
    picture = drawn([response("energy", 0.5, 0.2), response("nap", 0.7, 0.1)], opened="energy")
    for name, value in (("near", 0.5), ("far", 0.2), ("odd", 0.2)):
        (dot,) = lines(picture, TITLES[name])
        assert dot.marker.color == COLOURS[name]
        assert list(dot.y) == [value]


def test_the_reading_says_the_three_and_what_the_network_gets_right() -> None:
    picture = drawn([response("nap+energy", 0.5, 0.2, shares(0.9), w=0.4)])
    assert picture.reading == (
        "At the threshold that keeps 95\xa0% of clean ID images, NAP+Energy keeps 85.0\xa0% of ID images at severity "
        "5, 50.0\xa0% of near-OOD (CIFAR-100) and 20.0\xa0% of far-OOD (SVHN and Clothes). The network is right on "
        "60.0\xa0% of the images at severity 5."
    )
    auroc = drawn([response("nap", 0.5, 0.2, shares(0.9))], "auroc")
    assert "AUROC of 15.0\xa0% on ID images at severity 5, 50.0\xa0% on near-OOD" in auroc.reading
    assert not lines(auroc, "the network is right")


def test_without_shifted_images_the_groups_alone_are_drawn() -> None:
    picture = drawn([response("nap", 0.5, 0.2)])
    assert len(lines(picture, "NAP")) == 1
    assert "severity" not in picture.reading
    assert list(picture.figure.layout.xaxis.ticktext) == ["near-OOD", "far-OOD"]
    assert picture.table["images"].tolist() == ["near", "far", "odd"]


def test_unknown_classes_leave_the_line_of_the_network_out() -> None:
    picture = drawn([response("nap", 0.5, 0.2, shares(0.9, right=float("nan")))])
    assert not lines(picture, "the network is right")
    assert "The network is right" not in picture.reading


def test_the_table_holds_every_mark() -> None:
    picture = drawn([response("energy", 0.5, 0.2, shares(0.9)), response("nap", 0.7, 0.1)])
    table = picture.table
    assert len(table) == 6 + 3 + 3
    row = table[(table["method"] == "energy") & (table["images"] == "severity 5")].iloc[0]
    assert (row["kept"], row["network_right"]) == pytest.approx((0.85, 0.6))


def test_findings_say_that_near_is_harder_and_for_whom_most() -> None:
    near, shifted = findings(
        [response("energy", 0.5, 0.4, shares(0.9, lost=0.1)), response("nap", 0.7, 0.1, shares(0.8, lost=0.3))],
        "nap",
        GROUPS,
        "CIFAR-10",
    )
    assert near == (
        "**Near-OOD is harder for every method**: NAP lets 70.0\xa0% of near-OOD pass and 10.0\xa0% of far-OOD. From "
        "far to near, FPR95 rises most for NAP, by 60.0 points, and least for Energy, by 10.0."
    )
    assert "At severity 5 it is right on 60.0\xa0% of them, and NAP rejects 30.0\xa0% of these right ones" in shifted
    assert "Energy rejects 10.0\xa0%, the fewest." in shifted


def test_findings_say_the_contrary_when_it_is_so() -> None:
    (sentence,) = findings([response("nap", 0.1, 0.4)], "nap", GROUPS, "CIFAR-10")
    assert sentence.startswith("**Near-OOD is not harder here**")
    (sentence,) = findings([response("nap", 0.1, 0.4)], "nap", {"far": ("far",)}, "CIFAR-10")
    assert "has no near-OOD dataset" in sentence
    sentence = findings([response("nap", 0.5, 0.4), response("energy", 0.1, 0.3)], "nap", GROUPS, "CIFAR-10")[0]
    assert "harder for 1 of the 2 methods" in sentence


def test_findings_do_not_claim_what_nobody_knows() -> None:
    given = shares(0.9, right=float("nan"), lost=float("nan"))
    sentence = findings([response("nap", 0.5, 0.2, given)], "nap", GROUPS, "My birds")[1]
    assert "The classes of My birds are not known here" in sentence


def test_cells_show_each_corruption_at_each_severity() -> None:
    picture = cells_picture(shares(0.9), "kept", "NAP")
    (heat,) = picture.figure.data
    assert np.shape(heat.z) == (15, 5)
    assert heat.text[3][4] == "1"
    assert picture.reading == (
        "At severity 5, NAP keeps 1.0\xa0% of the images under defocus blur, the least, and 99.0\xa0% under motion "
        "blur, the most."
    )
    assert len(picture.table) == 75
    auroc = cells_picture(shares(0.9), "auroc", "NAP")
    assert "images under defocus blur from clean ones best (AUROC 99.0\xa0%)" in auroc.reading
    assert auroc.figure.data[0].z[3][4] < auroc.figure.data[0].z[5][4]  # the bluer, the less it is taken for unknown


def test_accuracy_among_kept_and_rejected() -> None:
    picture = accuracy_picture(shares(0.9), "NAP")
    assert [trace.name for trace in picture.figure.data] == ["all images", "kept", "rejected"]
    assert picture.reading == (
        "At severity 5 the network is right on 70.0\xa0% of the images that NAP keeps and on 30.0\xa0% of those it "
        "rejects; 20.0\xa0% of the right answers are thrown away."
    )
    assert accuracy_picture(shares(0.9, right=float("nan")), "NAP") is None


def test_table_12_has_the_papers_rows_and_ours() -> None:
    table = table_12(None)
    assert table["Method"].tolist() == ["Energy", "NAP-E", "ReAct", "NAP-R", "ASH", "NAP-A"]
    assert table.set_index("Method").loc["NAP-E", "FPR95 paper"] == pytest.approx(44.38)
    here = pd.DataFrame({"method": ["energy", "nap+energy"], "fpr95": [0.5, 0.6], "auroc": [0.9, 0.91]})
    wide = table_12(here).set_index("Method")
    assert wide.loc["NAP-E", "AUROC this study"] == pytest.approx(91)
    assert np.isnan(wide.loc["ASH", "AUROC this study"])
    assert "for 3 of 3 methods in the paper" in table_12_words(table)
    assert "for 1 of 3 methods in this study" in table_12_words(table_12(here))
