"""What every figure is made with: colours that can be told apart, thumbnails, overlays, numbers in print."""

import base64
import io
import itertools
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from plotly.colors import sample_colorscale, unlabel_rgb

from nap_core.figures import ID_COLOUR, colour_of, colours
from nap_core.figures.palette import IMAGE_COLOUR, NEUTRAL, OOD_COLOURS, sequential, translucent
from nap_core.figures.picture import percent, three_digits
from nap_core.figures.thumbnails import data_address, overlay

SETTINGS = tomllib.loads((Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text())
BACKGROUNDS = {name: SETTINGS["theme"][name]["backgroundColor"] for name in ("light", "dark")}
PALETTE = {"ID": ID_COLOUR, **{f"OOD {place}": colour for place, colour in enumerate(OOD_COLOURS, start=1)}}


def rgb(colour: str) -> np.ndarray:
    """``#rrggbb`` → three shares of full."""
    return np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2."""
    shares = rgb(colour)
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


class TestPalette:
    @pytest.mark.parametrize("background", BACKGROUNDS)
    @pytest.mark.parametrize("name", [*PALETTE, "neutral", "image"])
    def test_marks_stand_out_from_both_backgrounds(self, name: str, background: str) -> None:
        """WCAG 2, 1.4.11: graphical objects need 3 : 1."""
        colour = {**PALETTE, "neutral": NEUTRAL, "image": IMAGE_COLOUR}[name]
        assert contrast(colour, BACKGROUNDS[background]) >= 3

    @pytest.mark.parametrize(("theme", "on_primary"), [("light", "#ffffff"), ("dark", "#0d1117")])
    def test_the_primary_colour_can_be_read_and_read_upon(self, theme: str, on_primary: str) -> None:
        """WCAG 2, 1.4.3: text needs 4.5 : 1. What lies on the primary colour is set in pages/parts/app.css."""
        primary = SETTINGS["theme"][theme]["primaryColor"]
        assert contrast(primary, BACKGROUNDS[theme]) >= 4.5
        assert contrast(primary, on_primary) >= 4.5

    def test_contrast_by_hand(self) -> None:
        assert contrast("#ffffff", "#000000") == pytest.approx(21)
        assert contrast("#767676", "#ffffff") == pytest.approx(
            4.54, abs=0.01
        )  # WCAG's own example of a grey that passes

    def test_every_colour_is_another(self) -> None:
        everything = [*PALETTE.values(), NEUTRAL, IMAGE_COLOUR]
        for one, other in itertools.combinations(everything, 2):
            assert np.abs(rgb(one) - rgb(other)).max() > 0.1, (one, other)

    def test_neighbours_differ_in_lightness(self) -> None:
        """So that they stay apart in grey; the ninth dataset has the colour of the first again."""
        for one, other in itertools.pairwise([*OOD_COLOURS, OOD_COLOURS[0]]):
            assert contrast(one, other) > 1.4, (one, other)

    def test_id_is_blue_and_ood_is_not(self) -> None:
        assert rgb(ID_COLOUR).argmax() == 2
        assert all(rgb(colour).argmax() == 0 for colour in OOD_COLOURS)

    def test_place_in_the_study_gives_the_colour(self) -> None:
        found = colours("cifar10", ("mnist", "textures"))
        assert found == {"cifar10": ID_COLOUR, "mnist": OOD_COLOURS[0], "textures": OOD_COLOURS[1]}

    def test_colours_repeat_after_the_eighth(self) -> None:
        assert len(OOD_COLOURS) == 8
        assert [colour_of(place) for place in (7, 8, 17)] == [OOD_COLOURS[7], OOD_COLOURS[0], OOD_COLOURS[1]]

    def test_streamlits_own_charts_use_the_same(self) -> None:
        assert SETTINGS["theme"]["chartCategoricalColors"] == [ID_COLOUR, *OOD_COLOURS, NEUTRAL]

    def test_translucent(self) -> None:
        assert translucent("#2f7de1", 0.25) == "rgba(47,125,225,0.25)"
        assert translucent("#000000", 1.0) == "rgba(0,0,0,1)"

    def test_maps_get_brighter_from_silence_to_peak(self) -> None:
        steps = sample_colorscale(sequential(), list(np.linspace(0, 1, 50)))
        bright = [np.dot(unlabel_rgb(step), [0.2126, 0.7152, 0.0722]) for step in steps]
        assert (np.diff(bright) > 0).all()

    def test_no_colour_of_a_map_is_taken_for_a_placeholder_of_the_theme(self) -> None:
        """Streamlit replaces #000001 … #000019 and the like in a figure by colours of its own."""
        assert not [colour for _, colour in sequential() if re.fullmatch(r"#0000[01]\d", str(colour))]


def opened(address: str) -> Image.Image:
    head, data = address.split(",", 1)
    assert head.endswith(";base64")
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert head == f"data:image/{image.format.lower()};base64"
    return image


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


class TestThumbnails:
    @pytest.mark.parametrize("side", [1, 28, 32, 64])
    def test_small_images_lose_nothing(self, side: int) -> None:
        image = noise(side, side)
        found = opened(data_address(image))
        assert found.format == "PNG"
        np.testing.assert_array_equal(np.asarray(found), np.asarray(image))

    @pytest.mark.parametrize(("size", "fits"), [((500, 200), (96, 38)), ((200, 500), (38, 96)), ((97, 97), (96, 96))])
    def test_large_images_keep_their_proportions(self, size: tuple[int, int], fits: tuple[int, int]) -> None:
        found = opened(data_address(noise(*size)))
        assert found.format == "JPEG"
        assert found.size == fits

    def test_size_can_be_chosen_and_nothing_is_enlarged(self) -> None:
        assert opened(data_address(noise(300, 300), size=50)).size == (50, 50)
        assert opened(data_address(noise(20, 10), size=50)).size == (20, 10)

    @pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
    def test_any_mode(self, mode: str) -> None:
        assert opened(data_address(noise(10, 10, mode))).mode == "RGB"

    def test_image_itself_is_left_alone(self) -> None:
        image = noise(300, 300)
        data_address(image)
        assert image.size == (300, 300)


class TestOverlay:
    GREY = Image.new("RGB", (8, 4), (120, 120, 120))

    def test_silent_neurons_leave_the_image_as_it_is(self) -> None:
        found = overlay(self.GREY, np.zeros((2, 4)), top=5.0, opacity=1.0)
        np.testing.assert_array_equal(np.asarray(found), np.asarray(self.GREY))

    @pytest.mark.parametrize("top", [0.0, -1.0])
    def test_silent_channel_has_no_scale(self, top: float) -> None:
        found = overlay(self.GREY, np.zeros((2, 4)), top=top)
        np.testing.assert_array_equal(np.asarray(found), np.asarray(self.GREY))

    def test_one_block_is_one_neuron(self) -> None:
        channel = np.zeros((2, 4))
        channel[1, 2] = 5.0
        found = np.asarray(overlay(self.GREY, channel, top=5.0, opacity=1.0))
        changed = (found != 120).any(axis=2)
        expected = np.zeros((4, 8), bool)
        expected[2:4, 4:6] = True
        np.testing.assert_array_equal(changed, expected)

    def test_peak_at_full_opacity_has_the_brightest_colour(self) -> None:
        found = np.asarray(overlay(self.GREY, np.full((2, 4), 5.0), top=5.0, opacity=1.0))
        np.testing.assert_allclose(found[0, 0], unlabel_rgb(sample_colorscale(sequential(), [1.0])[0]), atol=1)

    def test_what_is_above_the_top_is_drawn_as_the_top(self) -> None:
        one, other = (overlay(self.GREY, np.full((2, 4), value), top=5.0) for value in (5.0, 50.0))
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))

    def test_opacity_of_zero_shows_the_image_alone(self) -> None:
        found = overlay(self.GREY, np.full((2, 4), 5.0), top=5.0, opacity=0.0)
        np.testing.assert_array_equal(np.asarray(found), np.asarray(self.GREY))

    def test_half_opacity_is_half_way(self) -> None:
        full, half = (
            np.asarray(overlay(self.GREY, np.full((2, 4), 5.0), top=5.0, opacity=opacity), float)
            for opacity in (1.0, 0.5)
        )
        np.testing.assert_allclose(half, (full + 120) / 2, atol=1.5)

    @given(st.floats(0, 10), st.floats(0, 10), st.floats(0.1, 1))
    def test_more_activation_covers_more(self, one: float, other: float, opacity: float) -> None:
        less, more = (covered(value, opacity) for value in sorted((one, other)))
        assert less <= more + 0.01
        assert more <= opacity + 0.01


def covered(value: float, opacity: float) -> float:
    """The share of an image that an overlay hides: what black and white underneath no longer differ by."""
    black, white = (
        np.asarray(overlay(Image.new("RGB", (1, 1), under), np.full((1, 1), value), top=10.0, opacity=opacity), float)
        for under in ("black", "white")
    )
    return 1 - float((white - black).mean()) / 255


class TestNumbers:
    @pytest.mark.parametrize(
        ("share", "printed"),
        [
            (0, "0.0\xa0%"),
            (1, "100.0\xa0%"),
            (0.5074, "50.7\xa0%"),
            (0.0004, "0.0\xa0%"),
            (0.99951, "100.0\xa0%"),
            (1 / 3, "33.3\xa0%"),
        ],
    )
    def test_percent(self, share: float, printed: str) -> None:
        assert percent(share) == printed

    @pytest.mark.parametrize(
        ("score", "printed"),
        [
            (0, "0"),
            (1, "1.00"),
            (2.5, "2.50"),
            (100, "100"),
            (999.6, "1,000"),
            (0.31415, "0.314"),
            (-4.2149, "-4.21"),
            (123.4, "123"),
            (999.4, "999"),
            (1234.5, "1,234"),
            (-98765.4, "-98,765"),
            (0.000012345, "1.23e-05"),
        ],
    )
    def test_scores_have_three_digits(self, score: float, printed: str) -> None:
        assert three_digits(score) == printed
