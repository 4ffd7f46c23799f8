"""Every method on networks whose last layer reads more than the means: it scores with their logits, or says why not."""

from dataclasses import replace

import numpy as np
import pytest

from nap_core import methods, models
from nap_core.datasets import ArrayImages
from nap_core.errors import UserError
from nap_core.extraction import extract
from nap_core.methods import ImageSet, ScoringContext
from nap_core.models import LoadedModel, architectures
from tests.models.test_attention_hook import torchvisions
from tests.models.test_torchvision_families import randomised

SIDE, CLASSES = 96, 5
# What asks for maps of a CNN, or for means that the logits are linear in.
REFUSED = {"convnext_tiny": {"rankfeat"}, "vit_b_32": {"nap-variance", "nap-no-square", "nap-minus", "rankfeat"}}
# Not those with gradients or over every layer, which are slow on networks of this size, but for two of them; nor SHE,
# which wants a right prediction of every class: random weights may give none.
QUICK = [name for name, one in methods.RECORDS.items() if not one.own_pass or name in ("odin", "rankfeat")]
QUICK.remove("she")


@pytest.fixture(scope="module", params=REFUSED)
def standing(request: pytest.FixtureRequest) -> tuple[str, ScoringContext, ImageSet]:
    name = request.param
    blueprint = architectures.find(name)
    network = torchvisions() if name == "vit_b_32" else randomised(name, CLASSES)
    transform = replace(blueprint.transform, resize=SIDE, crop=SIDE)
    model: LoadedModel = models.assemble(blueprint, network, transform, tuple("abcde"), "")
    fit, images = noise("fit", 60), noise("met", 6)
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
