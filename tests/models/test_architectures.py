"""The CIFAR families: names and number of weights, shapes, shortcuts; and the tap that reads the penultimate map."""

import pytest
import torch
from torch import Tensor, nn

from nap_core.models import ARCHITECTURES, FeatureHook
from nap_core.models.cifar_networks import CifarDenseNet, CifarResNet


class TestArchitectures:
    def test_names_of_the_densenets_weights_are_the_common_ones(self) -> None:
        names = set(CifarDenseNet(100, 12).state_dict())
        assert {
            "conv1.weight",
            "block1.layer.0.bn1.weight",
            "block1.layer.0.conv1.weight",
            "block1.layer.15.conv2.weight",
            "trans1.bn1.running_mean",
            "trans1.conv1.weight",
            "trans2.conv1.weight",
            "block3.layer.15.bn2.bias",
            "bn1.weight",
            "fc.weight",
            "fc.bias",
        } <= names
        assert {name.split(".")[0] for name in names} == {
            "conv1", "block1", "trans1", "block2", "trans2", "block3", "bn1", "fc",
        }  # fmt: skip

    def test_names_of_the_resnets_weights_are_the_common_ones(self) -> None:
        names = set(CifarResNet(20).state_dict())
        assert {"conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "layer3.2.bn2.bias", "linear.weight"} <= names
        assert {name.split(".")[0] for name in names} == {"conv1", "bn1", "layer1", "layer2", "layer3", "linear"}

    @pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name.startswith("resnet")])
    def test_shortcuts_have_no_parameters(self, architecture: str) -> None:
        assert not [name for name in ARCHITECTURES[architecture].build(10).state_dict() if "shortcut" in name]

    @pytest.mark.parametrize(
        ("architecture", "parameters"),
        # Published: ResNet 0.27, 0.46, 0.66, 0.85 and 1.7 million (He et al., Table 6), DenseNet-BC-100-12 0.8 million
        # (Huang et al., Table 2); the exact numbers by adding up the layers.
        [
            ("resnet20", 269_722),
            ("resnet32", 464_154),
            ("resnet44", 658_586),
            ("resnet56", 853_018),
            ("resnet110", 1_727_962),
            ("densenet_bc_100_12", 769_162),
        ],
    )
    def test_number_of_parameters_is_the_published_one(self, architecture: str, parameters: int) -> None:
        network = ARCHITECTURES[architecture].build(10)
        assert sum(each.numel() for each in network.parameters()) == parameters

    @pytest.mark.parametrize(
        ("architecture", "shape"),
        [("resnet20", (64, 8, 8)), ("densenet_bc_100_12", (342, 8, 8)), ("efficientnet_lite0", (1280, 7, 7))],
    )
    def test_shape_of_the_penultimate_map(self, architecture: str, shape: tuple[int, int, int]) -> None:
        blueprint = ARCHITECTURES[architecture]
        side = blueprint.transform.crop
        network, found = blueprint.build(10).eval(), []
        with torch.inference_mode(), blueprint.hook.capture(network, found.append):
            network(torch.zeros(1, 3, side, side))
        assert found[0].shape[1:] == shape

    @pytest.mark.parametrize(
        ("build", "depth"), [(CifarResNet, 21), (CifarResNet, 2), (CifarDenseNet, 99), (CifarDenseNet, 4)]
    )
    def test_depth_that_does_not_exist_is_refused(self, build: type[nn.Module], depth: int) -> None:
        with pytest.raises(ValueError, match=f"not {depth}"):
            build(depth)

    def test_shortcut_halves_the_picture_and_pads_the_channels_evenly(self) -> None:
        block = CifarResNet(20).layer2[0].shortcut
        x = torch.arange(16 * 4 * 4, dtype=torch.float32).reshape(1, 16, 4, 4)
        found = block(x)
        assert found.shape == (1, 32, 2, 2)
        torch.testing.assert_close(found[:, 8:24], x[:, :, ::2, ::2])
        assert not found[:, :8].any()
        assert not found[:, 24:].any()


class TestTap:
    NETWORK = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))

    @pytest.mark.parametrize("side", ["input", "output"])
    def test_reads_one_side_of_a_module(self, side: str) -> None:
        found: list[Tensor] = []
        x = torch.tensor([[1.0, -2.0]])
        with FeatureHook("1", side).capture(self.NETWORK, found.append):
            self.NETWORK(x)
        before = self.NETWORK[0](x)
        torch.testing.assert_close(found[0], before if side == "input" else before.relu())

    def test_reads_only_while_it_is_open_even_after_an_error(self) -> None:
        found: list[Tensor] = []
        with pytest.raises(RuntimeError), FeatureHook("1").capture(self.NETWORK, found.append):
            self.NETWORK(torch.zeros(1, 5))
        self.NETWORK(torch.zeros(1, 2))
        assert not found

    def test_leaves_the_result_alone(self) -> None:
        x = torch.randn(4, 2)
        before = self.NETWORK(x)
        with FeatureHook("0").capture(self.NETWORK, lambda _map: None):
            torch.testing.assert_close(self.NETWORK(x), before)

    def test_module_that_is_not_there(self) -> None:
        with pytest.raises(AttributeError), FeatureHook("nowhere").capture(self.NETWORK, lambda _map: None):
            pass

    def test_in_words(self) -> None:
        assert str(FeatureHook("penultimate")) == "output of penultimate"
        assert str(FeatureHook("_avg_pooling", side="input")) == "input of _avg_pooling"
