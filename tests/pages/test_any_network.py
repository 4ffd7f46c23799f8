"""Networks that end in every way go through every page: their maps, attention or features are shown or said to lack.

Random weights do: what is looked at is that pages say the right thing and none ends in a traceback.
"""

import shutil
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torchvision.models import vision_transformer

from nap_core import models
from nap_core.models import architectures
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from tests.pages.conftest import OpenPage
from tests.pages.test_activation_maps import component, text

# Each with the side of images that is quick and still leaves a map of more than one neuron.
NETWORKS = {"mobilenet_v2": 64, "resnet50": 64, "vgg16": 64, "vit_b_16": 64}
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


def built(name: str, side: int) -> torch.nn.Module:
    torch.manual_seed(0)
    if not name.startswith("vit"):
        return architectures.find(name).build(len(CLASSES))
    network = vision_transformer.vit_b_16(image_size=side, num_classes=len(CLASSES))
    torch.nn.init.normal_(network.heads.head.weight, 0, 0.05)  # zero at first: every image would be the same
    return network


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Study]]:
    """A study of each network, which is one of the user's own, run."""
    folder = tmp_path_factory.mktemp("any-network")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAP_MODELS_FOLDER", str(folder / "models"))
        patch.setenv("NAP_DATA_ROOTS", str(folder))
        draw = np.random.default_rng(0)
        for name in ("known", "met"):  # a page compares one image with up to 1,000 known ones: here are few
            np.savez(folder / f"{name}.npz", images=draw.integers(0, 256, (IMAGES, 64, 64, 3), dtype=np.uint8))
        found = {}
        for name, side in NETWORKS.items():
            torch.save(built(name, side).state_dict(), path := folder / f"{name}.pth")
            usual = architectures.find(name).transform
            transform = models.Transform(side, side, usual.mean, usual.std)
            kept = models.add(path, name, name, transform=transform, classes=CLASSES)
            path.unlink()
            found[name] = Study(kept, "own:known.npz", ("own:met.npz", "uniform-noise"), IMAGES)
            run(found[name], Store())
        yield found
        shutil.rmtree(folder)  # a gigabyte, of which pytest would keep the last three


def shown(app: AppTest) -> str:
    """All that a page says in words."""
    kinds = (app.markdown, app.caption, app.info, app.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(name: str, page: str, studies: dict[str, Study], open_page: OpenPage) -> None:
    app = open_page(page, studies[name])
    assert not app.error
    assert app.title


@pytest.mark.parametrize("name", NETWORKS)
def test_every_order_and_channel_of_the_maps(name: str, studies: dict[str, Study], open_page: OpenPage) -> None:
    app = open_page("activation_maps", studies[name])
    orders = list(app.selectbox(key="maps-order").options)
    assert ("contribution to the predicted class" in orders) == (name in ("mobilenet_v2", "resnet50"))
    for order in orders:
        app.selectbox(key="maps-order").select(order).run()
        assert not app.exception and not app.error
    again = open_page("activation_maps", studies[name], channel="3")
    assert again.subheader[0].value == ("Head 3" if name == "vit_b_16" else "Channel 3")


def test_an_order_that_another_network_does_not_have_is_let_go(studies: dict[str, Study], open_page: OpenPage) -> None:
    app = open_page("activation_maps", studies["resnet50"])
    app.selectbox(key="maps-order").select("contribution to the predicted class").run()
    app.session_state.study = studies["vit_b_16"]
    app.run()
    assert not app.exception and not app.error
    assert app.selectbox(key="maps-order").value == "maximum"


def test_a_vgg_says_what_is_not_known_of_it(studies: dict[str, Study], open_page: OpenPage) -> None:
    said = shown(open_page("activation_maps", studies["vgg16"]))
    assert "What a channel adds to the predicted class is not known here" in said
    assert "It has no weight for a class" in said
    assert "Its largest weight is for" in shown(open_page("activation_maps", studies["resnet50"]))


class TestTransformer:
    @pytest.fixture
    def study(self, studies: dict[str, Study]) -> Study:
        return studies["vit_b_16"]

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
        assert "of 13 heads" in shown(app) and "drives head 3 most" in shown(app)
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
        assert "has 12 heads, so head must be 0 to 12, not 40" in said
        assert not app.exception
