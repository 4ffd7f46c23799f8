"""The search for a method's parameters on distorted ID images: what it compares, finds, refuses and leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from nap_core import corruptions, methods, metrics
from nap_core.activations import Activations
from nap_core.analysis import distorted_images, evaluation, parameter_search
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, Parameter, ScoringContext
from nap_core.methods.combination import INNER_WEIGHTS, W
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, RunCallbacks
from nap_core.studies.study import Study, run
from tests.methods.conftest import made_model, random_activations
from tests.sentences import states

KINDS = len(corruptions.RECORDS)
ROWS = 30


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return made_model()


@pytest.fixture(scope="module")
def data(model: LoadedModel) -> EvaluationData:
    part = ImageSet(random_activations(model, 60, 3))
    context = ScoringContext(model, "CIFAR-10", fit_activations=random_activations(model, 200, 1))
    return EvaluationData("id", part, {"ood": ImageSet(random_activations(model, 20, 9))}, context)


@pytest.fixture(scope="module")
def pseudo(model: LoadedModel) -> ImageSet:
    weak = random_activations(model, ROWS * KINDS, 5)
    draw = np.random.default_rng(6).uniform(0.3, 1.0, (len(weak), 1)).astype(np.float32)
    mean = weak.mean * draw
    logits = mean @ model.head_weight.T + model.head_bias
    return ImageSet(Activations(weak.maximum * draw, mean, weak.variance, logits.astype(np.float32), weak.labels))


def area(data: EvaluationData, pseudo: ImageSet, spec: str) -> float:
    """The AUROC that a search compares, from the public score alone."""
    known = methods.score(spec, data.id.activations.head(ROWS), data.context)
    return metrics.auroc(known, methods.score(spec, pseudo, data.context))


class TestSpaces:
    def test_every_record_with_parameters_has_one(self) -> None:
        with_parameters = [record for record in methods.RECORDS.values() if record.parameters]
        assert len(with_parameters) > 15
        for record in with_parameters:
            assert parameter_search.searchable(methods.parse(record.name)), record.name

    @pytest.mark.parametrize("name", [name for name, record in methods.RECORDS.items() if record.parameters])
    def test_its_values_are_allowed_and_of_the_parameters_kind(self, name: str) -> None:
        for parameter in methods.RECORDS[name].parameters:
            values = parameter.search
            assert len(set(values)) == len(values) != 1
            assert all(parameter.read(value) == value for value in values)
            assert all(isinstance(value, type(parameter.default)) for value in values)
            assert parameter.choices or list(values) == sorted(values, key=float)

    def test_w_is_one_of_them(self) -> None:
        assert isinstance(W, Parameter) and W.search == INNER_WEIGHTS
        assert all(W.read(w) == w for w in W.search)

    def test_limits_of_the_network_and_the_fit_split_count(self, data: EvaluationData) -> None:
        def values(spec: str, context: ScoringContext) -> tuple[object, ...]:
            method = methods.parse(spec)
            return parameter_search.candidates(method, parameter_search.searchable(method)[0], context)

        assert max(values("knn", data.context)) == 200
        few = replace(data.context, fit_limit=30)
        assert values("knn", few) == (1, 2, 5, 10, 20, 30)  # the default, 50, becomes the limit
        assert values("knn:k=7", few) == (1, 2, 5, 7, 10, 20)
        assert max(values("ash-s", data.context)) == 0.95  # 0.98 leaves none of 24 features
        assert values("ash-global", data.context) == ("b", "p", "s")


class TestSearch:
    @pytest.mark.parametrize("spec", ["ash-s", "scale", "knn", "dice", "nap", "nap+ash-s"])
    def test_it_finds_the_best_of_its_values(self, data: EvaluationData, pseudo: ImageSet, spec: str) -> None:
        result = parameter_search.search(data, pseudo, spec)
        (tried,) = result.tried
        method = methods.parse(spec)
        names = [replace(method, settings=((tried.name, value),)).spec for value in tried.values]
        assert tried.aurocs == pytest.approx([area(data, pseudo, name) for name in names])
        assert result.auroc == max(tried.aurocs) == pytest.approx(area(data, pseudo, result.found))
        assert result.before == pytest.approx(area(data, pseudo, spec))
        assert states(result.sentence(), f"{100 * result.auroc:.1f} {100 * result.before:.1f}")

    def test_several_parameters_end_at_least_as_well_as_one(self, data: EvaluationData, pseudo: ImageSet) -> None:
        result = parameter_search.search(data, pseudo, "vra")
        assert [one.name for one in result.tried] == ["lower_percentile", "upper_percentile"]
        assert result.auroc == max(result.tried[-1].aurocs) >= result.before
        assert result.auroc == pytest.approx(area(data, pseudo, result.found))

    def test_the_ood_images_play_no_part_and_nothing_is_left_behind(
        self, data: EvaluationData, pseudo: ImageSet
    ) -> None:
        others = replace(data, ood={"x": ImageSet(data.ood["ood"].activations.head(3))})
        before = evaluation.evaluate(data, ["ash-s"]).drop(columns="seconds")
        assert parameter_search.search(others, pseudo, "ash-s") == parameter_search.search(data, pseudo, "ash-s")
        assert evaluation.evaluate(data, ["ash-s"]).drop(columns="seconds").equals(before)

    def test_what_is_best_at_its_default_is_left_out_of_the_name(self, data: EvaluationData) -> None:
        same = ImageSet(data.id.activations.take(np.zeros(KINDS, np.int64)))
        assert parameter_search.search(data, same, "nap").found == "nap"
        assert parameter_search.search(data, same, "nap:epsilon=0.5").found == "nap:epsilon=0.5"

    def test_other_settings_stay(self, data: EvaluationData, pseudo: ImageSet) -> None:
        found = parameter_search.search(data, pseudo, "ash-rand:seed=3").found
        assert "seed=3" in found

    def test_a_value_at_which_it_cannot_run_is_passed_over(
        self, data: EvaluationData, pseudo: ImageSet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = methods.scored

        def scored(method, *rest, **words):
            if dict(method.settings).get("k", 0) > 10:
                raise UserError("too many")
            return whole(method, *rest, **words)

        monkeypatch.setattr(methods, "scored", scored)
        (tried,) = parameter_search.search(data, pseudo, "knn:k=5").tried
        assert [bool(np.isnan(one)) for one in tried.aurocs] == [value > 10 for value in tried.values]

    def test_it_stops_on_request(self, data: EvaluationData, pseudo: ImageSet) -> None:
        with pytest.raises(ExtractionStopped):
            parameter_search.search(data, pseudo, "knn", callbacks=RunCallbacks(should_stop=lambda: True))


@pytest.mark.parametrize(("spec", "facts"), [("msp", "MSP no parameter"), ("odin", "ODIN network again")])
def test_what_cannot_be_searched(data: EvaluationData, pseudo: ImageSet, spec: str, facts: str) -> None:
    with pytest.raises(UserError) as error:
        parameter_search.search(data, pseudo, spec)
    assert states(str(error.value), facts)


def test_the_default_study_is_led_out_of_chance(tmp_path) -> None:
    """Found without any OOD image, where the percentile that was published for DenseNet-BC lies below chance."""
    study = run(Study("resnet20-cifar10", "cifar10", ("mnist", "fashion-mnist"), 60), Store(tmp_path), device="cpu")
    pseudo = distorted_images.extracted(study)
    for spec in ("ash-s", "scale"):
        result = parameter_search.search(study, pseudo, spec)
        before, after = (evaluation.evaluate(study, [one]) for one in (spec, result.found))
        assert before["auroc"].mean() < 0.4 and (before["below_chance"] != "").all()
        assert after["auroc"].mean() > 0.85 and (after["below_chance"] == "").all()
        assert 0.4 <= dict(methods.parse(result.found).settings)["percentile"] <= 0.8
