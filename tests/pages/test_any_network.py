"""Networks that end in every way go through every page: their maps, attention or features are shown or said to lack.

Random weights do: what is looked at is that pages say the right thing and none ends in a traceback.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import nn
from torchvision.models import VisionTransformer, vision_transformer

from nap_core import models
from nap_core.models import FeatureHook, architectures
from nap_core.models.attention_hook import AttentionHook
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from tests.pages.conftest import OpenPage
from tests.pages.test_activation_maps import component, text

# A small network of each way to end, then real ones; each with the side of images that is quick and still leaves a map
# of more than one neuron.
BY_MEANS, BY_FEATURES, BY_ATTENTION = "resnet20", "small_vgg", "small_vit"
SMALL = {BY_MEANS: 32, BY_FEATURES: 32, BY_ATTENTION: 64}
REAL = {"mobilenet_v2": 64, "resnet50": 64, "vgg16": 64, "vit_b_16": 64}
PAGES = (
    "home",
    "activation_maps",
    "max_vs_mean",
    "channels",
    "layers",
    "score_histograms",
    "score_image",
    "compare_methods",
    "w_sensitivity",
    "near_and_far",
    "sensitivity",
    "score_designs",
    "reproduce",
    "published",
)
CLASSES = ("cat", "dog", "ship", "truck")
IMAGES = 12


StudyOf = Callable[[str], Study]


def named(*small: str, real: tuple[str, ...] = tuple(REAL)) -> list[object]:
    """Values of a parameter: the small networks, then the real ones, which are slow."""
    return [*small, *(pytest.param(name, marks=pytest.mark.slow) for name in real)]


class SmallVGG(nn.Module):
    """Two convolutions, and two linear layers that read every position of the map: its means do not give the logits."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.classifier = nn.Sequential(nn.Linear(16 * 4 * 4, 24), nn.ReLU(), nn.Linear(24, classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(images).flatten(1))


def small_vit(classes: int) -> nn.Module:
    """Torchvision's ViT in small, of as many heads as ViT-B."""
    return VisionTransformer(64, 16, num_layers=2, num_heads=12, hidden_dim=48, mlp_dim=48, num_classes=classes)


def small_architectures() -> dict[str, architectures.Architecture]:
    vgg, vit = architectures.find("vgg16"), architectures.find("vit_b_16")
    attention = AttentionHook("encoder.layers.encoder_layer_1.self_attention")
    layers = ("features.1", "features")
    return {
        BY_FEATURES: replace(vgg, build=SmallVGG, hook=FeatureHook("features"), head="classifier.2", layers=layers),
        BY_ATTENTION: replace(vit, build=small_vit, hook=attention),
    }


def built(name: str, side: int) -> nn.Module:
    torch.manual_seed(0)
    if name == "vit_b_16":
        network = vision_transformer.vit_b_16(image_size=side, num_classes=len(CLASSES))
    else:
        network = architectures.find(name).build(len(CLASSES))
    if name in (BY_ATTENTION, "vit_b_16"):
        nn.init.normal_(network.heads.head.weight, 0, 0.05)  # zero at first: every image would be the same
    return network


@pytest.fixture(scope="module")
def study_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudyOf]:
    """``study_of("resnet50")``: a study of that network, which is one of the user's own, run when first wanted."""
    folder = tmp_path_factory.mktemp("any-network")
    draw = np.random.default_rng(0)
    for name in ("known", "met"):  # a page compares one image with up to 1,000 known ones: here are few
        np.savez(folder / f"{name}.npz", images=draw.integers(0, 256, (IMAGES, 64, 64, 3), dtype=np.uint8))

    @cache
    def study_of(name: str) -> Study:
        side = (SMALL | REAL)[name]
        torch.save(built(name, side).state_dict(), path := folder / f"{name}.pth")
        usual = architectures.find(name).transform
        transform = models.Transform(side, side, usual.mean, usual.std)
        kept = models.add(path, name, name, transform=transform, classes=CLASSES)
        path.unlink()
        study = Study(kept, "own:known.npz", ("own:met.npz", "uniform-noise"), IMAGES)
        run(study, Store())
        return study

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAP_MODELS_FOLDER", str(folder / "models"))
        patch.setenv("NAP_DATA_ROOTS", str(folder))
        for name, one in small_architectures().items():
            patch.setitem(architectures.ARCHITECTURES, name, replace(one, name=name))
        yield study_of
        shutil.rmtree(folder)  # a gigabyte of real networks, of which pytest would keep the last three


def shown(app: AppTest) -> str:
    """All that a page says in words."""
    kinds = (app.markdown, app.caption, app.info, app.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


# One that ends as ResNets do is looked at by every other test of a page.
@pytest.mark.parametrize("name", named(BY_FEATURES, real=(BY_ATTENTION,)))
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(name: str, page: str, study_of: StudyOf, open_page: OpenPage) -> None:
    app = open_page(page, study_of(name))
    assert not app.error
    assert app.title


@pytest.mark.parametrize("name", named(BY_FEATURES, BY_ATTENTION, real=(BY_MEANS, *REAL)))
def test_every_order_and_channel_of_the_maps(name: str, study_of: StudyOf, open_page: OpenPage) -> None:
    app = open_page("activation_maps", study_of(name))
    orders = list(app.selectbox(key="maps-order").options)
    assert ("contribution to the predicted class" in orders) == (name in (BY_MEANS, "mobilenet_v2", "resnet50"))
    for order in orders:
        app.selectbox(key="maps-order").select(order).run()
        assert not app.exception and not app.error
    again = open_page("activation_maps", study_of(name), channel="3")
    assert again.subheader[0].value == ("Head 3" if name in (BY_ATTENTION, "vit_b_16") else "Channel 3")


def test_an_order_that_another_network_does_not_have_is_let_go(study_of: StudyOf, open_page: OpenPage) -> None:
    app = open_page("activation_maps", study_of(BY_MEANS))
    app.selectbox(key="maps-order").select("contribution to the predicted class").run()
    app.session_state.study = study_of(BY_ATTENTION)
    app.run()
    assert not app.exception and not app.error
    assert app.selectbox(key="maps-order").value == "maximum"


@pytest.mark.parametrize("name", named(BY_FEATURES, real=("vgg16",)))
def test_a_vgg_says_what_is_not_known_of_it(name: str, study_of: StudyOf, open_page: OpenPage) -> None:
    said = shown(open_page("activation_maps", study_of(name)))
    assert "What a channel adds to the predicted class is not known here" in said
    assert "It has no weight for a class" in said
    assert "Its largest weight is for" in shown(open_page("activation_maps", study_of(BY_MEANS)))


class TestTransformer:
    @pytest.fixture(params=named(BY_ATTENTION, real=("vit_b_16",)))
    def study(self, request: pytest.FixtureRequest, study_of: StudyOf) -> Study:
        return study_of(request.param)

    def test_maps_are_attention_the_mean_over_the_heads_first(self, study: Study, open_page: OpenPage) -> None:
        app = open_page("activation_maps", study)
        found = run(study, Store())
        said = shown(app)
        assert "The **mean over 12 heads**, then the heads" in said
        assert "of the mean over its 12 heads; with the method’s parameter “head”" in said
        assert app.subheader[0].value == "Mean over heads"
        tiles = component(app, "channel-tiles")
        titles = [tile["title"] for tile in tiles["tiles"]]
        assert titles[0] == "mean over heads" and sorted(titles[1:]) == sorted(f"head {head}" for head in range(1, 13))
        maxima = found.id.activations.maximum[0]
        by_rank = [f"head {head}" for head in 1 + np.argsort(-maxima[1:], kind="stable")]
        assert titles[1:] == by_rank
        assert tiles["value"] == "attention"
        assert f"The mean over heads peaks at {maxima[0]:.3g}" in text(app)
        assert "same mean" not in said.lower()

    def test_the_verdict_shows_where_the_class_token_looked(self, study: Study, open_page: OpenPage) -> None:
        app = open_page("score_image", study)
        assert "Where the class token looked" in [element.value for element in app.subheader]
        assert "of the mean over its 12 heads, which stands first" in shown(app)

    def test_the_scatter_is_one_of_heads(self, study: Study, open_page: OpenPage) -> None:
        app = open_page("max_vs_mean", study)
        assert "The model is a Transformer: a point is one head of one image" in shown(app)
        assert app.selectbox(key="scatter-channel-box").options[0] == "All heads"
        assert not [toggle for toggle in app.toggle if toggle.key == "scatter-leave-out"]
        points = 3 * IMAGES * 13
        assert f"{points:,} points, one for each head of each image and one for the mean over heads" in shown(app)

    def test_heads_are_ranked_as_channels_are(self, study: Study, open_page: OpenPage) -> None:
        app = open_page("channels", study, channel="3")
        assert "of 13 heads" in shown(app) and "Head 3 is strongest on" in shown(app)
        assert app.selectbox(key="channels-box").value == 3
        assert "Head 3: rank" in app.subheader[0].value
        assert not app.segmented_control

    def test_it_has_one_depth(self, study: Study, open_page: OpenPage) -> None:
        assert "is not defined for the maps of earlier layers" in open_page("layers", study).info[0].value

    def test_scores_are_written_of_its_attention(self, study: Study, open_page: OpenPage) -> None:
        said = shown(open_page("score_designs", study, expression="max / (mean + eps)"))
        assert "The designs of Table 6 are made for the maps of CNNs" in said
        assert "max, mean and var are those of the class token's attention" in said
        assert "its NAP is max(A), without a mean and without an ε" in said
        assert "The AUROC of your score" in said

    def test_methods_that_do_not_go_with_it_say_so(self, study: Study, open_page: OpenPage) -> None:
        app = open_page("compare_methods", study, methods="nap,nap:head=3,nap-variance,nap:head=40,msp")
        said = "\n".join(element.value for element in (*app.info, *app.warning, *app.caption, *app.markdown))
        assert "is a design for the maps of CNNs" in said
        assert re.search(r"head must be 0 to \d+ here, where .* has \d+ heads, not 40", said)
        assert not app.exception
