"""What a look at a running network finds: the map that is averaged, the head, and the layers that could be read."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import get_model

from nap_core.errors import UserError
from nap_core.models import ARCHITECTURES, architectures
from nap_core.models.introspection import inspect_network

SIDE = 32


class Network(nn.Module):
    """Two convolutions to a map of 8 × 8, then what a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, 2, 1)
        self.second = nn.Conv2d(4, 6, 3, 2, 1)
        self.fc = nn.Linear(6, 5)

    def features(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))))


class PooledByFunction(Network):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x).mean((2, 3)))


class PooledByModule(Network):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)  # one for both, writing over what the convolutions put out
        self.gate = nn.AdaptiveAvgPool2d(1)
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.second(self.relu(self.first(x))))
        x = self.relu(x * self.gate(x))
        return self.fc(self.pool(x).flatten(1))


class NormBeforeHead(PooledByModule):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(6)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.norm(self.pool(self.features(x)).flatten(1)))


class WithoutPooling(Network):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6 * 64, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x).flatten(1))


class WithoutHead(PooledByModule):
    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.features(x)).flatten(1)


class WeightNormHead(PooledByModule):
    """A linear layer by class, whose answers are not linear in what it reads."""

    class Cosine(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return F.linear(F.normalize(x), F.normalize(self.weight))

    def __init__(self) -> None:
        super().__init__()
        self.fc = self.Cosine(6, 5)


class ChannelsLast(Network):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(6)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.norm(self.features(x).permute(0, 2, 3, 1)).mean((1, 2)))


class Transformer(Network):
    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, 6))
        self.block = nn.TransformerEncoderLayer(6, 2, 12, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.features(x).flatten(2).transpose(1, 2)
        tokens = self.block(torch.cat([self.token.expand(len(x), -1, -1), tokens], 1))
        return self.fc(tokens[:, 0])


class TwoInputs(PooledByFunction):
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return super().forward(x) * mask


class AnswersTwice(PooledByFunction):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x), x


class OnPixels(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(3 * SIDE**2, 5))


def seeded(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return kind().eval()


def assert_head_of_mean_is_logits(network: nn.Module, side: int = SIDE) -> None:
    found = inspect_network(network, side)
    maps: list[Tensor] = []
    torch.manual_seed(1)
    with torch.no_grad(), found.hook.capture(network, maps.append):
        logits = network(torch.randn(2, 3, side, side))
        by_hand = network.get_submodule(found.head)(maps[-1].mean((2, 3)))
    assert maps[-1].shape[1:] == found.shape
    torch.testing.assert_close(by_hand, logits, rtol=1e-3, atol=1e-4 * float(logits.abs().max()))


SENTENCES = {
    PooledByFunction: "Found: the map that leaves “second”, 6 channels of 8 × 8, cut at zero; the last layer, “fc”, "
    "reads its mean.",
    PooledByModule: "Found: the map that enters “pool”, 6 channels of 8 × 8; the last layer, “fc”, reads its mean.",
    NormBeforeHead: "Found: the map that enters “pool”, 6 channels of 8 × 8; the last layer, “fc”, reads 6 values "
    "that are not its mean, and these are kept as well.",
    WithoutPooling: "Found no global pooling; read is the last map that leaves “second”, 6 channels of 8 × 8, cut at "
    "zero; the last layer, “fc”, reads 384 values that are not its mean, and these are kept as well.",
    WithoutHead: "Found: the map that enters “pool”, 6 channels of 8 × 8; no linear layer gives the logits, so "
    "methods that need its weights cannot run.",
    WeightNormHead: "Found: the map that enters “pool”, 6 channels of 8 × 8; no linear layer gives the logits, so "
    "methods that need its weights cannot run.",
    Transformer: "Found no global pooling; read is the last map of patch tokens that leaves “block”, 6 channels of 8 × "
    "8, cut at zero; the last layer, “fc”, reads 6 values that are not its mean, and these are kept as well.",
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_says_what_it_found(kind: type[nn.Module]) -> None:
    assert inspect_network(seeded(kind), SIDE).sentence() == SENTENCES[kind]


@pytest.mark.parametrize("kind", [PooledByFunction, PooledByModule])
def test_mean_times_head_is_the_logits(kind: type[nn.Module]) -> None:
    network = seeded(kind)
    assert inspect_network(network, SIDE).head_on_mean
    assert_head_of_mean_is_logits(network)


def test_a_map_whose_channels_come_last_is_turned() -> None:
    network = seeded(ChannelsLast)
    found = inspect_network(network, SIDE)
    assert (found.hook.module, found.hook.channels_last, found.shape) == ("norm", True, (6, 8, 8))
    assert found.averaged
    assert found.hook.rectified and not found.head_on_mean  # the network averages what lies below zero, too


def test_a_pooling_within_a_block_is_not_the_last() -> None:
    assert inspect_network(seeded(PooledByModule), SIDE).hook.module == "pool"


def test_layers_come_in_the_order_of_execution_with_their_shapes() -> None:
    found = inspect_network(seeded(PooledByModule), SIDE)
    assert [layer.describe() for layer in found.layers] == [
        "first · 4 × 16 × 16",
        "second · 6 × 8 × 8",
        "relu · 6 × 8 × 8",
    ]
    assert [layer.kind for layer in found.layers] == ["Conv2d", "Conv2d", "ReLU"]
    # Read before the ReLU wrote over it: the map went below zero.
    assert [layer.rectified for layer in found.layers] == [True, True, False]
    assert [layer.feeds_head for layer in found.layers] == [False, False, True]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (TwoInputs, r"asks for 2 inputs \(x, mask\), and there are only images"),
        (AnswersTwice, "answers an image with a tuple in place of a row of logits"),
        (OnPixels, "has no layer that puts out a map"),
    ],
)
def test_what_cannot_be_read_is_said(kind: type[nn.Module], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        inspect_network(seeded(kind), SIDE)


def test_images_that_the_network_does_not_take_are_said() -> None:
    with pytest.raises(UserError, match=r"does not take images of 3 × 48 × 48: mat1 and mat2"):
        inspect_network(seeded(WithoutPooling), 48)


def test_a_layer_that_is_not_there_is_said_with_some_that_are() -> None:
    with pytest.raises(UserError, match=r"no layer “third” that puts out a map\. The last that do are first, second"):
        inspect_network(seeded(PooledByFunction), SIDE).layer("third")


def test_nothing_is_left_behind() -> None:
    network = seeded(PooledByModule).train()
    network.second.eval()
    modes = [module.training for module in network.modules()]
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    inspect_network(network, SIDE)
    with pytest.raises(UserError):
        inspect_network(network, 0)
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in network.modules()] == modes
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    torch.testing.assert_close(network.state_dict(), weights, rtol=0, atol=0)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_finds_what_the_catalogue_says(name: str) -> None:
    blueprint = ARCHITECTURES[name]
    torch.manual_seed(0)
    network, side = blueprint.build(7), blueprint.transform.crop
    found, known = inspect_network(network, side), inspect_network(network, side, blueprint.hook)
    assert (found.head, found.head_on_mean, found.shape) == (blueprint.head, True, known.shape)
    assert known.head_on_mean


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v2", "efficientnet_b0", "regnet_x_400mf"])
def test_finds_what_torchvisions_families_say(name: str) -> None:
    blueprint = architectures.find(name)
    torch.manual_seed(0)
    found = inspect_network(blueprint.build(7), 96)
    assert (found.head, found.head_on_mean) == (blueprint.head, True)
    assert found.hook.module == blueprint.hook.module or found.hook.module == blueprint.hook.module.rpartition(".")[0]
    assert len(found.stages) == 4


@pytest.mark.parametrize(
    ("name", "module", "reads"),
    [
        ("alexnet", "avgpool", 4096),
        pytest.param("vgg11", "avgpool", 4096, marks=pytest.mark.slow),
        pytest.param("convnext_tiny", "avgpool", 768, marks=pytest.mark.slow),
        pytest.param("swin_t", "avgpool", 768, marks=pytest.mark.slow),
        pytest.param("vit_b_16", "encoder", 768, marks=pytest.mark.slow),
    ],
)
def test_heads_that_do_not_read_the_mean(name: str, module: str, reads: int) -> None:
    torch.manual_seed(0)
    found = inspect_network(get_model(name, weights=None, num_classes=7), 224)
    assert (found.hook.module, found.features, found.head_on_mean) == (module, reads, False)
