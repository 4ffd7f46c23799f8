"""The catalogue: every score against pytorch-ood's and against numbers by hand, and the words of each record."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pytorch_ood.detector import EnergyBased, MaxSoftmax

from nap_core import methods
from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods import ScoringContext
from nap_core.methods.spec import TINY
from nap_core.nap import nap_score

DETECTORS = {"msp": MaxSoftmax, "energy": EnergyBased}
LOGITS = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.floats(-30, 30, width=32)
)


def positive(name: str, activations: Activations) -> methods.Scores:
    return methods.positive(methods.parse(name), methods.ImageSet(activations), ScoringContext())


def with_logits(logits) -> Activations:
    logits = np.array(logits, np.float32)
    maximum = np.linspace(1, 2, len(logits), dtype=np.float32)[:, None]
    return Activations(maximum, maximum / 2, maximum, logits, np.full(len(logits), -1))


class TestScores:
    def test_msp_by_hand(self) -> None:
        # softmax of (0, ln 3) is (¼, ¾)
        np.testing.assert_allclose(methods.score("msp", with_logits([[0, np.log(3)], [5, 5]])), [0.75, 0.5], rtol=1e-6)

    def test_energy_by_hand(self) -> None:
        # log(e⁰ + e^(ln 3)) = ln 4; log(e⁻¹ + e⁻¹) = ln 2 − 1
        found = methods.score("energy", with_logits([[0, np.log(3)], [-1, -1]]))
        np.testing.assert_allclose(found, [np.log(4), np.log(2) - 1], rtol=1e-6)

    @pytest.mark.parametrize("name", DETECTORS)
    @given(logits=LOGITS)
    def test_equals_pytorch_oods_outlier_score_negated(self, name: str, logits) -> None:
        theirs = DETECTORS[name](None).predict_logits(torch.from_numpy(logits.astype(np.float64))).numpy()
        np.testing.assert_allclose(methods.score(name, with_logits(logits)), -theirs, rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize("name", methods.STANDARD)
    def test_one_number_an_image_in_double_precision(self, name: str) -> None:
        for images in (0, 1, 3):
            found = methods.score(name, with_logits(np.ones((images, 4))))
            assert found.shape == (images,)
            assert found.dtype == np.float64

    def test_confident_images_are_not_tied_by_rounding(self) -> None:
        """In single precision both softmaxes are exactly 1."""
        first, second = methods.score("msp", with_logits([[20, 0], [30, 0]]))
        assert first < second < 1

    @pytest.mark.parametrize("name", ["msp", "energy", "nap+msp", "nap+energy"])
    def test_higher_means_more_in_distribution(self, name: str) -> None:
        logits = np.array([[1, 1, 1], [9, 0, 0]], np.float32)
        one = np.ones((2, 1), np.float32)
        unsure, sure = methods.score(name, Activations(one, one, one, logits, np.full(2, -1)))
        assert sure > unsure

    def test_nap_is_the_score_of_its_own_module(self) -> None:
        found = with_logits(np.zeros((5, 2)))
        np.testing.assert_array_equal(methods.score("nap", found), nap_score(found))


class TestCombinations:
    @pytest.mark.parametrize("other", ["msp", "energy"])
    @pytest.mark.parametrize("w", [0.0, 0.3, 1.0])
    def test_is_the_formula(self, other: str, w: float) -> None:
        found = with_logits([[0, 1], [3, 1], [2, 2]])
        expected = methods.score(other, found) ** w * methods.score("nap", found) ** (1 - w)
        np.testing.assert_allclose(methods.score(f"nap+{other}", found, w=w), expected)

    def test_energy_that_is_not_positive_is_clipped_for_the_combination_only(self) -> None:
        found = with_logits([[-5, -5]])
        assert methods.score("energy", found)[0] < 0
        assert positive("energy", found).tolist() == [TINY]
        combined = methods.score("nap+energy", found, w=0.5)
        np.testing.assert_allclose(combined, np.sqrt(TINY * nap_score(found)))

    def test_positive_forms_leave_positive_scores_alone(self) -> None:
        found = with_logits([[0, 3], [2, 2]])
        for name in ("msp", "maxlogit", "energy"):
            np.testing.assert_array_equal(positive(name, found), methods.score(name, found))

    def test_without_a_positive_form_there_is_no_combination(self) -> None:
        with pytest.raises(UserError, match="NAP has no positive form"):
            methods.parse("nap+nap")

    def test_weight_outside_the_interval_is_refused(self) -> None:
        with pytest.raises(ValueError, match="between 0 and 1"):
            methods.score("nap+msp", with_logits([[0, 1]]), w=1.5)

    @pytest.mark.parametrize(
        ("trained_on", "msp", "energy"),
        [
            ("CIFAR-10", 0.5, 0.4),
            ("CIFAR-100", 0.3, 0.4),
            ("ImageNet-1k", 0.3, 0.6),
            ("birds", 0.5, 0.4),
            ("", 0.5, 0.4),
        ],
    )
    def test_weight_nobody_chose_is_the_papers(self, trained_on: str, msp: float, energy: float) -> None:
        assert methods.default_w("nap+msp", ScoringContext(trained_on=trained_on)) == msp
        assert methods.default_w("nap+energy", ScoringContext(trained_on=trained_on)) == energy
        found = with_logits([[0, 3], [2, 2]])
        np.testing.assert_array_equal(
            methods.score("nap+energy", found, ScoringContext(trained_on=trained_on)),
            methods.score("nap+energy", found, w=energy),
        )

    @pytest.mark.parametrize(
        ("classes", "msp", "benchmark"), [(5, 0.5, "CIFAR-10"), (40, 0.3, "CIFAR-100"), (365, 0.3, "ImageNet-1k")]
    )
    def test_a_network_of_no_benchmark_takes_the_nearest_ones_weight(
        self, classes: int, msp: float, benchmark: str
    ) -> None:
        found = methods.RECORDS["msp"].weight("birds", classes)
        assert (found.w, found.origin, found.benchmark) == (msp, "nearest", benchmark)
        assert benchmark in found.sentence()
        assert methods.RECORDS["vim"].weight("CIFAR-10", 10).origin == "assumed"  # Table 11 has no ViM

    def test_another_prior_takes_naps_weight_and_the_paper_is_not_named_for_it(self) -> None:
        found = methods.weight(methods.parse("nap-variance+energy"), ScoringContext(trained_on="CIFAR-10"))
        assert (found.w, found.origin) == (0.4, "assumed")
        assert methods.weight(methods.parse("nap+energy"), ScoringContext(trained_on="CIFAR-10")).origin == "published"

    @pytest.mark.parametrize("name", methods.RECORDS)
    def test_single_methods_have_no_weight(self, name: str) -> None:
        assert methods.default_w(name, ScoringContext(trained_on="CIFAR-10")) is None

    def test_published_weights_are_those_of_table_11(self, shared: Path) -> None:
        with (shared / "reference" / "published_w.csv").open() as file:
            table = {(row["method"], row["id_dataset"]): float(row["w"]) for row in csv.DictReader(file)}
        for record in methods.RECORDS.values():
            name = {"ASH-S": "ASH"}.get(record.title, record.title)
            published = {benchmark: w for (method, benchmark), w in table.items() if method == name}
            assert dict(record.published_w) == published, record.name


class TestCatalogue:
    def test_names(self) -> None:
        assert methods.STANDARD == ("nap", "msp", "energy", "nap+msp", "nap+energy")
        assert all(name == record.name for name, record in methods.RECORDS.items())

    @pytest.mark.parametrize("name", methods.RECORDS)
    def test_record_says_what_a_page_shows(self, name: str) -> None:
        record = methods.RECORDS[name]
        assert record.title
        assert record.paper
        assert 2000 < record.year < 2100
        assert record.formula
        assert set(record.needs) <= set(methods.NEED_SENTENCES)
        for parameter in record.parameters:
            assert parameter.source
            assert parameter.read(parameter.default) == parameter.default
            for value in parameter.by_benchmark.values():
                assert parameter.read(value) == value
        if record.positive:
            assert record.positive.note.endswith(".")
            assert 0 < record.default_w < 1
        assert record.prior or record.positive

    def test_titles(self) -> None:
        assert methods.title("nap+energy") == "NAP+Energy"
        assert methods.title("msp") == "MSP"

    @pytest.mark.parametrize("name", ["", "NAP", "nap+", "nap+nothing", "mspp"])
    def test_unknown_name_is_answered_with_the_known_ones(self, name: str) -> None:
        with pytest.raises(UserError, match=r"no method called .*There are: nap, nap-variance, .*msp, .*energy"):
            methods.parse(name)

    @pytest.mark.parametrize("name", methods.RECORDS)
    def test_a_name_is_read_back(self, name: str) -> None:
        record = methods.RECORDS[name]
        told = "".join(f":{one.name}={one.default}" for one in record.parameters)
        assert methods.parse(name + told).spec == name + told
        assert methods.parse(name).parameters("birds") == methods.parse(name + told).parameters("CIFAR-10")

    @pytest.mark.parametrize(
        ("spec", "sentence"),
        [
            ("knn:k=x", "k must be a whole number, 1 to 100000, not “x”"),
            ("knn:k=0", "k must be 1 to 100000, not 0"),
            ("ash-s:percentile=1.5", "percentile must be 0 to 0.99, not 1.5"),
            ("ash-s:p=1", "ASH-S has no parameter “p”. It has: percentile"),
            ("msp:k=1", "MSP has no parameter “k”. It has: none"),
            ("ash-s:0.9", "“0.9” is no parameter. Write it as ash-s:name=value"),
            ("ash-early:variant=x", "variant must be p, b or s, not “x”"),
            ("nap+msp+energy", "combines more than two methods"),
            ("msp+energy", "first part of “msp\\+energy” must be one of nap, nap-variance, nap-no-square, nap-minus"),
        ],
    )
    def test_a_wrong_word_is_answered_with_the_right_ones(self, spec: str, sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            methods.parse(spec)

    def test_parameters_are_those_of_the_benchmark_until_told(self) -> None:
        method = methods.parse("ash-s")
        assert method.parameters("CIFAR-10") == {"percentile": 0.95}
        assert method.parameters("CIFAR-100") == method.parameters("ImageNet-1k") == {"percentile": 0.9}
        assert methods.parse("ash-s:percentile=0.8").parameters("CIFAR-10") == {"percentile": 0.8}
        assert methods.title("nap+ash-s:percentile=0.8") == "NAP+ASH-S (percentile 0.8)"

    def test_the_wrong_way_round_is_said_to_be_so(self) -> None:
        with pytest.raises(UserError, match=r"Write nap\+energy"):
            methods.score("energy+nap", with_logits([[0, 1]]))

    def test_parts_of_a_combination(self) -> None:
        assert [one.spec for one in methods.combination_parts("nap+msp")] == ["nap", "msp"]
        assert [one.spec for one in methods.combination_parts("nap-minus+knn:k=5")] == ["nap-minus", "knn:k=5"]
        with pytest.raises(UserError, match="MSP is no combination"):
            methods.combination_parts("msp")
