"""Images that stand in two sets: found by their pixels, counted, left out when that is asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nap_core import datasets, models
from nap_core.analysis import evaluation
from nap_core.datasets import ArrayImages
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ScoringContext, overlap
from nap_core.methods.context import evaluation_data
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from tests.sentences import Says

FIT, ID, OOD = 40, 20, 10


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return models.load("resnet20-cifar10")


def images(name: str, *parts: tuple[str, range]) -> ArrayImages:
    """Bundled images of several datasets, in the order given."""
    opened = [(datasets.load(source), index) for source, indices in parts for index in indices]
    pixels = np.stack([np.asarray(one.image(index).resize((32, 32))) for one, index in opened])
    labels = np.array([one.labels[index] for one, index in opened])
    return ArrayImages(name, name, datasets.load("cifar10").classes, labels, pixels, np.arange(len(pixels)))


def data_of(model: LoadedModel, id_images: ArrayImages, fit: ArrayImages | None = None, **ood: ArrayImages):
    context = ScoringContext(model, "CIFAR-10", fit, device="cpu")
    return evaluation_data("id", {"id": id_images, **ood}, context)


@pytest.fixture(scope="module")
def leaking(model: LoadedModel) -> EvaluationData:
    """Three ID images and two OOD images are among the fit split, one OOD image among the ID images."""
    fit = images("fit", ("cifar10-fit", range(FIT)), ("mnist", range(2)))
    seen = images("id", ("cifar10", range(ID - 3)), ("cifar10-fit", range(5, 8)))
    mnist = images("mnist", ("mnist", range(OOD - 1)), ("cifar10", range(4, 5)))
    return data_of(model, seen, fit, mnist=mnist, textures=images("textures", ("textures", range(OOD))))


def test_are_found_in_every_pair_of_sets(leaking: EvaluationData) -> None:
    found = {(one.name, one.other): one.rows for one in overlap.overlaps(leaking)}
    assert found == {
        ("id", overlap.FIT): (ID - 3, ID - 2, ID - 1),
        ("mnist", overlap.FIT): (0, 1),
        ("mnist", "id"): (OOD - 1,),
    }


def test_are_counted_in_a_sentence(leaking: EvaluationData, says: Says) -> None:
    first, *_, last = overlap.overlaps(leaking)
    says(first.sentence({"id": "CIFAR-10"}), "3 20 CIFAR-10 fit split")
    says(last.sentence({"mnist": "MNIST"}), "1 10 MNIST stands id")


def test_without_them_the_data_share_no_image(leaking: EvaluationData) -> None:
    clean = overlap.without(leaking, overlap.overlaps(leaking))
    assert overlap.overlaps(clean) == []
    assert {name: len(part.activations) for name, part in clean.parts.items()} == {
        "id": ID - 3,
        "mnist": OOD - 3,
        "textures": OOD,
    }
    mnist = clean.ood["mnist"]
    assert [mnist.index(row) for row in range(len(mnist.activations))] == list(range(2, OOD - 1))
    for row in (0, 6):
        np.testing.assert_array_equal(mnist.images.image(row), leaking.ood["mnist"].images.image(row + 2))
    assert [sentence.partition(" (")[0] for sentence in clean.left_out()] == [
        f"id: 3 of {ID} images left out of all numbers, also found in the fit split or among the ID images",
        f"mnist: 3 of {OOD} images left out of all numbers, also found in the fit split or among the ID images",
    ]


def test_a_fit_split_of_test_images_no_longer_makes_knn_perfect(model: LoadedModel) -> None:
    """The case of a fit split with test images: at k = 1 every ID image is its own neighbour."""
    fit = images("fit", ("cifar10-fit", range(FIT)), ("cifar10", range(ID - 2)))
    data = data_of(
        model, images("id", ("cifar10", range(ID))), fit, textures=images("textures", ("textures", range(40)))
    )
    leaked = evaluation.evaluate(data, ["knn:k=1"])["auroc"].iloc[0]
    clean = evaluation.evaluate(overlap.without(data, overlap.overlaps(data)), ["knn:k=1"])
    assert leaked > 0.94 and clean["n_id"].iloc[0] == 2
    assert clean["auroc"].iloc[0] < leaked


def test_a_near_image_is_another_image(model: LoadedModel) -> None:
    first = images("id", ("cifar10", range(ID)))
    pixels = first.pixels.copy()
    pixels[:, 0, 0, 0] ^= 1  # one level of one pixel
    assert overlap.overlaps(data_of(model, first, near=replace(first, name="near", pixels=pixels))) == []


def test_where_there_are_only_activations_these_decide(leaking: EvaluationData, says: Says) -> None:
    bare = replace(leaking, ood={name: replace(part, images=None) for name, part in leaking.ood.items()})
    found = [one for one in overlap.overlaps(bare) if not one.by_pixels]
    assert {(one.name, one.other) for one in found} == {("mnist", overlap.FIT), ("mnist", "id")}
    says(found[0].sentence(), "2 10 mnist activations")


def test_a_set_that_would_be_empty_is_refused(model: LoadedModel) -> None:
    both = images("id", ("cifar10", range(ID)))
    data = data_of(model, both, other=replace(both, name="other"))
    with pytest.raises(UserError, match="Every image of other"):
        overlap.without(data, overlap.overlaps(data))


def test_is_part_of_a_study_and_its_address(data_root: Path, tmp_path: Path) -> None:
    for folder, first in (("known", 0), ("training", 4)):
        (data_root / folder).mkdir()
        for index in range(first, first + 6):
            datasets.load("cifar10").image(index).save(data_root / folder / f"{index}.png")
    study = Study("resnet20-cifar10", "own:known", ("mnist",), 6, "own:training")
    distinct = replace(study, distinct="1")
    assert distinct != study and Study.from_query(distinct.to_query()) == distinct
    assert "distinct" not in study.to_query()
    with pytest.raises(UserError, match="distinct"):
        Study.from_query(study.to_query() | {"distinct": "yes"})
    found = {one.name: len(one.rows) for one in overlap.overlaps(run(study, Store(tmp_path)))}
    assert found == {"own:known": 2}
    assert len(run(distinct, Store(tmp_path)).id.activations) == 4
