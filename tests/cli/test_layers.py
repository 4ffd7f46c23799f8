"""``layers`` and --layer, --view: what was found in a network, and reading another layer of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nap_core import models
from nap_core.analysis import evaluation
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study
from nap_core.studies.study import run as run_study
from tests.sentences import states

MODEL = ("--model", "resnet20-cifar10")


def test_lists_the_layers_in_order_and_says_what_was_found(run) -> None:
    status, out, err = run("layers", *MODEL)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    structure = models.load("resnet20-cifar10").structure
    assert [line.split()[0] for line in lines[1 : 1 + len(structure.layers)]] == [one.name for one in structure.layers]
    assert structure.sentence() in lines


def test_json_holds_the_same(run) -> None:
    status, out, _ = run("layers", *MODEL, "--json", "--layer", "layer2", "--view", "40/40/bicubic")
    found = json.loads(out)
    assert status == 0
    assert (found["read"], found["features_kept"]) == ("output of layer2", True)
    assert (found["found"]["map"], found["found"]["head"]) == ("output of penultimate", "linear")
    assert {"name": "layer2", "kind": "Sequential", "shape": [32, 20, 20], "form": "map"} in found["layers"]
    assert found["transform"].startswith("short side to 40 (bicubic), centre crop 40")


def test_layers_of_a_checkpoint(run, checkpoint: Path) -> None:
    status, out, _ = run("layers", "--model", "resnet20", "--weights", checkpoint)
    assert status == 0 and states(out, "last layer linear mean")


@pytest.mark.parametrize("changed", [{"layer": "layer2"}, {"transform": "40/36/bicubic"}])
def test_evaluate_reads_what_is_asked_for(rows: Callable[..., list[dict]], changed: dict[str, str]) -> None:
    asked = [("--layer" if name == "layer" else "--view", value) for name, value in changed.items()]
    found = rows(*MODEL, "--ood", "textures", "--limit", 30, "--methods", "nap,energy", *asked[0])
    study = Study("resnet20-cifar10", "cifar10", ("textures",), 30)
    expected = evaluation.evaluate(run_study(replace(study, **changed), Store()), ["nap", "energy"])
    assert [row["auroc"] for row in found] == pytest.approx(list(expected["auroc"]), abs=1e-6)
    plain = evaluation.evaluate(run_study(study, Store()), ["nap", "energy"])
    assert found[0]["auroc"] != pytest.approx(plain["auroc"][0])
    if "layer" in changed:
        assert found[1]["auroc"] == pytest.approx(plain["auroc"][1])  # Energy is of the logits, which stay
