"""Every method on networks whose last layer reads more than the means: it scores with their logits, or says why not."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.vision_transformer import VisionTransformer

from nap_core import methods, models
from nap_core.datasets import ArrayImages
from nap_core.errors import UserError
from nap_core.extraction import extract
from nap_core.methods import ImageSet, ScoringContext
from nap_core.models import LoadedModel, architectures
from tests.models.test_attention_hook import torchvisions
from tests.models.test_torchvision_families import randomised

SIDE, CLASSES = 96, 5


def small_convnext() -> nn.Module:
    """Torchvision's ConvNeXt in small: a norm lies between the map's means and the last layer."""
    torch.manual_seed(0)
    widths = (8, 12, 16, 24)
    stages = [CNBlockConfig(width, following, 1) for width, following in zip(widths, (*widths[1:], None), strict=True)]
    network = ConvNeXt(stages, num_classes=CLASSES).eval()
    nn.init.normal_(network.classifier[2].weight, 0, 0.5)
    return network


def small_vit() -> nn.Module:
    """Torchvision's ViT in small, of as many blocks as ViT-B: the last layer reads the class token."""
    torch.manual_seed(0)
    network = VisionTransformer(SIDE, 32, num_layers=12, num_heads=4, hidden_dim=24, mlp_dim=48, num_classes=CLASSES)
    nn.init.normal_(network.heads.head.weight, 0, 0.5)  # zero at first: every image would be the same
    return network.eval()


# A small network of each kind of head, then a real one: what builds it, and the architecture that it is.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "small ConvNeXt": (small_convnext, "convnext_tiny"),
    "small ViT": (small_vit, "vit_b_32"),
    "ConvNeXt-Tiny": (partial(randomised, "convnext_tiny", CLASSES), "convnext_tiny"),
    "ViT-B/32": (partial(torchvisions, depth=12), "vit_b_32"),
}
# What asks for maps of a CNN, or for means that the logits are linear in.
REFUSED = {"convnext_tiny": {"rankfeat"}, "vit_b_32": {"nap-variance", "nap-no-square", "nap-minus", "rankfeat"}}
# Not those with gradients or over every layer, which are slow on networks of this size, but for two of them; nor SHE,
# which wants a right prediction of every class: random weights may give none.
QUICK = [name for name, one in methods.RECORDS.items() if not one.own_pass or name in ("odin", "rankfeat")]
QUICK.remove("she")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name.startswith("small") else pytest.mark.slow, id=name) for name in NETWORKS
    ],
)
def standing(request: pytest.FixtureRequest) -> tuple[str, ScoringContext, ImageSet]:
    build, name = NETWORKS[request.param]
    blueprint = architectures.find(name)
    transform = replace(blueprint.transform, resize=SIDE, crop=SIDE)
    model: LoadedModel = models.assemble(blueprint, build(), transform, tuple("abcde"), "")
    fit, images = noise("fit", 60), noise("images", 6)
    return (
        name,
        ScoringContext(model, fit_images=fit, device="cpu"),
        ImageSet(extract(model, images, device="cpu"), images),
    )


def noise(name: str, count: int) -> ArrayImages:
    """Images of 8 × 8 random pixels, of every class in turn."""
    pixels = np.random.default_rng(count).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return ArrayImages(name, name, tuple("abcde"), np.arange(count) % CLASSES, pixels, np.arange(count))


@pytest.mark.parametrize("method", QUICK)
def test_scores_or_says_why_not(method: str, standing: tuple[str, ScoringContext, ImageSet]) -> None:
    name, context, part = standing
    if method in REFUSED[name]:
        with pytest.raises(UserError):
            methods.score(method, part, context)
    else:
        found = methods.score(method, part, context)
        assert found.shape == (6,) and np.isfinite(found).all()


def test_what_prunes_nothing_leaves_the_networks_own_energy(standing: tuple[str, ScoringContext, ImageSet]) -> None:
    _, context, part = standing
    energy = methods.score("energy", part, context)
    np.testing.assert_allclose(methods.score("ash-p:percentile=0", part, context), energy, rtol=1e-4)
