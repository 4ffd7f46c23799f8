"""Methods that run the network again: against pytorch-ood on the images themselves, and what a stopped pass leaves."""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytorch_ood.detector as library
import torch
from pytorch_ood.api import Detector, DetectorInfo, Task
from torch import Tensor, nn

from nap_core import methods
from nap_core.datasets.images import ArrayImages
from nap_core.errors import UserError
from nap_core.extraction import extract
from nap_core.methods import ImageSet, ScoringContext
from nap_core.methods.image_based import BATCH
from nap_core.methods.image_based_detectors import NeuronCoverage
from nap_core.methods.nac_me import model_coverage, stored_coverage
from nap_core.methods.scoring import prepare
from nap_core.methods.spec import MethodRecord
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks

OWN_PASS = [name for name, one in methods.RECORDS.items() if one.own_pass]


def noise_images(rows: int, seed: int, side: int = 16) -> ArrayImages:
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, side, side, 3), np.uint8)
    labels = np.arange(rows, dtype=np.int64) % 5
    return ArrayImages(f"noise{seed}", f"Noise {seed}", tuple("abcde"), labels, pixels, np.arange(rows))


@pytest.fixture
def images() -> ArrayImages:
    return noise_images(BATCH + 9, 3)


@pytest.fixture
def standing(small_model: LoadedModel, tmp_path: Path) -> ScoringContext:
    return ScoringContext(small_model, "CIFAR-10", noise_images(150, 4), store=Store(tmp_path / "store"))


@pytest.fixture
def image_set(images: ArrayImages, small_model: LoadedModel) -> ImageSet:
    return ImageSet(extract(small_model, images, device="cpu"), images)


def fed(model: LoadedModel, images: ArrayImages) -> Tensor:
    return model.transform.normalise(torch.tensor(images.pixels).permute(0, 3, 1, 2))


class ByHand:
    """pytorch-ood on the small network, which is a plain chain of layers."""

    def __init__(self, model: LoadedModel, fit: ArrayImages, images: ArrayImages) -> None:
        self.network = copy.deepcopy(model.network)
        self.std = list(model.transform.std)
        self.x, self.fit_x, self.fit_y = fed(model, images), fed(model, fit), torch.tensor(fit.labels)

    def loader(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.fit_x.split(BATCH), self.fit_y.split(BATCH), strict=True))

    def pooled(self, x: Tensor) -> Tensor:
        return self.network.second(self.network.first(x)).mean((2, 3))

    def head(self, maps: Tensor) -> Tensor:
        return self.network.fc(maps.mean((2, 3)))

    def odin(self) -> Tensor:
        return library.ODIN(self.network, norm_std=self.std).predict(self.x)

    def grad_uncertainty(self) -> Tensor:
        return library.GradUncertainty(self.network).to("cpu").predict(self.x)

    def mahalanobis_odin(self) -> Tensor:
        detector = library.MahalanobisODIN(self.pooled, norm_std=self.std)
        detector.fit_features(self.pooled(self.fit_x).detach(), self.fit_y)
        return detector.predict(self.x)

    def mdsens(self) -> Tensor:
        detector = library.MultiMahalanobis([self.network.first, self.network.second]).to("cpu")
        return detector.fit(self.loader()).predict(self.x)

    def gram(self) -> Tensor:
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), self.network.fc)
        detector = library.Gram(head, [self.network.first, self.network.second], 5).to("cpu")
        torch.manual_seed(0)
        return detector.fit(self.loader()).predict(self.x)

    def rankfeat(self) -> Tensor:
        detector = library.RankFeat(lambda x: self.network.second(self.network.first(x)).contiguous(), self.head)
        with torch.no_grad():
            return detector.predict(self.x)

    def ash_early(self) -> Tensor:
        detector = library.ASH(self.network.first, lambda maps: self.head(self.network.second(maps)), "ash-p", 0.6)
        with torch.no_grad():
            return detector.predict(self.x)


BY_HAND: dict[str, Callable[[ByHand], Tensor]] = {
    "odin": ByHand.odin,
    "grad-uncertainty": ByHand.grad_uncertainty,
    "mahalanobis-odin": ByHand.mahalanobis_odin,
    "mdsens": ByHand.mdsens,
    "gram": ByHand.gram,
    "rankfeat": ByHand.rankfeat,
    "ash-early": ByHand.ash_early,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_equals_pytorch_ood(name: str, standing: ScoringContext, image_set: ImageSet) -> None:
    theirs = BY_HAND[name](ByHand(standing.model, standing.fit_images, image_set.images)).detach().double().numpy()
    ours = methods.scored(methods.parse(name), image_set, standing).scores
    np.testing.assert_allclose(ours, -theirs, rtol=1e-5, atol=1e-5)
    assert ours.std() > 0


@pytest.mark.parametrize("name", sorted(set(OWN_PASS) - {"mc-dropout"}))
def test_every_pass_gives_a_score_an_image_and_leaves_the_network_alone(
    name: str, standing: ScoringContext, image_set: ImageSet
) -> None:
    before = {key: value.clone() for key, value in standing.model.network.state_dict().items()}
    found = methods.scored(methods.parse(name), image_set, standing)
    assert found.scores.shape == (len(image_set.activations),)
    assert np.isfinite(found.scores).all()
    assert (found.predictions is not None) == methods.RECORDS[name].own_logits
    after = standing.model.network.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert not standing.model.network.training
    assert not any(module._forward_hooks for module in standing.model.network.modules())


def test_dropout_is_asked_for_where_there_is_none(standing: ScoringContext, image_set: ImageSet) -> None:
    with pytest.raises(UserError, match="needs a network with dropout, and Small has none"):
        methods.scored(methods.parse("mc-dropout"), image_set, standing)


@pytest.fixture
def dropout_model(small_model: LoadedModel) -> LoadedModel:
    network = copy.deepcopy(small_model.network)
    network.second.append(nn.Dropout(0.3))
    return replace(small_model, network=network)


class Replayed(nn.Module):
    """Logits of one image that were computed before, one row a call."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.rows = iter(logits)

    def forward(self, _x: Tensor) -> Tensor:
        return next(self.rows)[None]


def test_dropout_is_pytorch_oods_variance_of_passes_whose_masks_are_drawn_for_each_image(
    dropout_model: LoadedModel,
) -> None:
    images = noise_images(12, 5)
    image_set = ImageSet(extract(dropout_model, images, device="cpu"), images)
    scores = methods.scored(methods.parse("mc-dropout:samples=5"), image_set, ScoringContext(dropout_model)).scores
    network, expected = copy.deepcopy(dropout_model.network).train(), []
    for x in fed(dropout_model, images):
        torch.manual_seed(0)
        logits = network(x.expand(5, *x.shape)).detach()
        expected.append(library.MCD(Replayed(logits), samples=5).predict(x[None]))
    np.testing.assert_allclose(scores, -torch.cat(expected).double().numpy(), rtol=1e-5, atol=1e-8)
    assert scores.std() > 0
    assert not dropout_model.network.training


def test_dropout_does_not_depend_on_earlier_draws_or_on_the_other_images(
    dropout_model: LoadedModel, tmp_path: Path
) -> None:
    images = noise_images(12, 5)
    whole = extract(dropout_model, images, device="cpu")
    method, scores = methods.parse(f"mc-dropout:samples={BATCH + 6}"), []
    for seed, counts in ((1, (12,)), (2, (7, 12))):
        torch.manual_seed(seed)
        context = ScoringContext(dropout_model, store=Store(tmp_path / str(seed)))
        scores.append([methods.scored(method, ImageSet(whole.head(count), images), context).scores for count in counts])
        assert torch.initial_seed() == seed
    np.testing.assert_array_equal(scores[0][-1], scores[1][-1])


def test_threads_that_share_a_context_get_the_scores_of_one_thread(small_model: LoadedModel) -> None:
    method, alone, shared = (
        methods.parse("ash-early:variant=s"),
        ScoringContext(small_model),
        ScoringContext(small_model),
    )
    noise = [noise_images(640, seed) for seed in range(3)]
    sets = [ImageSet(extract(small_model, images, device="cpu"), images) for images in noise]
    expected = [methods.scored(method, one, alone) for one in sets]
    with ThreadPoolExecutor(len(sets)) as pool:
        for one, other in zip(expected, pool.map(lambda one: methods.scored(method, one, shared), sets), strict=True):
            np.testing.assert_array_equal(one.scores, other.scores)
            np.testing.assert_array_equal(one.predictions, other.predictions)


def test_a_new_detector_of_images_needs_a_record_and_no_code(
    standing: ScoringContext, image_set: ImageSet, images: ArrayImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Twice(Detector):
        info = DetectorInfo(tasks={Task.CLASSIFICATION})

        def __init__(self, model: nn.Module, power: float = 1.0) -> None:
            self.model, self.power = model, power

        def predict(self, x: Tensor) -> Tensor:
            return self.model(2 * x).max(dim=1).values ** self.power

    monkeypatch.setattr(library, "Twice", Twice, raising=False)
    new = MethodRecord(
        name="twice",
        title="Twice",
        family="images",
        paper="",
        venue="",
        year=2026,
        url="",
        formula="largest logit of a doubled input",
        implementation="pytorch_ood.detector:Twice",
        needs=("images",),
    )
    scores = prepare(new, standing, {"power": 2.0})(image_set, RunCallbacks()).scores
    expected = standing.model.network(2 * fed(standing.model, images)).max(dim=1).values ** 2
    np.testing.assert_allclose(scores, -expected.detach().double().numpy(), rtol=1e-4)


def test_changed_code_does_not_take_old_scores(
    standing: ScoringContext, image_set: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods.scored(methods.parse("nac-ue"), image_set, standing)
    model_coverage(standing)
    assert methods.missing(methods.parse("nac-ue"), image_set, standing) == 0
    monkeypatch.setattr(NeuronCoverage, "revision", NeuronCoverage.revision + 1)
    assert methods.missing(methods.parse("nac-ue"), image_set, standing) == len(image_set.activations)
    assert stored_coverage(standing) is None


def test_a_bank_has_no_images_to_run_on(standing: ScoringContext, image_set: ImageSet) -> None:
    with pytest.raises(UserError, match="ODIN needs the images themselves, and only activations are at hand"):
        methods.scored(methods.parse("odin"), ImageSet(image_set.activations), standing)


@pytest.mark.parametrize("name", ["nac-ue", "gram", "mdsens", "mahalanobis-odin"])
def test_without_a_fit_split_it_says_so(name: str, small_model: LoadedModel, image_set: ImageSet) -> None:
    with pytest.raises(UserError, match=r"needs a fit split"):
        methods.scored(methods.parse(name), image_set, ScoringContext(small_model, "CIFAR-10"))


def test_going_back_too_far_is_refused(standing: ScoringContext, image_set: ImageSet) -> None:
    with pytest.raises(UserError, match="back must be 1 here, where Small names 2 layers, not 5"):
        methods.scored(methods.parse("ash-early:back=5"), image_set, standing)


def test_a_stopped_pass_goes_on_where_it_ended(standing: ScoringContext, image_set: ImageSet) -> None:
    heard: list[Progress] = []
    method = methods.parse("odin")
    with pytest.raises(ExtractionStopped):
        methods.scored(method, image_set, standing, callbacks=RunCallbacks(heard.append, lambda: bool(heard)))
    assert [one.done for one in heard] == [BATCH]
    again = ScoringContext(standing.model, "CIFAR-10", standing.fit_images, store=standing.store)
    assert methods.missing(method, image_set, again) == len(image_set.activations) - BATCH
    heard.clear()
    scores = methods.scored(method, image_set, again, callbacks=RunCallbacks(heard.append)).scores
    assert [one.done for one in heard] == [len(image_set.activations)]
    assert methods.missing(method, image_set, again) == 0
    whole = methods.scored(method, image_set, ScoringContext(standing.model, "CIFAR-10")).scores
    np.testing.assert_allclose(scores, whole, rtol=1e-6)


def test_other_parameters_are_another_pass(standing: ScoringContext, image_set: ImageSet) -> None:
    methods.scored(methods.parse("odin"), image_set, standing)
    assert methods.missing(methods.parse("odin"), image_set, standing) == 0
    assert methods.missing(methods.parse("odin:eps=0.01"), image_set, standing) == len(image_set.activations)


def test_a_damaged_file_is_computed_again(standing: ScoringContext, image_set: ImageSet) -> None:
    first = methods.scored(methods.parse("odin"), image_set, standing).scores
    (file,) = (standing.store.root / "scores").glob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    again = ScoringContext(standing.model, "CIFAR-10", standing.fit_images, store=standing.store)
    np.testing.assert_array_equal(methods.scored(methods.parse("odin"), image_set, again).scores, first)


def test_scores_count_among_the_stores_bytes_and_are_cleared_with_it(
    standing: ScoringContext, image_set: ImageSet
) -> None:
    methods.scored(methods.parse("odin"), image_set, standing)
    assert standing.store.size_bytes() > 0
    standing.store.clear()
    assert standing.store.size_bytes() == 0
    again = ScoringContext(standing.model, "CIFAR-10", standing.fit_images, store=standing.store)
    assert methods.missing(methods.parse("odin"), image_set, again) == len(image_set.activations)


def test_early_ash_that_prunes_nothing_is_energy(standing: ScoringContext, image_set: ImageSet) -> None:
    found = methods.scored(methods.parse("ash-early:percentile=0"), image_set, standing)
    np.testing.assert_allclose(found.scores, methods.score("energy", image_set), rtol=1e-5)
    np.testing.assert_array_equal(found.predictions, image_set.activations.predictions)


def test_coverage_of_a_model_is_kept(standing: ScoringContext) -> None:
    assert stored_coverage(standing) is None
    found = model_coverage(standing)
    assert 0 < found < 1
    assert stored_coverage(standing) == found

    def nobody_looks(_done: Progress) -> None:
        raise AssertionError("it was in the store")

    assert model_coverage(standing, RunCallbacks(nobody_looks)) == found


def test_coverage_of_a_model_needs_a_fit_split(small_model: LoadedModel) -> None:
    with pytest.raises(UserError, match="NAC-ME needs the images of a fit split"):
        model_coverage(ScoringContext(small_model))
