"""What a link shares: it survives the round trip, and a bad one is answered with a sentence."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nap_core import datasets, models, studies
from nap_core.errors import UserError
from nap_core.extraction import extract
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from nap_core.studies.study import MAX_IMAGES, SEARCHED, Study, default_study, missing_images, run

SMALL = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 6)
OOD = [name for name, record in datasets.RECORDS.items() if record.role in ("ood", "id")]


@st.composite
def any_study(draw) -> Study:
    model = draw(st.sampled_from(list(models.RECORDS)))
    known = [name for name in OOD if datasets.RECORDS[name].role == "id"]
    id_dataset = draw(st.sampled_from([*known, *([own] if (own := models.RECORDS[model].id_dataset) else [])]))
    met = draw(st.lists(st.sampled_from([name for name in OOD if name != id_dataset]), min_size=1, unique=True))
    return Study(model, id_dataset, tuple(met), draw(st.integers(1, MAX_IMAGES)))


class TestLinks:
    @given(any_study())
    def test_round_trip(self, study: Study) -> None:
        query = study.to_query()
        assert Study.from_query(query) == study
        assert all(isinstance(value, str) and value for value in query.values())

    def test_address_by_hand(self) -> None:
        assert SMALL.to_query() == {
            "model": "resnet20-cifar10",
            "id": "cifar10",
            "ood": "mnist,uniform-noise",
            "n": "6",
        }

    def test_bare_address_is_the_default_study(self) -> None:
        assert Study.from_query({}) == default_study()

    @pytest.mark.parametrize("model", models.RECORDS)
    def test_what_is_left_out_is_the_models_default(self, model: str) -> None:
        base = default_study(model)
        assert Study.from_query({"model": model}) == base
        assert Study.from_query({"model": model, "n": "7"}) == replace(base, images=7)
        assert Study.from_query({"model": model, "ood": "mnist"}) == replace(base, ood_datasets=("mnist",))

    def test_parameters_of_pages_are_none_of_its_business(self) -> None:
        assert Study.from_query({**SMALL.to_query(), "w": "0.4", "channel": "x"}) == SMALL

    def test_the_searched_w_is_part_of_the_link(self) -> None:
        assert "w" not in SMALL.to_query() and Study.from_query({**SMALL.to_query(), "w": "0.4"}).weights == ""
        chosen = replace(SMALL, weights=SEARCHED)
        assert chosen.to_query()["w"] == "searched"
        assert Study.from_query(chosen.to_query()).weights == SEARCHED
        assert "w searched on distorted images" in chosen.sentence()
        assert chosen == SMALL, "the same images through the same network"
        with pytest.raises(UserError, match="“searched” or left out"):
            replace(SMALL, weights="best")

    @pytest.mark.parametrize(
        ("changed", "answer"),
        [
            ({"model": "resnet19"}, "no model called “resnet19”. There are: resnet20-cifar10"),
            ({"model": ""}, "no model called “”"),
            ({"id": "imagenet"}, "no dataset called “imagenet”. There are: cifar10"),
            ({"ood": "mnist,emnist"}, "no dataset called “emnist”"),
            ({"ood": ""}, "at least one OOD dataset"),
            ({"ood": ","}, "at least one OOD dataset"),
            ({"ood": "mnist,mnist"}, "each dataset once"),
            ({"ood": "mnist,cifar10"}, "each dataset once"),
            ({"n": "many"}, "asks for “many” images: that is not a whole number"),
            ({"n": "1.5"}, "not a whole number"),
            ({"n": ""}, "not a whole number"),
            ({"n": "0"}, "must lie between 1 and 1,000,000, not 0"),
            ({"n": "-5"}, "not -5"),
            ({"n": "1000001"}, "not 1,000,001"),
            ({"n": "9" * 5000}, "not a whole number"),
            ({"id": "imagenet-bank"}, "holds the activations of another model"),
            ({"ood": "imagenet-bank"}, "ImageNet reference"),
        ],
    )
    def test_bad_link_is_answered_with_a_sentence(self, changed: dict[str, str], answer: str) -> None:
        with pytest.raises(UserError) as raised:
            Study.from_query({**SMALL.to_query(), **changed})
        assert answer in str(raised.value)
        assert str(raised.value).endswith(".")


class TestWords:
    def test_sentence(self) -> None:
        assert SMALL.sentence() == "ResNet-20 · ID: CIFAR-10 · OOD: MNIST, Uniform noise · 6 images each"
        assert replace(SMALL, images=1000).sentence().endswith("1,000 images each")

    def test_datasets_in_order(self) -> None:
        assert SMALL.datasets == ("cifar10", "mnist", "uniform-noise")
        assert SMALL.trained_on == "CIFAR-10"

    @pytest.mark.parametrize("model", models.RECORDS)
    def test_default_study_is_the_records(self, model: str) -> None:
        record, chosen = models.RECORDS[model], default_study(model)
        assert (chosen.model, chosen.id_dataset, chosen.ood_datasets) == (model, record.id_dataset, record.ood_datasets)
        assert chosen.images == record.images

    def test_default_of_an_unknown_model(self) -> None:
        with pytest.raises(UserError, match="no model called “x”"):
            default_study("x")


class TestRuns:
    def test_gives_each_datasets_own_activations(self, store_root: Path) -> None:
        found = run(SMALL, Store(store_root), device="cpu")
        assert found.id_name == SMALL.id_dataset
        assert list(found.ood) == ["mnist", "uniform-noise"]
        model = models.load(SMALL.model)
        for name in SMALL.datasets:
            expected = extract(model, datasets.load(name), limit=6, device="cpu")
            np.testing.assert_allclose(found.of(name).mean, expected.mean, rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(found.of(name).labels, expected.labels)

    def test_missing_images_shrink_as_it_runs(self, store_root: Path) -> None:
        store = Store(store_root)
        assert missing_images(SMALL, store) == {"cifar10": 6, "mnist": 6, "uniform-noise": 6}
        extract(models.load(SMALL.model), datasets.load("mnist"), limit=4, store=store, device="cpu")
        assert missing_images(SMALL, store) == {"cifar10": 6, "mnist": 2, "uniform-noise": 6}
        run(SMALL, store, device="cpu")
        assert missing_images(SMALL, store) == {}
        assert missing_images(replace(SMALL, images=4), store) == {}
        assert missing_images(replace(SMALL, images=8), store) == {"cifar10": 2, "mnist": 2, "uniform-noise": 2}

    def test_no_more_images_are_missing_than_there_are(self, store_root: Path) -> None:
        everything = replace(SMALL, images=MAX_IMAGES)
        assert missing_images(everything, Store(store_root)) == {
            name: datasets.RECORDS[name].size for name in SMALL.datasets
        }

    def test_stopped_run_goes_on(self, store_root: Path) -> None:
        store = Store(store_root)
        heard: list[Progress] = []
        with pytest.raises(ExtractionStopped):
            run(SMALL, store, device="cpu", callbacks=RunCallbacks(heard.append, lambda: len(heard) >= 1))
        assert missing_images(SMALL, store) == {"mnist": 6, "uniform-noise": 6}
        run(SMALL, store, device="cpu", callbacks=RunCallbacks(heard.append))
        assert [(each.title, each.done, each.total) for each in heard] == [
            ("CIFAR-10", 6, 18),
            ("MNIST", 12, 18),
            ("Uniform noise", 18, 18),
        ]

    def test_reference_bank_stands_in_for_id_images(self, store_root: Path) -> None:
        chosen = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 2)
        assert missing_images(chosen, Store(store_root)) == {"uniform-noise": 2}
        found = run(chosen, Store(store_root), device="cpu")
        assert (len(found.id.activations), found.id.activations.channels, found.id.activations.logits.shape[1]) == (
            2,
            1280,
            1000,
        )
        assert len(found.of("uniform-noise")) == 2

    def test_an_error_while_loading_is_passed_on(self, store_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone(_name: str) -> None:
            raise UserError("The weights are gone.")

        monkeypatch.setattr(studies.study.models, "load", gone)
        with pytest.raises(UserError, match="weights are gone"):
            run(SMALL, Store(store_root))
