"""Words and shapes that the figures share."""

import pytest

from nap_core.figures.layout import axis, curves_over_x
from nap_core.figures.text import averaged_over, column_title, counted, join, out_of, signed

TITLES = {"a": "MNIST", "b": "Textures"}
COLOURS = {"a": "#c98608", "b": "#c8352c"}


@pytest.mark.parametrize(
    ("words", "expected"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_join(words: list[str], expected: str) -> None:
    assert join(words) == expected


def test_counts() -> None:
    assert [counted(count, "image") for count in (0, 1, 1_200)] == ["0 images", "1 image", "1,200 images"]
    assert [out_of(*counts) for counts in ((2, 2), (5, 5), (3, 5), (0, 5))] == [
        "both OOD datasets",
        "all 5 OOD datasets",
        "3 of 5 OOD datasets",
        "none of the 5 OOD datasets",
    ]


def test_signs_and_columns() -> None:
    assert [signed(-0.5), signed(0.25, "+.1f"), signed(float("nan"))] == ["−0.50", "+0.2", "–"]
    assert [averaged_over(names, TITLES) for names in (["a"], ["a", "b"])] == [
        "on MNIST",
        "averaged over 2 OOD datasets",
    ]
    assert [column_title(name, TITLES) for name in ("a", "average")] == ["MNIST", "Average"]


def test_an_average_is_drawn_of_several_datasets_only() -> None:
    several = curves_over_x([0, 1], {"a": [1, 2], "b": [3, 4]}, TITLES, COLOURS, [2, 3])
    assert [(one["name"], one["line"]["width"]) for one in several] == [
        ("MNIST", 1.8),
        ("Textures", 1.8),
        ("average", 5),
    ]
    single = curves_over_x([0, 1], {"a": [1, 2]}, TITLES, COLOURS, [1, 2])
    assert [(one["name"], one["line"]["width"], one["line"]["color"]) for one in single] == [("MNIST", 4, "#c98608")]


def test_axes_are_fixed_unless_they_can_be_zoomed() -> None:
    assert axis("w", 2) == {"title": {"text": "w", "standoff": 2}, "zeroline": False, "fixedrange": True}
    assert axis("w", zoom=True, range=[0, 1]) == {"title": {"text": "w"}, "range": [0, 1]}
