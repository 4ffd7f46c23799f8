"""Written scores: what they compute, what is refused with its place, and that no text does more than that."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nap_core import nap
from nap_core.activations import Activations
from nap_core.analysis.score_variants import EXAMPLES
from nap_core.errors import UserError
from nap_core.methods.expressions import FUNCTIONS, OVER, parse
from nap_core.methods.expressions.grammar import MOST_CHARACTERS, MOST_NESTED
from tests.sentences import Says

Numbers = dict[str, np.ndarray]


def made(images: int = 40, channels: int = 6) -> Activations:
    """Maps of 9 neurons, some of them silent."""
    rng = np.random.default_rng(0)
    maps = rng.exponential(size=(images, channels, 9)) * (rng.random((images, channels, 1)) > 0.1)
    zeros = np.zeros((images, 3)), np.zeros(images, dtype=np.int64)
    return Activations(maps.max(axis=2), maps.mean(axis=2), maps.var(axis=2), *zeros)


MADE = made()
VALUES: Numbers = {"max": MADE.maximum, "mean": MADE.mean, "var": MADE.variance}


@pytest.mark.parametrize(
    ("text", "score"),
    [
        (EXAMPLES["S_NAP"], nap.nap_score),
        (EXAMPLES["No Square"], nap.no_square_score),
        (EXAMPLES["Minus"], nap.minus_score),
        (EXAMPLES["Variance"], nap.variance_score),
    ],
)
def test_the_designs_of_table_6_can_be_written(text: str, score: Callable[[Activations], np.ndarray]) -> None:
    np.testing.assert_allclose(parse(text).scores(MADE), score(MADE), rtol=1e-12)


@pytest.mark.parametrize("text", EXAMPLES.values())
def test_every_example_has_a_value_and_a_formula(text: str) -> None:
    assert np.isfinite(parse(text).scores(MADE)).all()
    assert parse(text).latex.startswith("S = ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-max ** 2", lambda v: -(v["max"] ** 2)),
        ("2 ** -max", lambda v: 2.0 ** -v["max"]),
        ("max - mean - var", lambda v: (v["max"] - v["mean"]) - v["var"]),
        ("max / (mean + 1) / 2", lambda v: v["max"] / (v["mean"] + 1) / 2),
        ("1.1 ** 2 ** max", lambda v: 1.1 ** (2.0 ** v["max"])),
        ("(2 ** 3) ** max", lambda v: 8.0 ** v["max"]),
        ("clip(max, .5, 1e0)", lambda v: np.clip(v["max"], 0.5, 1)),
        ("larger(max, 1) - smaller(mean, eps)", lambda v: np.maximum(v["max"], 1) - np.minimum(v["mean"], 1)),
        ("--max + +mean", lambda v: v["max"] + v["mean"]),
    ],
)
def test_operators_bind_as_in_print(text: str, expected: Callable[[Numbers], np.ndarray]) -> None:
    np.testing.assert_allclose(parse(text).scores(MADE), expected(VALUES).mean(axis=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("mean", lambda v: v.mean(axis=1)),
        ("sum", lambda v: v.sum(axis=1)),
        ("median", lambda v: np.median(v, axis=1)),
        ("largest", lambda v: v.max(axis=1)),
        ("smallest", lambda v: v.min(axis=1)),
        ("norm", lambda v: np.linalg.norm(v, axis=1)),
    ],
)
def test_over_the_channels(over: str, expected: Callable[[np.ndarray], np.ndarray]) -> None:
    np.testing.assert_allclose(parse("max", over).scores(MADE), expected(MADE.maximum), rtol=1e-12)


def test_the_top_is_a_tenth_of_the_channels_and_one_at_least() -> None:
    wide = made(5, 40)
    expected = np.sort(wide.maximum, axis=1)[:, -4:].mean(axis=1)
    np.testing.assert_allclose(parse("max", "top").scores(wide), expected)
    np.testing.assert_allclose(parse("max", "top").scores(MADE), MADE.maximum.max(axis=1))


def test_blocks_do_not_change_a_score() -> None:
    many = made(60_000, 6)
    assert sum(1 for _ in many.blocks()) > 1
    np.testing.assert_array_equal(
        parse("max - mean").scores(many)[-9:], parse("max - mean").scores(many.take(slice(-9, None)))
    )


MISTAKES = {
    "nothing": ("", "2"),
    "an end": ("max +", "character 5"),
    "no operator": ("max mean", "5 operator"),
    "an open bracket": ("(max + (mean)", "13 1"),
    "a closing bracket": ("max)", "4"),
    "a caret": ("max ^ 2", "5"),
    "no such name": ("maxx", "1"),
    "another word for it": ("std", "1"),
    "a call of max": ("max(mean)", "max 4"),
    "a call of mean": ("mean(max)", "mean 5"),
    "a function without a bracket": ("sqrt max", "6 sqrt"),
    "too few values": ("clip(max, 1)", "clip 1 three 2"),
    "a large number": ("max + 1e999", "7"),
    "a constant": ("2 + eps", "“2"),
    "an attribute": ("max.real", "4"),
    "an import": ("__import__(max)", "1"),
    "a condition": ("max if mean else var", "5 operator"),
    "a foreign letter": ("m\N{LATIN SMALL LETTER A WITH DIAERESIS}x", "2"),
    "too many characters": ("max" + " + max" * 40, "243 200"),
    "too many operations": ("+".join(["1"] * 45 + ["max"]), "40"),
    "nested brackets": ("(" * 30 + "max" + ")" * 30, "21 20"),
    "nested signs": ("-" * 100 + "max", "21 20"),
    "nested powers": ("max" + "**2" * 30, "63 20"),
    "a million brackets": ("(" * 1_000_000, "1,000,000 200"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_its_place(mistake: str, says: Says) -> None:
    text, facts = MISTAKES[mistake]
    with pytest.raises(UserError) as error:
        parse(text)
    says(str(error.value), facts)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("max / mean", "5 1 2 1"),
        ("log(max)", "1 0 1 2 1"),
        ("sqrt(mean - 1)", "1 -0.5 0 1 0"),
        ("max ** -2", "5 0 -2 1 2 1"),
        ("(mean - 5) ** 0.5", "12 -4.5 0.5 0 1 2"),
        ("exp(exp(exp(max + 3)))", "5 2 1"),
        ("max * 1e60 * 1e60", "12 0 1 2"),
    ],
)
def test_what_has_no_value_is_named(text: str, facts: str, says: Says) -> None:
    maximum = np.array([[1.0, 2.0, 3.0], [1.0, 0.0, 0.0]])
    few = Activations(maximum, maximum / 2, maximum / 4, np.zeros((2, 3)), np.zeros(2, dtype=np.int64))
    with pytest.raises(UserError) as error:
        parse(text).scores(few)
    says(str(error.value), facts)


def test_a_later_block_names_its_own_image() -> None:
    many = made(60_000, 6)
    mean = np.array(many.mean) + 1
    mean[59_000, 4] = 0
    with pytest.raises(UserError, match="in channel 4 of image 59,001"):
        parse("max / mean").scores(Activations(many.maximum, mean, many.variance, many.logits, many.labels))


def test_an_unknown_way_over_the_channels_is_refused() -> None:
    with pytest.raises(UserError, match="There is no “mode” over the channels"):
        parse("max", "mode")


# Marks and words of the grammar, so that a good part of the texts can be read.
WORDS = st.sampled_from(
    [*VALUES, *FUNCTIONS, "eps", "+", "-", "*", "/", "**", "(", ")", ",", "2", ".5", "1e9", " ", "^", "x", "\n", "\0"]
)


@given(
    st.one_of(st.text(max_size=2 * MOST_CHARACTERS), st.lists(WORDS, max_size=40).map(" ".join)),
    st.sampled_from([*OVER]),
)
def test_no_text_does_more_than_give_a_score_or_a_sentence(text: str, over: str) -> None:
    try:
        scores = parse(text, over).scores(MADE)
    except UserError:
        return
    assert scores.shape == (len(MADE),)
    assert np.isfinite(scores).all()


# An expression's text, its value, and whether it and all values on the way are finite.
Written = tuple[str, np.ndarray, bool]


def _made(text: str, work: Callable[..., np.ndarray], *operands: Written) -> Written:
    with np.errstate(all="ignore"):
        value = work(*(one[1] for one in operands))
        sound = bool((np.abs(value) <= 1e100).all())
    return text.format(*(one[0] for one in operands)), value, sound and all(one[2] for one in operands)


def _grown(inner: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    pairs = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power}
    calls = {"-": np.negative, "sqrt": np.sqrt, "log": np.log, "exp": np.exp, "abs": np.abs}
    two = st.tuples(st.sampled_from([*pairs.items()]), inner, inner)
    one = st.tuples(st.sampled_from([*calls.items()]), inner)
    return st.one_of(
        two.map(lambda drawn: _made(f"({{}}) {drawn[0][0]} ({{}})", drawn[0][1], *drawn[1:])),
        one.map(lambda drawn: _made(f"{drawn[0][0]}({{}})", drawn[0][1], drawn[1])),
    )


LEAVES: st.SearchStrategy[Written] = st.one_of(
    st.sampled_from([*VALUES]).map(lambda name: (name, VALUES[name], True)),
    st.sampled_from([("0.5", np.float64(0.5), True), ("3", np.float64(3), True), ("eps", np.float64(1), True)]),
)


@given(st.recursive(LEAVES, _grown, max_leaves=6))
def test_an_expression_is_what_numpy_makes_of_it(written: Written) -> None:
    text, value, sound = written
    assume(any(name in text for name in VALUES))
    assume(len(text) <= MOST_CHARACTERS and text.count("(") <= MOST_NESTED // 2)
    expression = parse(text)
    if not sound:
        with pytest.raises(UserError):
            expression.scores(MADE)
        return
    expected = np.broadcast_to(value, MADE.maximum.shape).mean(axis=1)
    np.testing.assert_allclose(expression.scores(MADE), expected, rtol=1e-9, atol=1e-12)
