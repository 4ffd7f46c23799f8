"""A Transformer's attention, read beside its forward pass: the weights the network itself uses, nothing changed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn
from torchvision.models import vision_transformer

from nap_core import extraction, methods, models, nap
from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods import ScoringContext
from nap_core.models import AttentionHook, LoadedModel, architectures, attention_hook

SIDE = 96


def torchvisions(depth: int = 2) -> nn.Module:
    """ViT-B/32; of fewer blocks than its twelve where only the last is read."""
    torch.manual_seed(0)
    network = vision_transformer.VisionTransformer(
        image_size=SIDE, patch_size=32, num_layers=depth, num_heads=12, hidden_dim=768, mlp_dim=3072, num_classes=5
    ).eval()
    nn.init.normal_(network.heads.head.weight, 0, 0.05)
    for block in network.encoder.layers:  # its biases are zero at first, and would hide that they were forgotten
        nn.init.normal_(block.self_attention.in_proj_bias, 0, 0.5)
    return network


def timms(name: str = "vit_tiny_patch16_224", **settings: object) -> nn.Module:
    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=5, img_size=SIDE, **settings).eval()
    for block in network.blocks:
        nn.init.normal_(block.attn.qkv.bias, 0, 0.5)
        nn.init.normal_(block.attn.qkv.weight, 0, 0.1)
    return network


def read(network: nn.Module, hook: AttentionHook | None = None) -> tuple[Tensor, Tensor]:
    """The attention map and the logits of two images."""
    hook = hook or attention_hook.find(network)
    assert hook is not None
    found: list[Tensor] = []
    torch.manual_seed(1)
    with torch.inference_mode(), hook.capture(network, found.append):
        logits = network(torch.randn(2, 3, SIDE, SIDE))
    return found[0], logits


def by_torchvision(network: nn.Module) -> Tensor:
    """What nn.MultiheadAttention itself gives when it is asked for its weights: (B, heads, N, N)."""
    kept: list[Tensor] = []
    block = network.encoder.layers[-1].self_attention

    def ask(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        kept.append(nn.MultiheadAttention.forward(module, *inputs, need_weights=True, average_attn_weights=False)[1])

    handle = block.register_forward_pre_hook(ask)
    torch.manual_seed(1)
    with torch.inference_mode():
        network(torch.randn(2, 3, SIDE, SIDE))
    handle.remove()
    return kept[0]


def by_timm(network: nn.Module) -> Tensor:
    """What enters the dropout of timm's unfused attention: (B, heads, N, N)."""
    kept: list[Tensor] = []
    block = network.blocks[-1].attn
    block.fused_attn = False
    handle = block.attn_drop.register_forward_pre_hook(lambda _module, inputs: kept.append(inputs[0]))
    torch.manual_seed(1)
    with torch.inference_mode():
        network(torch.randn(2, 3, SIDE, SIDE))
    handle.remove()
    block.fused_attn = True
    return kept[0]


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[nn.Module], Tensor], int, int]] = {
    "torchvision": (torchvisions, by_torchvision, 1, 12),
    "timm": (timms, by_timm, 1, 3),
    "timm, queries and keys normed": (lambda: timms(qk_norm=True), by_timm, 1, 3),
    "timm, registers": (lambda: timms(reg_tokens=4), by_timm, 5, 3),
    "timm, a distillation token": (lambda: timms("deit_tiny_distilled_patch16_224"), by_timm, 2, 3),
}


@pytest.mark.parametrize("case", CASES)
def test_is_the_class_tokens_attention_over_the_patches(case: str) -> None:
    build, asked, others, heads = CASES[case]
    network = build()
    found, _ = read(network)
    expected = asked(network)[:, :, 0, others:]  # the class token's row, without what is no patch
    side = round(expected.shape[-1] ** 0.5)
    assert found.shape == (2, 1 + heads, side, side)
    torch.testing.assert_close(found[:, 1:].flatten(2), expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found[:, 0], found[:, 1:].mean(1))
    assert found.std() > 0
    hook = attention_hook.find(network)
    assert hook is not None and hook.heads(network) == heads


@pytest.mark.parametrize("case", CASES)
def test_the_logits_stay_the_same_to_the_last_bit(case: str) -> None:
    network = CASES[case][0]()
    torch.manual_seed(1)
    with torch.inference_mode():
        alone = network(torch.randn(2, 3, SIDE, SIDE))
    assert torch.equal(read(network)[1], alone)
    handles = [module for module in network.modules() if module._forward_pre_hooks]
    assert not handles  # nothing is left behind


def test_rows_run_from_top_to_bottom_and_columns_from_left_to_right() -> None:
    network = torchvisions()
    weights = by_torchvision(network)[0, 4, 0, 1:]
    found = read(network)[0][0, 5]
    assert found[1, 2] == pytest.approx(float(weights[1 * 3 + 2]), rel=1e-4)


def test_finds_none_where_no_class_token_is_read() -> None:
    assert attention_hook.find(architectures.find("swin_t").build(5)) is None
    assert attention_hook.find(architectures.find("resnet18").build(5)) is None
    assert attention_hook.find(timm.create_model("vit_tiny_patch16_224", global_pool="avg")) is None
    relative_positions = timm.create_model("beit_base_patch16_224", img_size=32, depth=2)
    assert attention_hook.find(relative_positions) is None


def test_refuses_a_module_that_is_no_attention_known_here() -> None:
    network = torchvisions()
    with pytest.raises(UserError, match="The attention of a Linear cannot be read"):
        read(network, AttentionHook("heads.head"))
    with pytest.raises(AttributeError):
        read(network, AttentionHook("no.such.module"))


@pytest.fixture(scope="module")
def vit() -> LoadedModel:
    blueprint = architectures.find("vit_b_32")
    transform = replace(blueprint.transform, resize=SIDE, crop=SIDE)
    return models.assemble(blueprint, torchvisions(depth=12), transform, tuple("abcde"), "")


@pytest.fixture(scope="module")
def seen(vit: LoadedModel) -> tuple[Activations, np.ndarray]:
    views = np.random.default_rng(0).integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
    return extraction.look(vit, views, device="cpu")


class TestNap:
    def test_is_the_highest_attention_of_the_mean_over_the_heads(self, vit: LoadedModel, seen: tuple) -> None:
        activations, maps = seen
        assert vit.heads == 12 and vit.reads_attention
        assert activations.channels == 13 and activations.features.shape == (6, 768)
        expected = maps[:, 1:].mean(1).max((1, 2))
        np.testing.assert_allclose(methods.score("nap", activations, ScoringContext(vit)), expected, rtol=1e-5)
        np.testing.assert_array_equal(
            methods.score("nap", activations, ScoringContext(vit)), nap.attention_score(activations)
        )

    def test_of_one_head(self, vit: LoadedModel, seen: tuple) -> None:
        activations, maps = seen
        found = methods.score("nap:head=3", activations, ScoringContext(vit))
        np.testing.assert_array_equal(found, maps[:, 3].max((1, 2)))

    def test_is_combined_with_others(self, vit: LoadedModel, seen: tuple) -> None:
        activations, maps = seen
        energy = methods.score("energy", activations, ScoringContext(vit))
        found = methods.score("nap+energy", activations, ScoringContext(vit), w=0.5)
        np.testing.assert_allclose(found, np.sqrt(np.maximum(energy, 1e-6) * maps[:, 0].max((1, 2))), rtol=1e-5)

    def test_a_head_that_there_is_not_is_refused(self, vit: LoadedModel, seen: tuple) -> None:
        with pytest.raises(UserError, match="head must be 0 to 12 here, where ViT-B/32 has 12 heads, not 13"):
            methods.score("nap:head=13", seen[0], ScoringContext(vit))

    def test_a_head_of_a_cnn_is_refused(self, seen: tuple) -> None:
        with pytest.raises(UserError, match="head must be 0 here, where ResNet-20 is no Transformer, not 1"):
            methods.score("nap:head=1", seen[0], ScoringContext(models.load("resnet20-cifar10")))

    @pytest.mark.parametrize("design", ["nap-variance", "nap-no-square", "nap-minus", "nap-minus+energy"])
    def test_the_designs_for_maps_are_refused(self, design: str, vit: LoadedModel, seen: tuple) -> None:
        with pytest.raises(UserError, match="is a design for the maps of CNNs"):
            methods.score(design, seen[0], ScoringContext(vit))

    def test_an_epsilon_is_refused(self, vit: LoadedModel, seen: tuple) -> None:
        with pytest.raises(UserError, match="without an ε"):
            methods.score("nap:epsilon=0.5", seen[0], ScoringContext(vit))
