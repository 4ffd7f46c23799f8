"""Bytes as people say them."""

import pytest

from nap_core.storage import byte_size


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (23_456, "23 kB"),
        (9_960_000, "10 MB"),
        (860_400_000, "860 MB"),
        (1_440_000_000, "1.4 GB"),
        (27_500_000_000, "28 GB"),
    ],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert byte_size.in_words(size) == words
