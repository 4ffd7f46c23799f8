"""The same network read at another layer, or fed in another way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import transforms

from nap_core import datasets, extraction, models
from nap_core.activations import Activations
from nap_core.analysis import evaluation
from nap_core.errors import UserError
from nap_core.models import LoadedModel, Transform, Variant, architectures
from nap_core.models.loaded_model import assemble, with_layer, with_preprocessing
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, default_study, missing_images, run

SMALL = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 6)
HEAD_METHODS = ["msp", "energy", "ash-s", "gradnorm"]
FITTED_HEAD_METHODS = ["react", "dice", "vim", "knn"]  # the whole fit split goes through the network, at both layers


def network() -> LoadedModel:
    return models.load("resnet20-cifar10")


def answers(model: LoadedModel) -> Activations:
    return extraction.extract(model, datasets.load("cifar10"), limit=5, device="cpu")


class TestLayer:
    def test_maps_are_the_layers_and_logits_the_networks_own(self) -> None:
        own, other = answers(network()), answers(with_layer(network(), "layer2"))
        assert (own.channels, other.channels) == (64, 32)
        np.testing.assert_array_equal(other.logits, own.logits)
        np.testing.assert_allclose(other.features, own.mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(network().logits_of(other.pooled), own.logits, rtol=1e-4, atol=1e-4)

    def test_the_same_map_by_another_name_needs_no_features(self) -> None:
        own, same = answers(network()), answers(with_layer(network(), "layer3"))
        assert same.features is None
        np.testing.assert_array_equal(same.maximum, own.maximum)

    def test_the_network_itself_is_shared(self) -> None:
        assert models.load(Variant("resnet20-cifar10", "layer2")).network is network().network
        assert models.load(Variant("resnet20-cifar10", "layer2")) is models.load(Variant("resnet20-cifar10", "layer2"))
        assert models.load(Variant("resnet20-cifar10")) is network()

    def test_a_module_that_runs_twice_is_read_at_its_last_run(self) -> None:
        blueprint = architectures.find("resnet18")
        torch.manual_seed(0)
        small = replace(blueprint.transform, resize=64, crop=64)
        model = assemble(blueprint, blueprint.build(5), small, tuple("abcde"), "random")
        image = [datasets.load("photos").image(0)]
        expected = extraction.maps(model, image, device="cpu")
        # The ReLU of a block writes over what the block's norms put out, and runs once within it and once at its end.
        for layer in ("layer4.1.relu", "layer4.1", "layer4"):
            np.testing.assert_array_equal(extraction.maps(with_layer(model, layer), image, device="cpu"), expected)
        norm = extraction.maps(with_layer(model, "layer4.1.bn1"), image, device="cpu")
        assert norm.min() == 0 and not np.array_equal(norm, expected)

    def test_every_layer_that_is_offered_can_be_read(self) -> None:
        model, image = network(), [datasets.load("cifar10").image(0)]
        for layer in model.structure.layers:
            found = extraction.maps(with_layer(model, layer.name), image, device="cpu")
            assert found.shape[1:] == layer.shape
            assert not layer.rectified or found.min() >= 0

    def test_a_layer_that_is_not_there(self) -> None:
        with pytest.raises(
            UserError, match=r"no layer “layer4” that puts out a map\. The last that do are .*penultimate"
        ):
            with_layer(network(), "layer4")

    def test_a_network_put_together_by_hand(self) -> None:
        with pytest.raises(UserError, match="was not inspected, so no other layer can be chosen"):
            with_layer(replace(network(), structure=None), "layer2")


class TestTransform:
    PIXELS = Transform(256, 224, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("256/224/bicubic", (256, 224, "bicubic")),
            ("32/32", (32, 32, "bilinear")),
            ("232/224/bilinear", (232, 224, "bilinear")),
        ],
    )
    def test_text(self, text: str, expected: tuple[int, int, str]) -> None:
        found = self.PIXELS.changed(text)
        assert (found.resize, found.crop, found.interpolation) == expected
        assert (found.mean, found.std) == (self.PIXELS.mean, self.PIXELS.std)
        assert self.PIXELS.changed(found.geometry) == found

    @pytest.mark.parametrize(
        "text", ["", "256", "256/224/", "a/b", "256/224/nearest", "224/256", "0/0", "9999/9999", "-1/-1"]
    )
    def test_other_texts_are_answered(self, text: str) -> None:
        with pytest.raises(UserError, match=r"\.$"):
            self.PIXELS.changed(text)

    @pytest.mark.parametrize("text", ["256/224/bicubic", "256/224/bilinear", "32/32/bilinear", "64/48/bicubic"])
    def test_pixels_are_torchvisions(self, text: str) -> None:
        found = self.PIXELS.changed(text)
        mode = transforms.InterpolationMode(found.interpolation)
        theirs = transforms.Compose([transforms.Resize(found.resize, mode), transforms.CenterCrop(found.crop)])
        for row in range(3):
            image = datasets.load("photos").image(row).convert("RGB")
            np.testing.assert_array_equal(found.view(image), np.asarray(theirs(image)))

    def test_the_network_sees_the_other_pixels(self) -> None:
        model = models.load(Variant("resnet20-cifar10", transform="40/40/bicubic"))
        assert model.structure.shape == (64, 10, 10)
        assert answers(model).channels == 64
        assert not np.allclose(answers(model).logits, answers(network()).logits)

    def test_layer_and_transform_together(self) -> None:
        model = models.load(Variant("resnet20-cifar10", "layer2", "40/40"))
        image = [datasets.load("cifar10").image(0)]
        assert extraction.maps(model, image, device="cpu").shape == (1, 32, 20, 20)

    def test_maps_of_one_neuron_are_refused(self) -> None:
        with pytest.raises(UserError, match=r"images of 4 × 4 pixels to maps of one neuron"):
            models.load(Variant("resnet20-cifar10", transform="4/4"))

    def test_images_that_the_network_does_not_take(self) -> None:
        class Fixed(nn.Sequential):
            def __init__(self) -> None:
                super().__init__(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 3))

        blueprint = replace(network().architecture, hook=models.FeatureHook("1"), head="3")
        torch.manual_seed(0)
        model = assemble(blueprint, Fixed(), Transform(8, 8, (0, 0, 0), (1, 1, 1)), tuple("abc"), "random")
        assert model.keeps_features
        with pytest.raises(UserError, match="does not take images of 3 × 9 × 9"):
            with_preprocessing(model, replace(model.transform, resize=9, crop=9))


class TestStudy:
    CHANGED = replace(SMALL, layer="layer2", transform="40/40/bicubic")

    def test_round_trip(self) -> None:
        query = self.CHANGED.to_query()
        assert (query["layer"], query["view"]) == ("layer2", "40/40/bicubic")
        assert Study.from_query(query) == self.CHANGED
        assert not {"layer", "view"} & SMALL.to_query().keys()

    def test_sentence_says_it(self) -> None:
        assert self.CHANGED.sentence().endswith("6 images each · read at layer2 · seen at 40/40/bicubic")

    def test_its_activations_are_kept_apart(self, store_root: Path) -> None:
        store = Store(store_root)
        run(SMALL, store, device="cpu")
        assert missing_images(SMALL, store) == {}
        layer, view = replace(SMALL, layer="layer2"), replace(SMALL, transform="40/40")
        for other in (layer, view, self.CHANGED):
            assert missing_images(other, store) == dict.fromkeys(SMALL.datasets, 6)
        found = run(layer, store, device="cpu")
        assert (found.id.activations.channels, found.id.activations.features.shape) == (32, (6, 64))
        assert missing_images(SMALL, store) == missing_images(layer, store) == {}

    @pytest.mark.parametrize("names", [HEAD_METHODS, pytest.param(FITTED_HEAD_METHODS, marks=pytest.mark.slow)])
    def test_methods_of_the_logits_and_the_head_stay_as_they_are(self, names: list[str], store_root: Path) -> None:
        store = Store(store_root)
        base, other = run(SMALL, store, device="cpu"), run(replace(SMALL, layer="layer2"), store, device="cpu")
        for method in names:
            first, second = evaluation.method_scores(base, method), evaluation.method_scores(other, method)
            np.testing.assert_allclose(second.id, first.id, rtol=1e-4, atol=1e-5)
        assert not np.allclose(evaluation.method_scores(base, "nap").id, evaluation.method_scores(other, "nap").id)

    @pytest.mark.parametrize("changed", [{"layer": "_blocks.10"}, {"transform": "224/224"}])
    def test_a_bank_is_of_the_models_own_layer(self, changed: dict[str, str]) -> None:
        with pytest.raises(UserError, match="holds activations, of the model's own layer and preprocessing"):
            replace(default_study("efficientnet-lite0-imagenet"), **changed)

    @pytest.mark.parametrize("changed", [{"layer": "nowhere"}, {"transform": "big"}])
    def test_what_the_network_has_not_is_said_when_it_is_loaded(self, changed: dict[str, str]) -> None:
        with pytest.raises(UserError, match=r"nowhere|big"):
            replace(SMALL, **changed).network()
