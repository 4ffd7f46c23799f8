"""How many project files a run enters: upper bounds, so that a walk through the code does not get longer unnoticed."""

import threading
from pathlib import Path

import numpy as np
import pytest

from nap_core import nap
from tests import walks

# Files entered now; tighten a bound when a walk gets shorter.
FIRST_RUN = 26
# What a run also enters to examine the network, the images and the results: it changes no number of a sound study.
CHECKS = {
    *(f"models/{name}.py" for name in ("check", "output", "repeatability", "map_check")),
    *(f"models/{name}.py" for name in ("checkpoint_files", "state_dicts", "fitting", "weights_choice")),
    *("datasets/labels.py", "datasets/subset.py", "methods/inputs.py", "methods/origins.py"),
    *("analysis/accuracy_check.py", "analysis/below_chance.py"),
}
SCORE_OF_STUDY = 10
SCORE_ALONE = 8


def test_a_first_run_of_a_study(tmp_path: Path) -> None:
    walk = walks.first_run(tmp_path)
    assert {"nap.py", "metrics.py", "extraction/forward_pass.py", "storage/activation_store/shards.py"} <= {*walk.files}
    assert len({*walk.files} - CHECKS) <= FIRST_RUN, str(walk)
    assert walk.opened


def test_a_combination_on_the_activations_of_a_study(tmp_path: Path) -> None:
    walk = walks.score_of_study(tmp_path)
    assert {"nap.py", "methods/combination.py", "analysis/evaluation.py"} <= {*walk.files}
    assert len(walk.files) <= SCORE_OF_STUDY, str(walk)
    assert walk.opened == []


def test_scoring_nap_energy_on_activations_in_memory_opens_no_file() -> None:
    walk = walks.score_alone()
    assert {"nap.py", "methods/combination.py"} <= {*walk.files}
    assert len(walk.files) <= SCORE_ALONE, str(walk)
    assert walk.opened == []


def test_calls_and_changes_of_file_are_counted_in_every_thread() -> None:
    activations = walks.random_activations(4)
    with walks.walking() as walk:
        nap.nap_score(activations)
        thread = threading.Thread(target=nap.nap_score, args=(activations,))
        thread.start()
        thread.join()
    with walks.walking() as once:
        nap.nap_score(activations)
    assert walk.files == {name: 2 * count for name, count in once.files.items()}
    assert next(iter(once.files)) == "nap.py"
    assert walk.changes == 2 * once.changes + 1


@pytest.mark.parametrize("way", ["open", "numpy", "path", "list"])
def test_what_is_opened_is_recorded_as_long_as_the_walk_lasts(way: str, tmp_path: Path) -> None:
    place = tmp_path / "numbers.npy"
    np.save(place, np.zeros(3))
    opening = {
        "open": lambda: place.open("rb").close(),
        "numpy": lambda: np.load(place),
        "path": place.read_bytes,
        "list": lambda: [*tmp_path.iterdir()],
    }[way]
    with walks.walking() as walk:
        opening()
    assert len(walk.opened) == 1
    assert str(tmp_path) in walk.opened[0]
    opening()
    assert len(walk.opened) == 1
