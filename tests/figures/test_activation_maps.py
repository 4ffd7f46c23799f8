"""Overlays and tiles: every number in them against numpy, on maps made by hand."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from nap_core.figures.activation_maps import Subject, channel_tiles, enlarged, overlay_map
from nap_core.figures.palette import get_colorscale, sequential
from tests.sentences import Says


def subject(maps: object, role: str = "ID", title: str = "cat") -> Subject:
    values = np.asarray(maps, np.float32)
    view = np.full((4, 4, 3), 128, np.uint8)
    return Subject(role, title, "#2f7de1", view, values, np.arange(len(values), dtype=np.float64) - 1)


ONE = subject([[[0, 1], [2, 9]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]])
OTHER = subject([[[1, 1], [1, 1]], [[0, 0], [0, 4]], [[0, 0], [0, 0]]], "OOD", "sock")


def test_subject_reads_its_statistics_off_the_maps() -> None:
    assert ONE.maximum.tolist() == [9, 1, 0]
    assert ONE.mean.tolist() == [3, 1, 0]
    assert ONE.ratio.tolist() == [9 / 4, 0.5, 0]


def test_overlay_carries_the_map_and_says_where_the_peak_is(says: Says) -> None:
    picture = overlay_map(ONE, 0, top=9, opacity=0.5)
    heat = picture.figure.data[0]
    assert np.array_equal(heat.z, ONE.maps[0])
    assert (list(heat.x), list(heat.y)) == ([1, 2], [1, 2])
    says(picture.reading, "0 9.00 2 2 3.00 1 2.25")
    assert picture.table["activation"].tolist() == [0, 1, 2, 9]
    assert picture.table[picture.table.activation == 9][["row", "column"]].to_numpy().tolist() == [[2, 2]]


def test_overlay_paints_the_peak_and_leaves_silent_neurons_as_they_are() -> None:
    picture = overlay_map(ONE, 0, top=9, opacity=0.8)
    source = picture.figure.layout.images[0].source
    painted = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).convert("RGB"), int)
    height, width = painted.shape[:2]
    silent, peak = painted[height // 4, width // 4], painted[3 * height // 4, 3 * width // 4]
    assert np.abs(silent - 128).max() <= 3
    assert np.abs(peak - 128).max() > 60


def test_overlay_of_a_silent_channel_says_so_and_keeps_a_colour_scale() -> None:
    picture = overlay_map(ONE, 2, top=0, opacity=0.5)
    assert "is inactive" in picture.reading
    assert picture.figure.data[1].marker.cmax == 1


def test_overlays_share_the_scale_they_are_given() -> None:
    bars = [overlay_map(one, 0, top=9, opacity=0.5).figure.data[1].marker for one in (ONE, OTHER)]
    assert [(bar.cmin, bar.cmax) for bar in bars] == [(0, 9), (0, 9)]


def test_tiles_hold_the_channels_asked_for_on_one_scale_over_all_channels() -> None:
    tiles = channel_tiles(ONE, OTHER, np.array([2, 1]))
    assert tiles.channels == (2, 1)
    assert tiles.top == 9  # channel 0 is not shown: colours must not change with what is
    row = tiles.table[(tiles.table.image == "OOD") & (tiles.table.channel == 1)].iloc[0]
    assert (row.maximum, row["mean"], row.ratio, row.contribution) == (4, 1, 2, 0)
    assert len(tiles.table) == 4


def test_tiles_reading_counts_channels_and_leaves_ties_out(says: Says) -> None:
    reading = channel_tiles(ONE, OTHER, [0]).reading
    says(reading, "1 3 higher 1 highest 9.00 0 4.00 1")


@pytest.mark.parametrize(("side", "expected"), [(32, 320), (224, 448), (500, 500)])
def test_small_views_are_enlarged_by_whole_pixels(side: int, expected: int) -> None:
    view = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    image = enlarged(view)
    assert image.size == (expected, expected)
    times = expected // side
    assert np.array_equal(np.asarray(image)[::times, ::times], view)


def test_the_colour_scale_avoids_the_placeholders_of_streamlits_theme() -> None:
    scale = sequential()
    assert len(scale) == len(get_colorscale("Inferno"))
    assert [share for share, _ in scale] == sorted(share for share, _ in scale)
    # Streamlit replaces "#000001" to "#000040" by colours of its theme; all of them begin with four noughts.
    assert not [colour for _, colour in scale if str(colour).startswith("#0000")]
