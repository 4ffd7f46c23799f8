"""Every method of pytorch-ood that runs on stored activations, against pytorch-ood itself, fed by hand."""

from collections.abc import Callable

import numpy as np
import pytest
import pytorch_ood.detector as library
import torch
from pytorch_ood.api import DetectorInfo, FeaturesDetector, LogitsDetector, Task
from torch import Tensor, nn

from nap_core import methods
from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods import ScoringContext, refusals
from nap_core.methods.scoring import prepare
from nap_core.methods.spec import MethodRecord
from nap_core.models import LoadedModel
from nap_core.storage.progress import NO_CALLBACKS

FREE = {"nap", "nap-variance", "nap-no-square", "nap-minus", "dice-react", "ash-rand", "ash-global"}
ADAPTED = [name for name, one in methods.RECORDS.items() if not one.own_pass and name not in FREE]


class Fed:
    """A detector of pytorch-ood on tensors made by hand."""

    def __init__(self, model: LoadedModel, fit: Activations, images: Activations) -> None:
        self.weight, self.bias = torch.tensor(model.head_weight), torch.tensor(model.head_bias)
        self.linear = nn.Linear(self.weight.shape[1], self.weight.shape[0])
        self.linear.load_state_dict({"weight": self.weight, "bias": self.bias})
        self.fit, self.images = fit, images
        self.labels = torch.tensor(fit.labels)

    def logits(self, detector: LogitsDetector) -> Tensor:
        detector.fit_logits(torch.tensor(self.fit.logits).double(), self.labels)
        return detector.predict_logits(torch.tensor(self.images.logits).double())

    def features(self, detector: FeaturesDetector) -> Tensor:
        detector.fit_features(torch.tensor(self.fit.mean), self.labels)
        return detector.predict_features(torch.tensor(self.images.mean))

    def maps(self, make: Callable[..., library.ASH]) -> Tensor:
        detector = make(None, lambda maps: self.linear(maps.mean((2, 3))))
        detector.fit_feature_maps(torch.tensor(self.fit.mean)[:, :, None, None], self.labels)
        return detector.predict_feature_maps(torch.tensor(self.images.mean)[:, :, None, None])

    def gradnorm(self) -> Tensor:
        return library.GradNorm(self.linear, lambda name: name == "weight").predict(torch.tensor(self.images.mean))


BY_HAND: dict[str, Callable[[Fed], Tensor]] = {
    "msp": lambda fed: fed.logits(library.MaxSoftmax(None)),
    "maxlogit": lambda fed: fed.logits(library.MaxLogit(None)),
    "energy": lambda fed: fed.logits(library.EnergyBased(None)),
    "entropy": lambda fed: fed.logits(library.Entropy(None)),
    "gen": lambda fed: fed.logits(library.GEN(None)),
    "temperature": lambda fed: fed.logits(library.TemperatureScaling(None)),
    "kl-matching": lambda fed: fed.logits(library.KLMatching(None)),
    "openmax": lambda fed: fed.logits(library.OpenMax(None)),
    "react": lambda fed: fed.maps(lambda body, head: library.ReAct(body, head, percentile=0.98)),
    "dice": lambda fed: fed.features(library.DICE(None, fed.weight, fed.bias, 0.9)),
    "ash-p": lambda fed: fed.maps(lambda body, head: library.ASH(body, head, "ash-p", 0.9)),
    "ash-b": lambda fed: fed.maps(lambda body, head: library.ASH(body, head, "ash-b", 0.95)),
    "ash-s": lambda fed: fed.maps(lambda body, head: library.ASH(body, head, "ash-s", 0.95)),
    "scale": lambda fed: fed.maps(lambda body, head: library.SCALE(body, head, 0.95)),
    "vra": lambda fed: fed.maps(library.VRA),
    "lts": lambda fed: fed.features(library.LTS(None, fed.linear)),
    "mahalanobis": lambda fed: fed.features(library.Mahalanobis(None)),
    "rmd": lambda fed: fed.features(library.RMD(None)),
    "gmm": lambda fed: fed.features(library.GMM(None, reg=1e-3)),
    "knn": lambda fed: fed.features(library.KNN(None, k=50)),
    "nnguide": lambda fed: fed.features(library.NNGuide(None, fed.linear)),
    "vim": lambda fed: fed.features(library.ViM(None, 12, fed.weight, fed.bias)),
    "she": lambda fed: fed.features(library.SHE(None, fed.linear)),
    "fdbd": lambda fed: fed.features(library.fDBD(None, fed.linear)),
    "nci": lambda fed: fed.features(library.NCI(None, fed.linear)),
    "pnml": lambda fed: fed.features(library.PNML(None, fed.linear)),
    "gradnorm": lambda fed: fed.gradnorm(),
}


@pytest.mark.parametrize("name", ADAPTED)
def test_equals_pytorch_ood(
    name: str,
    small_model: LoadedModel,
    fit_activations: Activations,
    activations: Activations,
    context: ScoringContext,
) -> None:
    theirs = BY_HAND[name](Fed(small_model, fit_activations, activations)).detach().double().numpy()
    ours = methods.score(name, activations, context)
    np.testing.assert_allclose(ours, -theirs, rtol=1e-5, atol=1e-5)
    assert ours.std() > 0


def test_every_detector_for_classification_is_there_or_left_out_for_a_reason() -> None:
    there = {one.paper for one in methods.RECORDS.values()}
    offered = [
        (name, kind)
        for name, kind in vars(library).items()
        if isinstance(kind, type) and isinstance(getattr(kind, "info", None), DetectorInfo)
        if Task.CLASSIFICATION in kind.info.tasks
    ]
    assert len(offered) > 30
    for name, kind in offered:
        paper = kind.info.paper
        assert name in methods.LEFT_OUT or (paper.title in there if paper else name == "GMM"), name


def test_a_new_detector_needs_a_record_and_no_code(
    context: ScoringContext, activations: Activations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later release might bring: a class that pytorch-ood has and the catalogue does not know."""

    class Margin(FeaturesDetector):
        info = DetectorInfo(tasks={Task.CLASSIFICATION})
        requires_fit = True

        def __init__(self, encoder: object, head: nn.Module, power: float = 1.0) -> None:
            self.head, self.power, self.centre = head, power, None

        def predict(self, x: Tensor) -> Tensor:
            raise AssertionError("stored activations are enough")

        def fit_features(self, z: Tensor, y: Tensor) -> "Margin":
            self.centre = z.mean(0)
            return self

        def predict_features(self, z: Tensor) -> Tensor:
            top = self.head(z - self.centre).topk(2, dim=1).values
            return -((top[:, 0] - top[:, 1]) ** self.power)

    monkeypatch.setattr(library, "Margin", Margin, raising=False)
    new = MethodRecord(
        name="margin",
        title="Margin",
        family="features",
        paper="A later paper",
        venue="ICLR",
        year=2027,
        url="",
        formula="lead of the largest logit",
        implementation="pytorch_ood.detector:Margin",
        needs=("fit split",),
    )
    prepared = prepare(new, context, {"power": 2.0})
    scores = prepared(methods.ImageSet(activations), NO_CALLBACKS).scores
    centred = activations.mean - context.fit_activations.mean.mean(0)
    logits = np.sort(centred @ context.model.head_weight.T + context.model.head_bias, axis=1)
    np.testing.assert_allclose(scores, (logits[:, -1] - logits[:, -2]) ** 2, rtol=1e-3)
    assert new.fits


@pytest.mark.parametrize("name", [name for name, one in methods.RECORDS.items() if one.fits and not one.own_pass])
def test_without_a_fit_split_it_says_so(name: str, small_model: LoadedModel, activations: Activations) -> None:
    with pytest.raises(UserError, match=r"needs a fit split \(training images of CIFAR-10"):
        methods.score(name, activations, ScoringContext(small_model, "CIFAR-10"))


def test_without_the_network_it_says_so(activations: Activations) -> None:
    with pytest.raises(UserError, match="ASH-S needs the network itself"):
        methods.score("ash-s", activations)


def test_a_class_missing_from_the_fit_split_is_named(
    small_model: LoadedModel, fit_activations: Activations, activations: Activations
) -> None:
    four = fit_activations.take(np.flatnonzero(fit_activations.labels < 4))
    with pytest.raises(UserError, match="all 5 classes in the fit split, and it holds 4"):
        methods.score("mahalanobis", activations, ScoringContext(small_model, fit_activations=four))


def test_too_few_neighbours_is_a_sentence(context: ScoringContext, activations: Activations) -> None:
    with pytest.raises(UserError, match=r"KNN: k must be 1 to 400 here, where the fit split has 400 images, not 5000"):
        methods.score("knn:k=5000", activations, context)


@pytest.mark.parametrize("name", [name for name, one in methods.RECORDS.items() if one.own_logits and not one.own_pass])
def test_own_logits_have_classes_of_their_own(name: str, context: ScoringContext, activations: Activations) -> None:
    found = methods.scored(methods.parse(name), methods.ImageSet(activations), context)
    assert found.predictions is not None
    assert found.predictions.shape == (len(activations),)


def test_methods_that_leave_the_logits_alone_tell_no_classes(context: ScoringContext, activations: Activations) -> None:
    assert methods.scored(methods.parse("knn"), methods.ImageSet(activations), context).predictions is None


def test_a_pruned_head_predicts_by_its_own_logits(context: ScoringContext, activations: Activations) -> None:
    """ASH-P that prunes nothing is the network; nearly everything pruned is not."""
    part = methods.ImageSet(activations)
    whole = methods.scored(methods.parse("ash-p:percentile=0"), part, context)
    np.testing.assert_array_equal(whole.predictions, activations.predictions)
    np.testing.assert_allclose(whole.scores, methods.score("energy", part, context), rtol=1e-5)
    little = methods.scored(methods.parse("ash-p:percentile=0.95"), part, context)
    assert (little.predictions != activations.predictions).any()


def test_react_with_a_threshold_needs_no_fit_split(small_model: LoadedModel, activations: Activations) -> None:
    ours = methods.score("react:threshold=0.5", activations, ScoringContext(small_model))
    clipped = np.minimum(activations.mean, 0.5) @ small_model.head_weight.T + small_model.head_bias
    np.testing.assert_allclose(ours, np.log(np.exp(clipped.astype(np.float64)).sum(1)), rtol=1e-4)


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ("react", True),
        ("react:threshold=0", True),
        ("react:percentile=0.9", True),
        ("react:threshold=0.5", False),
        ("nap+react:threshold=0.5", False),
        ("nap+react", True),
        ("nap+vim", True),
    ],
)
def test_a_fit_split_is_asked_for_where_something_is_estimated(small_model: LoadedModel, spec: str, fits: bool) -> None:
    """One rule for scoring, pending work and the command line, with and without a network."""
    method = methods.parse(spec)
    assert method.fits == fits
    for context in (ScoringContext(small_model), ScoringContext()):
        assert bool(refusals.refusal(method, context)) == fits


def test_scores_do_not_depend_on_the_chunks(
    context: ScoringContext, activations: Activations, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("dice", "gmm", "ash-s", "knn", "openmax")
    whole = [methods.score(name, activations, context) for name in names]
    monkeypatch.setattr("nap_core.methods.pytorch_ood_adapter.CHUNK_NUMBERS", 64 * 120)
    again = ScoringContext(context.model, context.trained_on, fit_activations=context.fit_activations)
    for name, scores in zip(names, whole, strict=True):
        np.testing.assert_allclose(methods.score(name, activations, again), scores, rtol=1e-6)
