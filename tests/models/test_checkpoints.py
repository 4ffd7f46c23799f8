"""Checkpoints in the shapes in which people have them: the right weights are taken, and what was taken is said."""

import argparse
import enum
import pathlib
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from nap_core import models
from nap_core.errors import UserError
from nap_core.models import ARCHITECTURES, weights_choice

State = dict[str, torch.Tensor]
WRAPPERS: dict[str, Callable[[State], object]] = {
    "plain": lambda state: state,
    "state_dict": lambda state: {"state_dict": state, "epoch": 9, "best": 92.5},
    "model": lambda state: {"model": state, "optimizer": {"state": {}, "param_groups": []}},
    "net": lambda state: {"net": state, "acc": 95.1},
    "model_state_dict": lambda state: {"model_state_dict": state, "loss": 0.1},
    "network": lambda state: {"network": state},
    "ema": lambda state: {"ema": state, "epoch": 1},
    "state_dict_ema": lambda state: {"state_dict_ema": state},
    "model_ema": lambda state: {"model_ema": state},
    "in two": lambda state: {"checkpoint": {"model": state}, "epoch": 2},
    "averaged": lambda state: {
        "n_averaged": torch.tensor(5),
        **{f"module.{name}": value for name, value in state.items()},
    },
}
PREFIXES = (
    *("", "module.", "_orig_mod.", "model.", "net.", "backbone.", "encoder."),
    *("module._orig_mod.", "_orig_mod.module.", "model.backbone."),
)
FAMILIES = [name for name in ARCHITECTURES if name.startswith(("resnet", "densenet"))]


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(0)
    return ARCHITECTURES["resnet20"].build(4).state_dict()


def prefixed(state: State, prefix: str) -> State:
    return OrderedDict((prefix + name, value) for name, value in state.items())


def assert_loads(content: object, state: State, path: Path, architecture: str = "resnet20") -> models.LoadedModel:
    torch.save(content, path)
    model = models.load_checkpoint(architecture, path)
    loaded = model.network.state_dict()
    assert [name for name, value in state.items() if not torch.equal(loaded[name], value)] == []
    return model


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_every_wrapper(wrapper: str, state: State, tmp_path: Path) -> None:
    model = assert_loads(WRAPPERS[wrapper](state), state, tmp_path / "a.pth")
    assert bool(model.notes) == (wrapper != "plain")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix(prefix: str, state: State, tmp_path: Path) -> None:
    model = assert_loads({"state_dict": prefixed(state, prefix)}, state, tmp_path / "a.ckpt")
    assert any("removed" in note for note in model.notes) == bool(prefix)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", FAMILIES)
def test_every_family_in_every_wrapper_with_every_prefix_gives_the_same_weights(architecture: str) -> None:
    """The same tensors under the same names give the same logits; the forward pass is left out of 110 combinations."""
    torch.manual_seed(0)
    blueprint = ARCHITECTURES[architecture]
    state = blueprint.build(3).state_dict()
    for wrapper in WRAPPERS.values():
        for prefix in PREFIXES:
            chosen = weights_choice.choose(blueprint, wrapper(prefixed(state, prefix)), "a.pth")
            assert isinstance(chosen, weights_choice.Choice), prefix
            assert chosen.fit.state.keys() == state.keys()
            assert all(chosen.fit.state[name] is value for name, value in state.items())


@pytest.mark.parametrize("suffix", [".th", ".ckpt", ".bin", ".pkl", ".pt", ".tar"])
def test_the_ending_does_not_matter(suffix: str, state: State, tmp_path: Path) -> None:
    assert_loads(state, state, tmp_path / f"a{suffix}")


def test_an_average_is_taken_first_and_another_entry_can_be(state: State, tmp_path: Path) -> None:
    worse = state | {"linear.weight": state["linear.weight"] + 1}
    model = assert_loads({"state_dict": worse, "state_dict_ema": state}, state, path := tmp_path / "a.pth")
    assert "“state_dict_ema”" in model.notes[0] and "“state_dict”" in model.notes[0]
    other = models.load_checkpoint("resnet20", path, entry="state_dict")
    assert torch.equal(other.network.state_dict()["linear.weight"], worse["linear.weight"])
    assert other.weights_sha256 != model.weights_sha256
    with pytest.raises(UserError, match="no entry “nonsense”"):
        models.load_checkpoint("resnet20", path, entry="nonsense")


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    "beside",
    [np.float64(92.1), np.int64(3), argparse.Namespace(lr=0.1), pathlib.PurePosixPath("/data"), Colour.RED],
    ids=lambda beside: type(beside).__name__,
)
def test_inert_values_beside_the_tensors(beside: object, state: State, tmp_path: Path) -> None:
    assert_loads({"state_dict": state, "beside": beside}, state, tmp_path / "a.pth")


class Runs:
    """Would make a file if it were loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return pathlib.Path.touch, (self.path,)


def test_what_would_run_is_named_and_does_not(state: State, tmp_path: Path) -> None:
    torch.save({"state_dict": state, "cfg": Runs(tmp_path / "made")}, path := tmp_path / "a.pth")
    with pytest.raises(UserError, match="entry 'cfg' is a"):
        models.load_checkpoint("resnet20", path)
    path.write_bytes(pickle.dumps(Runs(tmp_path / "made")))
    with pytest.raises(UserError):
        models.load_checkpoint("resnet20", path)
    assert not (tmp_path / "made").exists()


def test_a_last_layer_of_another_name_is_matched_by_its_place(state: State, tmp_path: Path) -> None:
    renamed = {name.replace("linear.", "fc."): value for name, value in state.items()}
    assert "“fc”" in assert_loads(renamed, state, tmp_path / "a.pth").notes[0]


def test_counters_of_a_profiler_are_left(state: State, tmp_path: Path) -> None:
    counted = state | {f"layer1.total_{what}": torch.zeros(1) for what in ("ops", "params")}
    assert "2 counters" in assert_loads(counted, state, tmp_path / "a.pth").notes[0]


def test_a_first_layer_of_one_channel_is_converted_as_timm_does(state: State, tmp_path: Path) -> None:
    grey = state | {"conv1.weight": state["conv1.weight"].sum(1, keepdim=True)}
    torch.save(grey, path := tmp_path / "a.pth")
    model = models.load_checkpoint("resnet20", path)
    images = torch.rand(2, 1, 32, 32)
    expected = torch.nn.functional.conv2d(images, grey["conv1.weight"], padding=1)
    with torch.no_grad():
        assert torch.allclose(model.network.conv1(images.repeat(1, 3, 1, 1)), expected, atol=1e-5)
    assert any("one input channel" in note for note in model.notes)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "Keras"),
        (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0" + bytes(64), "ONNX"),
        (b"", "0 bytes"),
        (b"# Notes\nnothing here\n", "text file"),
    ],
    ids=["lfs", "page", "keras", "onnx", "empty", "text"],
)
def test_what_is_no_checkpoint_is_told_what_it_is(content: bytes, words: str, tmp_path: Path) -> None:
    (path := tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(UserError, match=words):
        models.load_checkpoint("resnet20", path)


def test_archives_of_programs_and_cut_files_are_told_what_they_are(state: State, tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2))
    torch.export.save(torch.export.export(network, (torch.zeros(1, 2),)), exported := tmp_path / "a.pt2")
    with pytest.raises(UserError, match=r"torch\.export"):
        models.load_checkpoint("resnet20", exported)
    torch.save(state, whole := tmp_path / "whole.pth")
    (cut := tmp_path / "cut.pth").write_bytes(whole.read_bytes()[:-3000])
    with pytest.raises(UserError, match="cut short"):
        models.load_checkpoint("resnet20", cut)


def test_a_list_of_members_is_refused(state: State, tmp_path: Path) -> None:
    torch.save([state, state], path := tmp_path / "a.pth")
    with pytest.raises(UserError, match="list of 2"):
        models.load_checkpoint("resnet20", path)
