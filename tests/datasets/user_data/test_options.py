"""What is written behind a path."""

import pytest

from nap_core.datasets.user_data.options import Options, divide
from nap_core.errors import UserError


@pytest.mark.parametrize(
    ("text", "front", "options"),
    [
        ("pets", "pets", Options()),
        ("pets:val", "pets", Options("val")),
        ("fog.npy:3:from-0", "fog.npy", Options("3", "from-0")),
        ("scans:0..4095", "scans", Options(window=(0, 4095))),
        ("scans:test:-1..1:in-order", "scans", Options("test", "in-order", (-1, 1))),
        ("scans:0.5...2", "scans", Options(window=(0.5, 2))),
        ("C:/pets:val", "C:/pets", Options("val")),
        ("odd:name", "odd:name", Options()),
    ],
)
def test_options_stand_behind_the_longest_path_that_exists(text: str, front: str, options: Options) -> None:
    there = {"pets", "fog.npy", "scans", "C:/pets", "odd:name", "odd"}
    assert divide(text, there.__contains__) == (front, options)
    assert divide(options.behind(front), there.__contains__) == (front, options)


def test_what_does_not_exist_or_makes_no_sense() -> None:
    assert divide("gone:val", {"pets"}.__contains__) is None
    assert divide("pets:", {"pets"}.__contains__) is None
    for text in ("pets:val:test", "pets:from-0:from-1", "pets:5..2", "pets:val:val"):
        with pytest.raises(UserError):
            divide(text, {"pets"}.__contains__)
