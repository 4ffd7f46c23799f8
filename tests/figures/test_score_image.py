"""The pictures of one image: numbers equal to numpy's, and words that stay true at the edges."""

import json

import numpy as np
import pandas as pd
import pytest

from nap_core.analysis.single_image import ImageVerdict, NapContribution
from nap_core.figures import score_image
from nap_core.figures.score_image import ListedImage
from tests.sentences import Says

THOUSAND = np.linspace(1, 2, 1000)


def placed(score: float, method: str = "nap", known: np.ndarray = THOUSAND) -> ImageVerdict:
    return ImageVerdict(method, 0.5 if "+" in method else None, score, np.asarray(known, dtype=np.float64))


def share(number: int) -> float:
    """A score that lies above ``number`` of the thousand known ones."""
    return float(THOUSAND[number - 1] + 1e-5) if number else 0.5


def test_the_storyboards_sentence(says: Says) -> None:
    place = placed(share(8))
    says(score_image.opening(place, "CIFAR-10"), "Unlike CIFAR-10")
    says(score_image.grounds(place), "NAP 1.01 lower 99.2")


def test_the_other_two_verdicts_in_words(says: Says) -> None:
    edge, missed, like = placed(share(70)), placed(share(30)), placed(share(412))
    says(score_image.opening(edge, "CIFAR-10"), "edge CIFAR-10")
    says(score_image.grounds(edge), "NAP 1.07 lower 93.0 1.05")
    says(score_image.grounds(missed), "NAP 1.03 lower 97.0 1.05")
    says(score_image.opening(like, "ImageNet-1k"), "Like ImageNet-1k")
    says(score_image.grounds(like), "NAP 1.41 higher 41.2")


def test_words_never_round_to_all_or_none(says: Says) -> None:
    says(score_image.standing(placed(share(0))), "lower 1,000")
    says(score_image.standing(placed(share(1000))), "higher 1,000")
    many = np.linspace(1, 2, 100_000)
    says(score_image.standing(placed(many[1] - 1e-9, known=many)), "lower 99.9")
    says(score_image.grounds(placed(9.0)), "NAP 9.00 higher 1,000 only")


def test_constant_scores_are_equal_not_higher_than_none(says: Says) -> None:
    place = placed(3.0, known=np.full(5, 3.0))
    says(score_image.standing(place), "every")


def test_agreement_names_who_says_what(says: Says) -> None:
    lead = placed(share(500))
    same, other = placed(share(400), "msp"), placed(share(0), "energy")
    assert score_image.agreement(lead, []) == ""
    says(score_image.agreement(lead, [same]), "MSP")
    says(score_image.agreement(lead, [same, placed(share(600), "nap+msp")]), "MSP NAP+MSP")
    says(score_image.agreement(lead, [same, other]), "Energy unlike MSP NAP")
    says(score_image.agreement(lead, [other, placed(share(50), "msp")]), "MSP edge Energy unlike")


def test_names_are_shown_as_they_are() -> None:
    assert score_image.plain("a*b_$x$ [1](2).jpg") == r"a\*b\_\$x\$ \[1\](2).jpg"
    assert "my\\_cat.jpg" in score_image.standing_picture([placed(1.5)], "my_cat.jpg").reading


def test_histograms_hold_every_known_image_and_the_marks() -> None:
    known = np.random.default_rng(0).normal(5, 1, 400)
    places = [placed(4.2, "nap", known), placed(9.0, "energy", 2 * known)]
    picture = score_image.standing_picture(places, "cat")
    for method, place in zip(("nap", "energy"), places, strict=True):
        rows = picture.table[picture.table["method"] == method]
        bars = rows[rows["mark"] == "ID images"]
        counts, edges = np.histogram(place.id_scores, bins=len(bars))
        np.testing.assert_array_equal(bars["images"], counts)
        np.testing.assert_allclose(bars["from"], edges[:-1])
        assert rows.loc[rows["mark"] == "threshold", "from"].item() == place.threshold
        image = rows[rows["mark"] == "this image"].iloc[0]
        assert (image["from"], image["verdict"]) == (place.score, place.verdict)
        assert image["percentile"] == pytest.approx(100 * np.mean(place.id_scores < place.score))
    drawn = picture.figure.data
    assert len(drawn) == 6
    np.testing.assert_array_equal(drawn[0].y, np.histogram(known, bins=len(drawn[0].y))[0])
    assert tuple(drawn[2].x) == (4.2, 4.2)
    assert tuple(drawn[4].x) == (places[1].threshold,) * 2
    assert sum(trace.showlegend is not False for trace in drawn) == 3


def test_standing_reading_counts_the_methods(says: Says) -> None:
    high, low = placed(share(500)), placed(share(3), "energy")
    says(score_image.standing_picture([high, low], "cat").reading, "cat 95 1,000 1 2 NAP Energy lowest 1.00 lower 99.7")
    assert "with every method;" in score_image.standing_picture([high, placed(share(600), "msp")], "cat").reading
    says(
        score_image.standing_picture([low, placed(share(0))], "cat").reading,
        "cat 95 1,000 none NAP lowest 0.500 lower 1,000",
    )
    says(score_image.standing_picture([low], "cat").reading, "cat Energy 1.00 lower 99.7")


def test_histograms_stand_constant_scores_and_one_known_image() -> None:
    for known in (np.full(50, 2.0), np.array([2.0])):
        picture = score_image.standing_picture([placed(2.0, known=known)], "cat")
        bars = picture.table[picture.table["mark"] == "ID images"]
        assert bars["images"].sum() == len(known)


def test_classes_are_the_softmax_in_order(says: Says) -> None:
    logits = np.array([1.0, 3.0, 2.0, -50.0], dtype=np.float32)
    picture = score_image.classes_picture(logits, ["a", "b", "c", "d"], "ResNet-20", count=3)
    expected = np.exp(logits) / np.exp(logits).sum()
    assert picture.table["class"].tolist() == ["b", "c", "a"]
    np.testing.assert_allclose(picture.table["probability"], expected[[1, 2, 0]], rtol=1e-6)
    np.testing.assert_allclose(picture.figure.data[0].x, expected[[1, 2, 0]], rtol=1e-6)
    says(picture.reading, "ResNet-20 b 66.5 c 24.5")
    assert score_image.class_shares(np.array([1e4, 0.0])).tolist() == [1, 0]


def test_one_class_is_no_ranking(says: Says) -> None:
    picture = score_image.classes_picture(np.array([2.0]), ["only"], "Net")
    says(picture.reading, "Net only 100.0")


def strip(*above: int) -> list[ImageVerdict]:
    return [placed(share(number)) for number in above]


def test_the_line_is_the_scores() -> None:
    places = strip(500, 400, 300, 80, 20, 0)
    picture = score_image.corruption_picture(places, "Defocus blur", 3)
    line = picture.figure.data[-1]
    assert list(line.y) == [place.score for place in places] == picture.table["score"].tolist()
    assert list(line.x) == [0, 1, 2, 3, 4, 5]
    assert np.argmax(line.marker.size) == 3
    band = picture.figure.layout.shapes[0]
    assert (band.y0, band.y1) == pytest.approx(tuple(np.quantile(THOUSAND, [0.05, 0.95])))
    assert picture.table["verdict"].tolist() == ["like", "like", "like", "edge", "edge", "unlike"]


def test_the_line_in_words(says: Says) -> None:
    places = strip(500, 400, 300, 80, 20, 0)
    says(
        score_image.corruption_picture(places, "Defocus blur", 3).reading,
        "Defocus blur 3 lowers NAP 1.50 1.08 lower 92.0 3 edge",
    )
    says(score_image.corruption_picture(places, "Defocus blur", 0).reading, "NAP 1.50 higher 50.0 3 edge")
    same = score_image.corruption_picture(strip(500, 500), "Contrast", 1).reading
    says(same, "Contrast 1 NAP 1.50 higher 50.0 every like")
    says(
        score_image.corruption_picture(strip(500, 700), "Contrast", 1).reading,
        "Contrast 1 raises NAP 1.50 1.70 higher 70.0 every like",
    )


def voice(channel: int, gain: float) -> NapContribution:
    return NapContribution(channel, 2 + gain, 2, 0.25, gain)


def test_channels_carry_their_maps_and_numbers(says: Says) -> None:
    maps = np.random.default_rng(0).uniform(0, 4, (10, 7, 7)).astype(np.float32)
    view = np.full((32, 32, 3), 90, dtype=np.uint8)
    voices = [voice(channel, 0.5 - channel / 20) for channel in (3, 7, 1, 9)]
    picture = score_image.channels_picture(voices, view, maps, "for", 4.0)
    assert len(picture.figure.data) == len(picture.figure.layout.images) == 4
    for trace, one in zip(picture.figure.data, voices, strict=True):
        np.testing.assert_array_equal(np.asarray(trace.z, dtype=np.float32), maps[one.channel])
    assert picture.table["channel"].tolist() == [3, 7, 1, 9]
    np.testing.assert_allclose(picture.table["maximum"], maps[[3, 7, 1, 9]].max(axis=(1, 2)))
    np.testing.assert_allclose(picture.table["mean"], maps[[3, 7, 1, 9]].mean(axis=(1, 2)), rtol=1e-6)
    assert picture.table["percentile"].tolist() == [25] * 4
    peak = f"{maps[3].max():.3g}"
    says(picture.reading, f"4 1.00 NAP 3 {peak} 1 2.35 2.00")


def test_channels_in_the_singular_and_none_at_all(says: Says) -> None:
    maps, view = np.ones((3, 8, 8), dtype=np.float32), np.zeros((224, 224, 3), dtype=np.uint8)
    one = score_image.channels_picture([voice(2, -0.25)], view, maps, "against", 1.0)
    says(one.reading, "0.250 NAP 2 1.00 1 1.75 2.00")
    none = score_image.channels_picture([], view, maps, "for", 0.0)
    says(none.reading, "NAP")
    assert none.table.empty
    assert json.loads(none.figure.to_json())["data"] == []


def listed(name: str, above: int) -> ListedImage:
    places = {"nap": placed(share(above)), "energy": placed(share(500), "energy")}
    return ListedImage(name, "data:image/png;base64,x", 40, 30, "cat", 0.5, places)


def test_tables_of_several_images() -> None:
    found = [listed("a.png", 0), listed("b.png", 900)]
    screen = score_image.screen_table(found, "nap")
    assert screen["verdict"].tolist() == ["unlike the ID images", "like the ID images"]
    assert screen["NAP"].tolist() == [0, 90]
    assert screen["probability"].tolist() == [50, 50]
    file = score_image.file_table(found)
    assert file["file"].tolist() == ["a.png", "b.png"]
    assert file["nap_score"].tolist() == [one.placements["nap"].score for one in found]
    assert file["nap_verdict"].tolist() == ["unlike", "like"]
    assert file["energy_percentile"].tolist() == [50, 50]
    assert "data:image" not in file.to_csv()
    assert isinstance(file, pd.DataFrame)


def test_listing_in_words(says: Says) -> None:
    found = [listed("a.png", 0), listed("b.png", 900), listed("c.png", 950)]
    says(score_image.listing_reading(found, "nap", "CIFAR-10"), "3 NAP 2 like 1 unlike CIFAR-10")
    says(score_image.listing_reading(found[:1], "nap", "CIFAR-10"), "1 NAP 1 unlike CIFAR-10")
