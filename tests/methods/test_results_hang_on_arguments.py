"""Scores depend on the arguments alone: not on what was scored before, on caches, or on global random numbers."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, replace
from hashlib import sha256

import numpy as np
import pytest
import torch

from nap_core import methods
from nap_core.errors import UserError
from nap_core.methods import ImageSet, ScoringContext
from tests.conftest import REPOSITORY
from tests.methods.conftest import made_model, random_activations

CHANNELS = 64
ON_ACTIVATIONS = [name for name, record in methods.RECORDS.items() if not record.own_pass]
ALL = [*ON_ACTIVATIONS, *(f"nap+{name}" for name in ON_ACTIVATIONS if methods.RECORDS[name].positive)]

MODEL = made_model(CHANNELS)
FIT, IMAGES, OTHERS = (random_activations(MODEL, rows, seed) for rows, seed in ((300, 1), (60, 2), (70, 3)))


def context() -> ScoringContext:
    return ScoringContext(MODEL, "CIFAR-10", fit_activations=FIT)


def digest(spec: str, one: ScoringContext) -> str:
    """A digest of the bits of scores and predicted classes."""
    scored = methods.scored(methods.parse(spec), ImageSet(IMAGES), one)
    classes = b"" if scored.predictions is None else scored.predictions.tobytes()
    return sha256(scored.scores.tobytes() + classes).hexdigest()


def digests() -> dict[str, str]:
    one = context()
    return {spec: digest(spec, one) for spec in ALL}


@pytest.fixture(scope="module")
def fresh() -> dict[str, str]:
    """The digests of a process that has scored nothing else."""
    code = f"import json; from {__name__} import digests; print(json.dumps(digests()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    stated: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return stated


def cached_functions() -> Iterator[Callable[[], None]]:
    """``cache_clear`` of every cached function and method of the package's loaded modules."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "nap_core":
            owners = [module, *(one for one in vars(module).values() if isinstance(one, type))]
            for value in [value for owner in owners for value in vars(owner).values()]:
                if callable(clear := getattr(value, "cache_clear", None)):
                    yield clear


def test_after_other_methods_and_other_activations(fresh: dict[str, str]) -> None:
    shared = context()
    for spec in ALL:
        methods.scored(methods.parse(spec), ImageSet(OTHERS), shared)
    assert {spec: digest(spec, shared) for spec in reversed(ALL)} == fresh


def test_with_every_cache_cleared(fresh: dict[str, str]) -> None:
    clears = list(cached_functions())
    assert methods.parse.cache_clear in clears
    for clear in clears:
        clear()
    assert digests() == fresh


def test_with_other_global_seeds_and_what_is_global_stays_as_it_is(fresh: dict[str, str]) -> None:
    random.seed(11)
    np.random.seed(12)  # noqa: NPY002 - the global generator is what is tested
    torch.manual_seed(13)
    before = global_state()
    assert digests() == fresh
    assert global_state() == before


def global_state() -> tuple[object, ...]:
    """The state of the global generators, and the settings of torch and numpy."""
    drawn = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    settings = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads(), np.geterr()
    return *drawn, *settings, torch.get_float32_matmul_precision(), torch.are_deterministic_algorithms_enabled()


def test_the_digests_tell_fit_splits_apart(fresh: dict[str, str]) -> None:
    changed = ScoringContext(MODEL, "CIFAR-10", fit_activations=OTHERS)
    for spec in ON_ACTIVATIONS:
        assert (digest(spec, changed) != fresh[spec]) == methods.parse(spec).fits, spec


def test_a_context_cannot_change_and_another_one_starts_anew() -> None:
    one = context()
    of_all = methods.score("knn:k=5", ImageSet(IMAGES), one)
    with pytest.raises(FrozenInstanceError):
        one.fit_activations = FIT.head(20)
    few = replace(one, fit_activations=FIT.head(20))
    of_few = methods.score("knn:k=5", ImageSet(IMAGES), few)
    fresh = ScoringContext(MODEL, "CIFAR-10", fit_activations=FIT.head(20))
    np.testing.assert_array_equal(of_few, methods.score("knn:k=5", ImageSet(IMAGES), fresh))
    assert not np.array_equal(of_few, of_all)


def test_limits_hold_for_every_image_set_of_a_context() -> None:
    """Without a network, the limits are those of the activations, whatever was scored before."""
    one, narrow = ScoringContext(), replace(IMAGES, logits=IMAGES.logits[:, :3])
    assert len(methods.score("gen:M=5", ImageSet(IMAGES), one)) == len(IMAGES)
    with pytest.raises(UserError, match="M must be 0 to 3 here"):
        methods.score("gen:M=5", ImageSet(narrow), one)
