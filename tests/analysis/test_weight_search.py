"""The search for w on a study: on what it runs, what it finds, and what that costs against the best w."""

import numpy as np
import pytest

from nap_core import methods, metrics
from nap_core.analysis import evaluation, weight_search
from nap_core.errors import UserError
from nap_core.extraction import ExtractionStopped
from nap_core.figures import colours
from nap_core.figures.weight_search import reading, search_picture, steps_table, unknowable
from nap_core.methods import ImageSet, combination
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import RunCallbacks
from nap_core.studies.study import Study, StudyActivations, run

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 30)
BANK = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5)
TITLES = {"cifar10": "CIFAR-10", "mnist": "MNIST", "uniform-noise": "Uniform noise"}


# Not the store of the whole run: whoever met the same images there would find that w had been searched.
@pytest.fixture(scope="module")
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("search"))


@pytest.fixture(scope="module")
def found(own_store: Store) -> StudyActivations:
    return run(STUDY, own_store)


@pytest.fixture(scope="module")
def pseudo(own_store: Store) -> ImageSet:
    return ImageSet(weight_search.extraction_plan(STUDY).run(own_store)[0])


def test_every_id_image_is_distorted_in_every_way() -> None:
    images = weight_search.pseudo_images(STUDY)
    assert len(images) == 15 * 30
    plan = images.plan
    assert all(sorted(plan.corruption[plan.source == source]) == list(range(15)) for source in range(30))
    assert set(plan.severity) == {1, 2, 3, 4, 5}
    assert images.scale == "imagenet"
    again = weight_search.pseudo_images(STUDY)
    np.testing.assert_array_equal(np.asarray(images.image(77)), np.asarray(again.image(77)))
    assert again.fingerprint == images.fingerprint != weight_search.pseudo_images(STUDY, seed=1).fingerprint


def test_they_are_extracted_once(tmp_path) -> None:
    small, store = Study("resnet20-cifar10", "cifar10", ("mnist",), 2), Store(tmp_path)
    plan = weight_search.extraction_plan(small)
    assert plan.missing(store).total() == 30
    with pytest.raises(ExtractionStopped):
        plan.run(store, RunCallbacks(should_stop=lambda: True))
    (first,) = plan.run(store)
    assert not plan.missing(store)

    def nothing(_progress: object) -> None:
        raise AssertionError("what is stored is not computed again")

    (again,) = plan.run(store, RunCallbacks(progress=nothing))
    np.testing.assert_array_equal(again.maximum, first.maximum)


def test_the_w_found_is_the_default_once_all_is_stored(tmp_path) -> None:
    small, store = Study("resnet20-cifar10", "cifar10", ("mnist",), 20), Store(tmp_path)
    activations = run(small, store)
    method = methods.parse("nap+energy")
    published = methods.weight(method, activations.context)
    assert published == methods.RECORDS["energy"].weight("CIFAR-10") and published.origin == "published"
    stops = iter([False, True])
    with pytest.raises(ExtractionStopped):
        weight_search.extraction_plan(small).run(store, RunCallbacks(should_stop=lambda: next(stops)))
    assert methods.weight(method, activations.context) == published, "a part of the images is not enough"
    pseudo = ImageSet(weight_search.extraction_plan(small).run(store)[0])
    searched = weight_search.search(activations, pseudo, "nap+energy").found
    expected = methods.Weight(searched.w, "found")
    assert methods.weight(method, activations.context) == methods.weight(method, run(small, store).context) == expected
    assert evaluation.score_study(activations, "nap+energy").w == searched.w
    np.testing.assert_array_equal(
        methods.score("nap+energy", activations.id, activations.context),
        methods.score("nap+energy", activations.id, activations.context, w=searched.w),
    )
    # A method that must see the images again cannot score what was stored of the distorted ones.
    assert methods.weight(methods.parse("nap+odin"), activations.context).origin == "assumed"


def test_a_bank_has_no_images_to_distort() -> None:
    with pytest.raises(UserError, match="not shipped, so they cannot be distorted"):
        weight_search.extraction_plan(BANK)


@pytest.mark.parametrize("spec", ["nap+energy", "nap+msp", "nap+knn"])
def test_the_w_found_is_the_best_on_the_distorted_images(found: StudyActivations, pseudo: ImageSet, spec: str) -> None:
    result = weight_search.search(found, pseudo, spec)
    _, other = methods.combination_parts(spec)
    known = ImageSet(found.id)
    aurocs = [
        metrics.auroc(
            combination.combine(methods.positive(other, known, found.context), methods.score("nap", found.id), w),
            combination.combine(
                methods.positive(other, pseudo, found.context), methods.score("nap", pseudo.activations), w
            ),
        )
        for w in combination.INNER_WEIGHTS
    ]
    best = max(aurocs)
    # A binary search may end beside the best where the curve is all but flat.
    assert aurocs[combination.INNER_WEIGHTS.index(result.found.w)] > best - 0.002
    np.testing.assert_allclose(result.pseudo.auroc[0][1:-1], aurocs)
    assert result.lost() >= 0 and all(result.lost(name) >= 0 for name in STUDY.ood_datasets)
    here = combination.WEIGHTS.index(result.found.w)
    lowest = result.true.average("fpr95").min()
    assert result.lost() == pytest.approx(result.true.average("fpr95")[here] - lowest)


def test_what_is_no_combination_or_needs_images_is_refused(found: StudyActivations, pseudo: ImageSet) -> None:
    with pytest.raises(UserError, match="no combination"):
        weight_search.search(found, pseudo, "energy")
    with pytest.raises(UserError, match="needs the images themselves"):
        weight_search.search(found, pseudo, "nap+odin")


def test_picture_words_and_steps(found: StudyActivations, pseudo: ImageSet) -> None:
    result = weight_search.search(found, pseudo, "nap+energy")
    picture = search_picture(result, "nap+energy", TITLES, colours("cifar10", STUDY.ood_datasets))
    assert [trace.name for trace in picture.figure.data] == ["distorted ID images", "MNIST", "Uniform noise"]
    assert f"NAP+Energy w = {result.found.w:g}" in picture.reading == reading(result, "nap+energy", TITLES)
    marked = [shape.x0 for shape in picture.figure.layout.shapes]
    assert marked == ([result.oracle] if result.oracle != result.found.w else []) + [result.found.w]
    table = steps_table(result)
    assert len(table) == len(result.found.steps) and table["AUROC"].between(50, 100).all()
    assert picture.table.groupby("dataset").size().to_dict() == dict.fromkeys(
        ["distorted ID images", "mnist", "uniform-noise"], len(combination.WEIGHTS)
    )
    worse = [name for name in STUDY.ood_datasets if result.lost(name) > 0.01]
    assert all(TITLES[name] in unknowable(result, TITLES) for name in worse)
    assert bool(unknowable(result, TITLES)) == bool(worse)
