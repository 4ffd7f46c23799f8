"""A suspicious ID accuracy: near chance, or far from the record's; the numbers are the binomial's."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from nap_core.activations import Activations
from nap_core.analysis import evaluation
from nap_core.analysis.accuracy_check import accuracy_warning
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from tests.methods.conftest import made_model
from tests.sentences import states


def data(right: int, known: int, classes: int, unknown: int = 0, record: float | None = None) -> EvaluationData:
    """ID images of which ``right`` of ``known`` are recognised, and some without a label."""
    rows = known + unknown
    logits = np.zeros((rows, classes), np.float32)
    logits[:, 0] = 1
    labels = np.r_[np.zeros(right, int), np.ones(known - right, int), np.full(unknown, -1)].astype(np.int64)
    maps = np.ones((rows, 4), np.float32)
    part = ImageSet(Activations(maps, maps, maps, logits, labels))
    context = ScoringContext(replace(made_model(), record_accuracy=record)) if record is not None else ScoringContext()
    return EvaluationData("id", part, {"ood": part}, context)


@pytest.mark.parametrize(
    ("right", "known", "classes"),
    [
        (20, 200, 10),  # chance
        (50, 200, 10),  # above chance, and below three times chance
        (0, 60, 10),
        (110, 200, 2),
        (1, 300, 1000),
        (2, 20, 10),
    ],
)
def test_near_chance(right: int, known: int, classes: int) -> None:
    said = accuracy_warning(data(right, known, classes))
    assert said
    interval = stats.binomtest(right, known).proportion_ci()
    facts = f"{100 * right / known:.1f} {right} {known} 95 {100 * interval.low:.1f} {100 * interval.high:.1f}"
    assert states(said, f"{facts} {100 / classes:.1f} chance {classes:,} labels preprocessing classes")
    assert said.count(".") == said.replace(" ", "").count(".") and said.endswith(".")


@pytest.mark.parametrize(
    ("right", "known", "classes"),
    [
        (80, 200, 10),
        (150, 200, 2),
        (5, 5, 2),  # too few images to differ from chance, and all of them are right
        (0, 1, 10),  # one wrong image shows nothing
        (10, 300, 1000),  # ten times chance
        (0, 0, 10),
        (5, 10, 1),
    ],
)
def test_plausible_or_unknown(right: int, known: int, classes: int) -> None:
    assert accuracy_warning(data(right, known, classes, unknown=3)) is None


@pytest.mark.parametrize(
    ("right", "known", "record", "side"),
    [
        (420, 500, 0.92, None),  # 8 points below: 3 standard errors are 3.6 points, and 5 are allowed beyond
        (410, 500, 0.92, "below"),
        (10, 12, 0.95, None),
        (500, 500, 0.92, None),
        (500, 500, 0.80, "above"),
        (100, 500, 0.21, None),  # a hard task is no mistake where the record says so, three times chance or not
    ],
)
def test_far_from_the_record(right: int, known: int, record: float, side: str | None) -> None:
    said = accuracy_warning(data(right, known, 10, record=record))
    assert (said is not None) == (side is not None)
    if said and side:
        assert states(said, f"{100 * right / known:.1f} {right} {known} {side} {100 * record:.1f}")


def test_images_without_a_label_do_not_count() -> None:
    bare = accuracy_warning(data(20, 200, 10))
    assert bare == accuracy_warning(data(20, 200, 10, unknown=50))


def test_the_results_table_has_it() -> None:
    suspicious, fine = data(20, 200, 10), data(180, 200, 10)
    table = evaluation.evaluate(suspicious, ["msp"])
    assert list(table["accuracy_warning"]) == [accuracy_warning(suspicious)]
    assert list(evaluation.evaluate(fine, ["msp"])["accuracy_warning"]) == [""]
