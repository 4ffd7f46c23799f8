"""Weights from a file: every common form loads, and everything else is refused with a sentence."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from nap_core import models
from nap_core.errors import UserError
from nap_core.models import ARCHITECTURES
from nap_core.models.checkpoint import load_into, read_state_dict


def fresh(architecture: str, classes: int = 7) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return ARCHITECTURES[architecture].build(classes).state_dict()


def written(state: object, path: Path) -> Path:
    torch.save(state, path)
    return path


STATE = fresh("resnet20")


class TestCheckpoints:
    @pytest.mark.parametrize(
        "packed",
        [
            pytest.param(lambda state: state, id="plain"),
            pytest.param(lambda state: {"epoch": 3, "state_dict": state}, id="under state_dict"),
            pytest.param(lambda state: {f"module.{name}": value for name, value in state.items()}, id="module."),
            pytest.param(
                lambda state: {"state_dict": {f"module.{name}": value for name, value in state.items()}}, id="both"
            ),
            pytest.param(
                lambda state: {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}, id="old"
            ),
        ],
    )
    def test_common_forms_load(self, packed, tmp_path: Path) -> None:
        model = models.load_checkpoint("resnet20", written(packed(STATE), tmp_path / "checkpoint.pth.tar"))
        for name, value in STATE.items():
            if not name.endswith("num_batches_tracked"):
                torch.testing.assert_close(model.network.state_dict()[name], value)
        np.testing.assert_array_equal(model.head_weight, STATE["linear.weight"])
        np.testing.assert_array_equal(model.head_bias, STATE["linear.bias"])

    def test_safetensors_load(self, tmp_path: Path) -> None:
        save_file(STATE, tmp_path / "weights.safetensors")
        model = models.load_checkpoint("resnet20", tmp_path / "weights.safetensors")
        torch.testing.assert_close(model.network.state_dict()["layer3.2.conv2.weight"], STATE["layer3.2.conv2.weight"])

    def test_number_of_classes_is_read_from_the_file(self, tmp_path: Path) -> None:
        path = written(STATE, tmp_path / "seven.pt")
        model = models.load_checkpoint("resnet20", path)
        assert model.classes == tuple(f"class {index}" for index in range(7))
        assert models.load_checkpoint("resnet20", path, classes=tuple("abcdefg")).classes == tuple("abcdefg")
        with pytest.raises(UserError, match="has 7 classes, but 2 class names"):
            models.load_checkpoint("resnet20", path, classes=("a", "b"))

    def test_other_weights_have_another_identity(self, tmp_path: Path) -> None:
        first = models.load_checkpoint("resnet20", written(STATE, tmp_path / "a.pt"))
        second = models.load_checkpoint("resnet20", written(fresh("resnet20", 3), tmp_path / "b.pt"))
        assert first.weights_sha256 != second.weights_sha256

    def test_transform_can_be_another(self, tmp_path: Path) -> None:
        other = models.Transform(40, 32, (0.5,) * 3, (0.25,) * 3)
        path = written(STATE, tmp_path / "a.pt")
        assert models.load_checkpoint("resnet20", path, transform=other).transform is other
        assert models.load_checkpoint("resnet20", path).transform is ARCHITECTURES["resnet20"].transform


class Opens:
    """What a malicious pickle does: call something while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class TestBadCheckpoints:
    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"no weights file at .*nothing\.pt\. Check the path"):
            read_state_dict(tmp_path / "nothing.pt")

    @pytest.mark.parametrize("suffix", ["pt", "safetensors"])
    @pytest.mark.parametrize("keep", [0, 7, 100, 0.5, 0.999])
    def test_file_cut_short(self, suffix: str, keep: float, tmp_path: Path) -> None:
        path = tmp_path / f"weights.{suffix}"
        torch.save(STATE, path) if suffix == "pt" else save_file(STATE, path)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(keep * len(whole)) if 0 < keep < 1 else int(keep)])
        with pytest.raises(UserError, match=path.name):
            read_state_dict(path)

    @pytest.mark.parametrize("suffix", ["pt", "safetensors"])
    @pytest.mark.parametrize("content", [b"GIF89a", b"\x00" * 64, b"\x80\x02]q\x00.", bytes(range(256)) * 40])
    def test_file_of_something_else(self, suffix: str, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / f"weights.{suffix}"
        path.write_bytes(content)
        with pytest.raises(UserError, match=path.name):
            read_state_dict(path)

    @pytest.mark.filterwarnings("ignore:Detected pickle protocol")
    @pytest.mark.parametrize("zipped", [True, False])
    def test_flipped_bytes_are_answered_with_a_sentence_or_not_at_all(self, zipped: bool, tmp_path: Path) -> None:
        """A flip may go unseen (a number, a name), but must never end in another exception."""
        path = tmp_path / "weights.pt"
        torch.save({f"layer.{i}": torch.zeros(3) for i in range(3)}, path, _use_new_zipfile_serialization=zipped)
        whole = path.read_bytes()
        rng = np.random.default_rng(0)
        refused = 0
        for _ in range(300):
            damaged = bytearray(whole)
            for place in rng.integers(len(whole), size=4):
                damaged[place] = rng.integers(256)
            path.write_bytes(damaged)
            try:
                read_state_dict(path)
            except UserError:
                refused += 1
        assert refused > 50

    @pytest.mark.parametrize("legacy", [False, True])
    def test_code_in_a_pickle_is_refused_and_not_run(self, legacy: bool, tmp_path: Path) -> None:
        trace = tmp_path / "trace"
        path = tmp_path / "weights.pt"
        if legacy:
            path.write_bytes(pickle.dumps({"state_dict": 1, "note": Opens(trace)}, protocol=2))
        else:
            torch.save({"state_dict": STATE, "note": Opens(trace)}, path)
        with pytest.raises(UserError, match=r"could run code, so it was not opened\. Save its state_dict alone"):
            read_state_dict(path)
        assert not trace.exists()

    def test_whole_model_instead_of_its_weights_is_refused(self, tmp_path: Path) -> None:
        torch.save(nn.Linear(2, 2), tmp_path / "model.pt")
        with pytest.raises(UserError, match="holds more than tensors"):
            read_state_dict(tmp_path / "model.pt")

    @pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, {"state_dict": {}}, torch.zeros(3)])
    def test_checkpoint_without_a_state_dict(self, content: object, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="holds no state dict"):
            read_state_dict(written(content, tmp_path / "weights.pt"))

    def test_weights_of_another_architecture(self, tmp_path: Path) -> None:
        path = written(STATE, tmp_path / "weights.pt")
        with pytest.raises(UserError, match=r"has no fc\.weight: it is not a checkpoint of densenet_bc_100_12"):
            models.load_checkpoint("densenet_bc_100_12", path)
        with pytest.raises(UserError, match=r"no architecture called “inception_v3”\. There are: resnet20, "):
            models.load_checkpoint("inception_v3", path)

    def test_weights_of_another_depth_name_what_is_too_much(self, tmp_path: Path) -> None:
        deeper = written(fresh("resnet32"), tmp_path / "deeper.pt")
        with pytest.raises(
            UserError, match=r"deeper\.pt do not fit .*72 unexpected \(layer1\.3\.bn1.* …\)\. Pick the arch"
        ):
            models.load_checkpoint("resnet20", deeper)

    def test_missing_unexpected_and_misshapen_are_each_named(self) -> None:
        state = dict(STATE)
        del state["bn1.weight"], state["layer2.0.conv1.weight"]
        state["extra"] = torch.zeros(1)
        state["linear.bias"] = torch.zeros(3)
        with pytest.raises(UserError) as raised:
            load_into(ARCHITECTURES["resnet20"].build(7), state, "mine.pt")
        message = str(raised.value)
        assert "The weights in mine.pt do not fit this network" in message
        assert "2 missing (bn1.weight, layer2.0.conv1.weight)" in message
        assert "1 unexpected (extra)" in message
        assert "1 of another shape (linear.bias)" in message

    def test_network_keeps_its_weights_when_the_file_does_not_fit(self) -> None:
        network = ARCHITECTURES["resnet20"].build(7)
        before = network.linear.weight.clone()
        state = {**STATE, "extra": torch.zeros(1)}
        with pytest.raises(UserError):
            load_into(network, state, "mine.pt")
        torch.testing.assert_close(network.linear.weight, before)
