"""Methods below chance are marked: on average, or on more than half of the OOD datasets."""

import numpy as np
import pytest

from nap_core.activations import Activations
from nap_core.analysis import below_chance, evaluation
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from tests.methods.conftest import made_model
from tests.sentences import states


@pytest.mark.parametrize(
    ("areas", "below"),
    [
        ([0.283], True),
        ([0.5], False),
        ([0.9, 0.05], True),
        ([0.9, 0.49], False),
        ([0.427, 0.231, 0.186, 0.999, 0.986], True),  # 56.6 % on average: two sets of noise hide the others
        ([0.427, 0.231, 0.986, 0.999, 0.986], False),
        ([], False),
    ],
)
def test_what_is_below(areas: list[float], below: bool) -> None:
    assert below_chance.is_below(areas) == below


def part(sure: float, rows: int = 20) -> ImageSet:
    logits = np.tile(np.array([sure, 0, 0, 0, 0], np.float32), (rows, 1)) + np.arange(rows)[:, None] * 1e-3
    # Larger features give the shaped logits of this network a larger Energy.
    maps = np.float32(0.5 + sure) * (1 + np.random.default_rng(0).uniform(size=(rows, 24)).astype(np.float32))
    return ImageSet(Activations(maps, maps, maps, logits.astype(np.float32), np.full(rows, -1)))


def test_the_table_says_it_with_its_numbers_and_the_default() -> None:
    data = EvaluationData("id", part(1), {"a": part(3), "b": part(2), "c": part(0)}, ScoringContext(made_model()))
    table = evaluation.evaluate(data, ["msp", "ash-s", "ash-s:percentile=0.5"]).drop_duplicates("method")
    msp, shaped, given = table["below_chance"]
    area = 100 * evaluation.evaluate(data, ["msp"])["auroc"].mean()
    assert states(msp, f"MSP {area:.1f} 2 of 3") and "default" not in msp
    assert states(shaped, "ASH-S percentile 0.9 ImageNet-1k")
    assert "ImageNet-1k" not in given
    assert list(table["parameters_origin"])[::2] == ["", ""]
    assert states(table["parameters_origin"].iloc[1], "percentile 0.9 ResNet-50 ImageNet-1k")
