"""The catalogue is data: what it states of pytorch-ood's detectors agrees with the library, and every name loads."""

import pkgutil

import pytest
import pytorch_ood.detector as library
from pytorch_ood.api import Detector, FeatureMapsDetector, LogitsDetector

from nap_core.methods.catalogue import RECORDS
from nap_core.methods.image_based import ImageBasedDetector

# Implementations of our own, with the detector whose paper they are from. NAP and GMM have no paper in the library.
OF_OUR_OWN = {
    "dice-react": library.DICE,
    "ash-rand": library.ASH,
    "ash-global": library.ASH,
    "gradnorm": library.GradNorm,
    "mahalanobis-odin": library.MahalanobisODIN,
    "mdsens": library.MultiMahalanobis,
    "gram": library.Gram,
    "nac-ue": library.NACUE,
    "rankfeat": library.RankFeat,
    "ash-early": library.ASH,
    "mc-dropout": library.MCD,
}
WITHOUT = {"nap", "nap-variance", "nap-no-square", "nap-minus", "gmm"}
LOADED = {name: pkgutil.resolve_name(record.implementation) for name, record in RECORDS.items()}
DETECTORS = {name: kind for name, kind in LOADED.items() if isinstance(kind, type) and issubclass(kind, Detector)}


@pytest.mark.parametrize("name", sorted(RECORDS.keys() - WITHOUT))
def test_the_paper_is_the_one_that_the_library_states(name: str) -> None:
    record, paper = RECORDS[name], (DETECTORS | OF_OUR_OWN)[name].info.paper
    stated = (paper.title, paper.venue, paper.year, paper.url)
    assert (record.paper, record.venue, record.year, record.url) == stated


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_family_and_fit_split_agree_with_the_detectors_class(name: str) -> None:
    record, kind = RECORDS[name], DETECTORS[name]
    if record.own_pass:
        assert record.family == "images"
        return
    families = {LogitsDetector: "logits", FeatureMapsDetector: "shaping"}
    assert record.family == next((word for base, word in families.items() if issubclass(kind, base)), "features")
    assert record.fits == kind.requires_fit


def test_every_implementation_and_every_function_of_arguments_loads() -> None:
    assert DETECTORS.keys() | OF_OUR_OWN.keys() | WITHOUT == RECORDS.keys()
    for name, record in RECORDS.items():
        assert callable(LOADED[name])
        assert not record.arguments or callable(pkgutil.resolve_name(record.arguments))
        if isinstance(LOADED[name], type) and issubclass(LOADED[name], ImageBasedDetector):
            assert record.family == "images"
            assert record.own_pass
