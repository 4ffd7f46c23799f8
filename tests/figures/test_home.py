"""Home's pictures: the bundled pair is what the model answers today, and the numbers drawn are numpy's."""

import numpy as np
import pytest

from nap_core import datasets, extraction, models
from nap_core.activations import Activations
from nap_core.analysis import home_example
from nap_core.analysis.evaluation import MethodScores
from nap_core.analysis.home_example import Example, HomeExample
from nap_core.errors import UserError
from nap_core.figures.home import pair_picture, study_histogram
from nap_core.nap import nap_score
from nap_core.studies.study import default_study
from tests.made_data import made_data
from tests.sentences import Says

TITLES = {"cifar10": "CIFAR-10", "mnist": "MNIST", "textures": "Textures"}
COLOURS = {"cifar10": "#2f7de1", "mnist": "#c98608", "textures": "#c8352c"}
BUILD = "run assets/build/build_home.py again"


def example(dataset: str, values: object, nap: float = 2.0) -> Example:
    return Example(dataset, 3, "thing", np.zeros((4, 4, 3), np.uint8), np.asarray(values, np.float64), nap)


PAIR = HomeExample(
    "resnet20-cifar10", "0" * 64, 7, example("cifar10", [[0, 0], [0, 4]]), example("textures", [[1, 1], [1, 1.04]])
)


def test_the_bundled_pair_belongs_to_the_default_model_and_its_maps_are_right() -> None:
    pair = home_example.load()
    model = models.load(default_study().model)
    assert pair.weights_sha256 == model.weights_sha256, BUILD
    for one in (pair.id_image, pair.ood_image):
        image = datasets.load(one.dataset).image(one.row)
        assert np.array_equal(one.view, model.transform.view(image)), BUILD
        maps = extraction.maps(model, [image], device="cpu")
        assert np.allclose(one.channel_map, maps[0, pair.channel], atol=1e-3), BUILD
        assert pair.channel in np.argsort(-maps[0].mean(axis=(1, 2)))[: home_example.MOST_ACTIVE]
        flat = maps.reshape(1, maps.shape[1], -1)
        numbers = Activations(flat.max(2), flat.mean(2), flat.var(2), np.zeros((1, 2)), np.array([-1]))
        assert one.nap == pytest.approx(float(nap_score(numbers)[0]), rel=1e-4)


def test_the_bundled_pair_shows_what_the_sentence_says() -> None:
    pair = home_example.load()
    assert pair.id_image.dataset == default_study().id_dataset
    assert pair.ood_image.dataset in default_study().ood_datasets
    assert abs(pair.id_image.mean - pair.ood_image.mean) <= 0.021 * max(pair.id_image.mean, pair.ood_image.mean)
    assert pair.id_image.maximum > 1.5 * pair.ood_image.maximum
    assert pair.id_image.nap > pair.ood_image.nap


def test_save_and_load_agree(tmp_path: object) -> None:
    home_example.save(PAIR, tmp_path)  # type: ignore[arg-type]
    back = home_example.load(tmp_path)  # type: ignore[arg-type]
    assert (back.channel, back.model, back.id_image.row, back.ood_image.nap) == (7, "resnet20-cifar10", 3, 2.0)
    assert np.array_equal(back.id_image.channel_map, PAIR.id_image.channel_map)
    assert np.array_equal(back.ood_image.view, PAIR.ood_image.view)


def test_a_missing_showcase_is_answered_with_a_sentence(tmp_path: object) -> None:
    with pytest.raises(UserError, match="assets/home"):
        home_example.load(tmp_path / "nothing")  # type: ignore[operator]


def answers(means: object, maxima: object, right: object, lead: object = 9.0) -> Activations:
    """Activations of images that are class 0, predicted or not, by a ``lead`` over the other class's logit."""
    mean, maximum = np.asarray(means, np.float32), np.asarray(maxima, np.float32)
    labels = np.where(np.asarray(right, bool), 0, 1)
    logits = np.column_stack([np.broadcast_to(np.asarray(lead, np.float32), len(mean)), np.zeros(len(mean))])
    return Activations(maximum, mean, np.zeros_like(mean), logits, labels)


def test_choose_wants_a_right_answer_and_a_score_that_tells_the_images_apart() -> None:
    known = answers([[2, 1], [2, 1], [2, 1], [2, 3]], [[11, 2], [12, 2], [8, 2], [9, 9]], [True, False, True, True])
    noise = answers([[2, 1]], [[2, 1]], [False])
    textures = answers([[2.01, 1], [2.5, 1], [2, 1]], [[3, 2], [2.5, 1], [2.9, 2]], [False] * 3)
    found = made_data(known, {"uniform-noise": noise, "textures": textures})
    # Row 1 peaks higher but is classified wrongly; row 2's score lies below the median; noise would differ more.
    assert home_example.choose(found) == home_example.Choice(channel=0, id_row=0, ood_dataset="textures", ood_row=2)
    assert home_example.choose(made_data(known, {"uniform-noise": noise})) is None


def test_choose_wants_an_image_that_the_network_is_sure_of() -> None:
    def chosen_row(*leads: float) -> int | None:
        known = answers([[2, 1]] * 3, [[12, 2], [11.9, 2.2], [8, 2]], [True] * 3, leads)
        met = answers([[2, 1]], [[3, 2]], [False])
        chosen = home_example.choose(made_data(known, {"textures": met}))
        return chosen.id_row if chosen else None

    assert chosen_row(9, 9, 9) == 0
    assert chosen_row(4.5, 4.7, 9) == 1  # probabilities of 0.989 and 0.991
    assert chosen_row(4.5, 4.5, 9) is None


def test_choose_wants_a_channel_that_is_among_the_most_active_of_both_images() -> None:
    # Channel 0 has the clearest peak, but three channels are more active; channel 1 is one of these.
    known = answers([[1, 2, 3, 4]], [[50, 20, 9, 9]], [True])
    met = answers([[1, 2, 3.5, 4.5]], [[1, 4, 4, 5]], [False])
    chosen = home_example.choose(made_data(known, {"textures": met}))
    assert chosen == home_example.Choice(channel=1, id_row=0, ood_dataset="textures", ood_row=0)


def test_pair_picture_writes_the_numbers_of_the_maps_on_one_colour_scale(says: Says) -> None:
    picture = pair_picture(PAIR, ("#2f7de1", "#c8352c"))
    texts = [note.text for note in picture.figure.layout.annotations]
    assert "mean <b>1.00</b><br>maximum <b>4.00</b>" in texts
    assert "mean <b>1.01</b><br>maximum <b>1.04</b>" in texts
    assert any("Same" in text and "has a peak." in text for text in texts)
    heats = [trace for trace in picture.figure.data if trace.type == "heatmap"]
    assert [(heat.zmin, heat.zmax) for heat in heats] == [(0, 4), (0, 4)]
    assert np.array_equal(heats[0].z, PAIR.id_image.channel_map)
    assert len(picture.figure.layout.images) == 2
    says(picture.reading, "7 1.00 CIFAR-10 1.01 Textures 4.00 1.04")
    assert picture.table.groupby("image")["activation"].mean().to_dict() == pytest.approx({"ID": 1.0, "OOD": 1.01})


def scores(known: object, **ood: object) -> MethodScores:
    parts = {name: np.asarray(values, np.float64) for name, values in ood.items()}
    return MethodScores("nap", None, np.asarray(known, np.float64), parts)


def test_histogram_counts_every_image_once_id_up_and_ood_down() -> None:
    random = np.random.default_rng(0)
    found = scores(random.normal(5, 1, 400), mnist=random.normal(4, 1, 300), textures=random.normal(2, 1, 100))
    picture = study_histogram(found, "cifar10", TITLES, COLOURS)
    totals = picture.table.groupby("dataset")["images"].sum().to_dict()
    assert totals == {"cifar10": 400, "mnist": 300, "textures": 100}
    bars = {trace.name: np.asarray(trace.y) for trace in picture.figure.data if trace.type == "bar"}
    assert bars["CIFAR-10"].sum() == pytest.approx(1)
    assert bars["MNIST"].sum() == pytest.approx(-300 / 400)
    assert bars["Textures"].sum() == pytest.approx(-100 / 400)
    line = next(shape for shape in picture.figure.layout.shapes if shape.line.dash == "dash")
    assert line.x0 == pytest.approx(found.threshold())


def test_histogram_marks_both_images_at_their_score() -> None:
    found = scores(np.linspace(1, 9, 50), mnist=np.linspace(1, 5, 50))
    marks = (example("cifar10", [[1]], nap=6.5), example("textures", [[1]], nap=1.5))
    picture = study_histogram(found, "cifar10", TITLES, COLOURS, marks)
    places = [(image.x, image.y > 0) for image in picture.figure.layout.images]
    assert places == [(pytest.approx(6.5), True), (pytest.approx(1.5), False)]


def test_histogram_reading(says: Says) -> None:
    known = np.arange(1, 21)  # 95 % reach 2
    several = study_histogram(scores(known, mnist=[0, 1, 5, 6], textures=[0, 1]), "cifar10", TITLES, COLOURS).reading
    says(several, "95 CIFAR-10 NAP 66.7 100.0 Textures 50.0 MNIST")
    one = study_histogram(scores(known, mnist=[0, 5]), "cifar10", TITLES, COLOURS).reading
    says(one, "95 CIFAR-10 NAP 50.0 MNIST")
    same = study_histogram(scores(known, mnist=[0, 5], textures=[1, 9]), "cifar10", TITLES, COLOURS).reading
    says(same, "95 CIFAR-10 NAP 50.0 every")


def test_histogram_of_constant_scores_and_single_images_is_drawn(says: Says) -> None:
    picture = study_histogram(scores([1.0], mnist=[1.0]), "cifar10", TITLES, COLOURS)
    assert picture.table["images"].sum() == 2
    says(picture.reading, "95 CIFAR-10 NAP 0.0 MNIST")
