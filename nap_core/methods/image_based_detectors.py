"""The methods that run the network again: those of pytorch-ood, and ASH at an earlier layer."""

from __future__ import annotations

import torch
from pytorch_ood.api import Detector
from pytorch_ood.detector import (
    Gram,
    MahalanobisODIN,
    MultiMahalanobis,
    RankFeat,
)
from pytorch_ood.detector.ash import ash_b, ash_p, ash_s
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from nap_core.methods.image_based import BATCH, FitBatches, ImageBasedDetector, Site, seeded
from nap_core.methods.neuron_coverage import Coverage, relevance
from nap_core.methods.pytorch_ood_adapter import build
from nap_core.models import FeatureHook
from nap_core.storage.progress import RunCallbacks

SHAPES = {"p": ash_p, "b": ash_b, "s": ash_s}


class WholeNetwork(ImageBasedDetector):
    """A detector of pytorch-ood that takes the whole network and images."""

    kind: type[Detector]

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        super().__init__(site, callbacks)
        std = list(site.model.transform.fed_std)
        # The perturbation is meant for pixels between 0 and 1; norm_std undoes the network's normalisation.
        self.detector = build(self.kind, site.parameters, model=site.network, norm_std=std).to(site.device)


def whole_network(kind: type[Detector]) -> type[WholeNetwork]:
    """The class for a detector whose constructor takes a model: a new one needs a record and no code here."""
    return type(f"WholeNetwork{kind.__name__}", (WholeNetwork,), {"kind": kind})


class MCDropout(ImageBasedDetector):
    """MC dropout: the variance of the softmax over passes with dropout, averaged over the classes.

    Every image is scored alone and from the same seed, so that its score does not depend on the other images of a
    batch. pytorch-ood's MCD draws one mask for the whole batch.
    """

    revision = 2

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        super().__init__(site, callbacks)
        self.samples = int(site.parameters["samples"])
        for module in site.network.train().modules():
            if isinstance(module, _BatchNorm):
                module.eval()

    def outliers(self, x: Tensor) -> Tensor:
        return torch.stack([self._variance(image) for image in x])

    @torch.no_grad()
    def _variance(self, image: Tensor) -> Tensor:
        sizes = [min(BATCH, self.samples - first) for first in range(0, self.samples, BATCH)]
        with seeded(self.site.device):
            logits = torch.cat([self.site.network(image.expand(size, *image.shape)) for size in sizes])
        return logits.softmax(dim=1).var(dim=0).mean()


class PerturbedMahalanobis(ImageBasedDetector):
    """Mahalanobis on inputs moved along the gradient; fitted on the stored activations of the fit split."""

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        super().__init__(site, callbacks)
        fit = site.context.labelled_fit(site.title, callbacks).activations
        std = list(site.model.transform.fed_std)
        self.detector = build(MahalanobisODIN, site.parameters, encoder=site.pooled, norm_std=std)
        features = torch.tensor(fit.pooled, dtype=torch.float32, device=site.device)
        self.detector.fit_features(features, torch.tensor(fit.labels, device=site.device))


class MultiLayerMahalanobis(ImageBasedDetector):
    """Mahalanobis at every layer, summed: MDSEns of OpenOOD without its search for weights."""

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        super().__init__(site, callbacks)
        layers = site.layer_names()
        self.detector = MultiMahalanobis([nn.Identity() for _ in layers])
        site.context.labelled_fit(site.title, callbacks)
        features: list[list[Tensor]] = [[] for _ in layers]
        labels = []
        with torch.no_grad():
            for x, y in FitBatches(site, callbacks):
                labels.append(y)
                for kept, pooled in zip(features, self._pooled(x), strict=True):
                    kept.append(pooled)
        self.detector.fit_structured([torch.cat(kept) for kept in features], torch.cat(labels).to(site.device))

    def _pooled(self, x: Tensor) -> list[Tensor]:
        return [maps.mean((2, 3)) for maps in self.site.layer_maps(x)[0]]

    def outliers(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return self.detector.predict_structured(self._pooled(x))


class _Replay(nn.Module):
    """Layer ``index`` of a network as one of a chain: the first runs the network, the others return its maps."""

    def __init__(self, site: Site, index: int, seen: list[Tensor]) -> None:
        super().__init__()
        self.site, self.index, self.seen = site, index, seen

    def forward(self, x: Tensor) -> Tensor:
        if self.index == 0:
            maps, logits = self.site.layer_maps(x)
            self.seen[:] = [*maps, logits]
        return self.seen[self.index]


class GramMatrices(ImageBasedDetector):
    """Gram matrices of every layer against their range on the fit split."""

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        super().__init__(site, callbacks)
        site.context.labelled_fit(site.title, callbacks)
        names, seen = site.layer_names(), list[Tensor]()
        chain = [_Replay(site, index, seen) for index in range(len(names))]
        head = _Replay(site, len(names), seen)
        self.detector = Gram(head, chain, len(site.model.classes)).to(site.device)
        with seeded(site.device):  # a tenth of the fit split, drawn at random, sets the scale of each layer
            self.detector.fit(FitBatches(site, callbacks))


class NeuronCoverage(ImageBasedDetector):
    """NAC-UE: how well the fit split covers the states of the neurons, in the last layers."""

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        super().__init__(site, callbacks)
        self.layers = site.layer_names()[-int(site.parameters["layers"]) :]
        alpha, intervals, enough = (site.parameters[name] for name in ("alpha", "intervals", "enough"))
        self.coverage = Coverage(float(alpha), int(intervals), int(enough))
        for x, _ in FitBatches(site, callbacks):
            self.coverage.add(self._relevance(x))
        self.coverage.finish()

    def _relevance(self, x: Tensor) -> list[Tensor]:
        with torch.enable_grad():
            return relevance(*self.site.maps(x, tuple(FeatureHook(name) for name in self.layers)))

    def outliers(self, x: Tensor) -> Tensor:
        return -self.coverage.score(self._relevance(x))


class RankOneRemoval(ImageBasedDetector):
    """Energy without the first singular direction of the penultimate map."""

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        super().__init__(site, callbacks)
        self.detector = RankFeat(None, site.head, detector=self.own_logits)

    def outliers(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            maps = self.site.maps(x, (self.site.model.hook,))[0][0]
            return self.detector.predict_feature_maps(maps.contiguous())


class EarlyAsh(ImageBasedDetector):
    """ASH at the end of an earlier layer, the rest of the network after it (ASH paper, section 4, "Where to ASH?")."""

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        super().__init__(site, callbacks)
        self.layer = site.network.get_submodule(site.layer_names()[-1 - int(site.parameters["back"])])
        self.shape = SHAPES[str(site.parameters["variant"])]
        self.percentile = float(site.parameters["percentile"])

    def outliers(self, x: Tensor) -> Tensor:
        def shaped(_module: nn.Module, _inputs: object, maps: Tensor) -> Tensor:
            return self.shape(maps, self.percentile)

        handle = self.layer.register_forward_hook(shaped)
        try:
            with torch.no_grad():
                return self.own_logits(self.site.network(x))
        finally:
            handle.remove()
