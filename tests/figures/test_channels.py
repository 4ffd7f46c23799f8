"""The figures of the Channels page: the ranking, classes × channels, and the classes of one channel."""

import numpy as np
import pytest

from nap_core.analysis.channels.class_activation import ClassActivation
from nap_core.analysis.channels.kinds import HEADS
from nap_core.figures.channels import chosen_of, class_picture, ranking_picture, ranking_table, use_picture
from tests.sentences import Says

AUROCS = np.array([0.6, 0.9, 0.3, 0.5])
NAMES = ("cat", "dog", "ship")
VALUES = np.array([[4.0, 1, 1, 0], [2, 3, 1, 0], [1, 1, 2, 0]])
USE = ClassActivation(np.arange(3), NAMES, np.array([5, 6, 7]), VALUES, 0)


def test_the_best_separating_channel_is_first() -> None:
    table = ranking_table(AUROCS, np.array([1.0, 2, 3, 4]), np.array([4.0, 3, 2, 1]))
    assert table["channel"].tolist() == [1, 0, 3, 2]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert (table["id_maximum"].tolist(), table["ood_maximum"].tolist()) == ([2, 1, 4, 3], [3, 4, 1, 2])
    assert table["name"].iloc[0] == "channel 1"


def test_every_channel_is_a_point_and_the_chosen_one_wears_a_ring(says: Says) -> None:
    table = ranking_table(AUROCS, np.array([1.0, 2, 3, 4]), np.ones(4))
    found = ranking_picture(table, 2, "MNIST")
    points, ring = found.figure.data
    assert list(points.y) == [0.9, 0.6, 0.5, 0.3]
    assert (list(ring.x), list(ring.y)) == ([3], [0.3])
    says(found.reading, "2 4 MNIST 1 1 AUROC 90.0")
    low, high = found.figure.layout.yaxis.range
    assert low < 0.3
    assert high > 0.9


def test_heads_are_called_heads(says: Says) -> None:
    found = ranking_picture(ranking_table(AUROCS, np.ones(4), np.ones(4), HEADS), 0, "MNIST", HEADS)
    says(found.reading, "2 4 heads MNIST 1 head 1 AUROC 90.0")
    assert found.figure.data[0].customdata[1][1] == "mean over heads"


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], None),
        ([{"curve_number": 0, "customdata": [7, "channel 7", 1.0, 1]}], 7),
        ([{"curve_number": 0, "customdata": {"0": 7, "1": "channel 7"}}], 7),
        ([{"curve_number": 1}], None),
    ],
)
def test_a_click_names_its_channel(points: list[dict[str, object]], expected: int | None) -> None:
    assert chosen_of(points) == expected


def test_cells_are_shares_of_a_channels_highest_class(says: Says) -> None:
    found = use_picture(USE, "average ratio", 0, AUROCS)
    heat = found.figure.data[0]
    cells = {
        (name, int(channel)): (float(share), float(value))
        for name, row, told in zip(heat.y, heat.z, heat.customdata, strict=True)
        for share, (value, channel) in zip(row, told, strict=True)
    }
    assert cells["dog", 0] == (0.5, 2)
    assert cells["dog", 1] == (1, 3)
    assert cells["ship", 3] == (0, 0)
    assert found.table.set_index("class").loc["dog", "channel 1"] == 3
    assert found.figure.layout.annotations[0].text == "▲ channel 0"
    assert heat.customdata[0, int(found.figure.layout.annotations[0].x), 1] == 0
    says(found.reading, "2.00 cat 2 4")


def test_of_many_channels_the_best_and_the_chosen_one_are_drawn() -> None:
    heat = use_picture(USE, "average ratio", 2, AUROCS, most=2).figure.data[0]
    assert sorted(heat.customdata[0, :, 1].astype(int)) == [0, 2]


def test_one_class_is_no_comparison(says: Says) -> None:
    found = use_picture(USE.take([1]), "average ratio", 0, AUROCS)
    says(found.reading, "dog")


def test_classes_of_a_channel_stand_beside_its_weights(says: Says) -> None:
    found = class_picture(USE, "ratio", 0, np.array([0.5, 0.2, -0.3]))
    drive, weight = found.figure.data
    assert (list(drive.y), list(drive.x)) == (["cat", "dog", "ship"], [4, 2, 1])
    assert list(weight.x) == [0.5, 0.2, -0.3]
    says(found.reading, "0 cat 5 4.00 1.71 +1.00 Spearman")
    assert found.table["weight"].tolist() == [0.5, 0.2, -0.3]
    against = class_picture(USE, "ratio", 0, np.array([-0.5, -0.2, 0.3]))
    assert "oppose" in against.reading
    assert "−1.00" in against.reading


def test_without_weights_only_the_classes(says: Says) -> None:
    found = class_picture(USE, "ratio", 1, None)
    assert len(found.figure.data) == 1
    assert "weight" not in found.table
    says(class_picture(USE, "ratio", 3, None).reading, "3")
