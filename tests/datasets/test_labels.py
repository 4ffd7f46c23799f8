"""The classes of a dataset become classes of a network: by name, by number, by place, or not at all."""

import pytest

from nap_core import models
from nap_core.datasets import class_names
from nap_core.datasets.labels import are_strangers, match

CIFAR10 = models.CIFAR10_CLASSES
IMAGENET = models.find("efficientnet-lite0-imagenet").classes()


def unnamed(count: int) -> tuple[str, ...]:
    return tuple(f"class {index}" for index in range(count))


def digits(low: int, high: int) -> tuple[str, ...]:
    """Numbers as a folder of class folders has them: sorted as words."""
    return tuple(sorted(map(str, range(low, high + 1))))


@pytest.mark.parametrize(
    ("classes", "model_classes", "strangers"),
    [
        (CIFAR10, IMAGENET, True),
        (CIFAR10, CIFAR10, False),
        (("cat", "unicorn"), CIFAR10, False),  # one of the network's
        ((), IMAGENET, False),  # no names
        (("0", "1", "2"), IMAGENET, False),  # numbers show nothing
        (("owl", "wren", "robin"), ("hibou", "roitelet", "merle"), True),  # as many, but others
        (("owl", "wren"), ("class 0", "class 1", "class 2"), False),  # a network whose classes have no names
        (("owl", "wren"), ("class 0", "cat", "dog"), True),
        (("n02123045", "n02123159"), IMAGENET, False),
    ],
)
def test_strangers(classes: tuple[str, ...], model_classes: tuple[str, ...], strangers: bool) -> None:
    assert are_strangers(classes, model_classes) is strangers


@pytest.mark.parametrize("model_classes", [unnamed(12), tuple("abcdefghijkl")])
@pytest.mark.parametrize(
    ("classes", "base"),
    [(digits(0, 11), 0), (digits(1, 12), 1), (tuple(f"{n:02d}" for n in range(12)), 0), (digits(0, 10), 0)],
)
def test_digits_match_as_numbers(classes: tuple[str, ...], base: int, model_classes: tuple[str, ...]) -> None:
    found = match(classes, model_classes)
    assert found.indices == tuple(int(name) - base for name in classes)
    assert f"from {base}" in " ".join(found.sentences())
    assert found.unmatched == ()


@pytest.mark.parametrize("form", ["class_{}", "c{:02d}", "Label {}"])
@pytest.mark.parametrize("base", [0, 1])
def test_numbers_behind_a_word_are_numbers(form: str, base: int) -> None:
    classes = tuple(sorted(form.format(index + base) for index in range(12)))
    for model_classes in (unnamed(12), tuple("abcdefghijkl")):
        found = match(classes, model_classes)
        assert sorted(found.indices) == list(range(12))
        assert found.indices == tuple(int("".join(filter(str.isdecimal, name))) - base for name in classes)
    mixed = ("class_1", "label_2", "owl")
    assert set(match(mixed, tuple("abc")).indices) == {-1}


def test_a_range_that_leaves_the_base_open_is_decided_by_the_user() -> None:
    classes = digits(3, 7)
    found = match(classes, unnamed(12))
    assert found.undecided and found.unmatched == classes and set(found.indices) == {-1}
    assert ":from-0" in found.sentences()[0] and ":from-1" in found.sentences()[0]
    assert match(classes, unnamed(12), numbering="from-0").indices == (3, 4, 5, 6, 7)
    assert match(classes, unnamed(12), numbering="from-1").indices == (2, 3, 4, 5, 6)


def test_numbers_beyond_the_network_are_unknown() -> None:
    for classes in (digits(0, 12), digits(1, 13)):
        found = match(classes, unnamed(12))
        assert set(found.indices) == {-1} and not found.undecided
    assert set(match(digits(1, 12), unnamed(12), numbering="from-0").indices) == {-1}


def test_only_classes_with_images_count() -> None:
    """An array's labels 1 … 10 have the names 0 … 10."""
    classes = tuple(map(str, range(11)))
    assert match(classes, CIFAR10, tuple(range(1, 11))).indices == (-1, *range(10))


def test_the_order_of_sorted_words_is_used_where_it_was_said() -> None:
    """As torchvision's ImageFolder counts: "10" is the third class."""
    assert match(digits(0, 11), unnamed(12), numbering="in-order").indices == tuple(range(12))
    assert set(match(digits(0, 10), unnamed(12), numbering="in-order").indices) == {-1}


def test_digits_that_are_names_match_no_other_names() -> None:
    """MNIST's digits are no numbers of CIFAR-10's classes."""
    names = digits(0, 9)
    assert set(match(names, CIFAR10, digits_are_names=True).indices) == {-1}
    assert match(names, unnamed(10), digits_are_names=True).indices == tuple(range(10))
    assert match(("07", "1"), names).indices == (7, 1)
    assert set(match(digits(1, 10), names).indices) == {-1}  # shifted against names 0 … 9, or not


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Airplane", "airplane"),
        ("plane", "airplane"),
        ("aeroplanes", "airplane"),
        ("CAR", "automobile"),
        ("cars", "automobile"),
        ("Lorry", "truck"),
        ("frogs", "frog"),
        ("3_cat", "cat"),
    ],
)
def test_names_of_cifar(name: str, meant: str) -> None:
    found = match((name, "unicorn"), CIFAR10)
    assert found.indices == (CIFAR10.index(meant), -1)
    assert found.unmatched == ("unicorn",) and "unicorn" in found.sentences()[-1]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("n01440764", 0),
        ("n02085620-Chihuahua", 151),
        ("Egyptian_cat", 285),
        ("white shark", 2),  # one of WordNet's names of the great white shark
        ("n02012849", 134),  # the bird: two classes are called crane
        ("n03126707", 517),
        ("crane", 517),  # torchvision's names are "crane bird" and "crane"
    ],
)
def test_names_of_imagenet(name: str, index: int) -> None:
    assert match((name,), IMAGENET).indices == (index,)


def test_a_name_of_two_classes_is_unknown() -> None:
    assert match(("Cardigan",), ("cardigan", "CARDIGAN", "cat")).indices == (-1,)


def test_wordnet_ids_follow_imagenets_order() -> None:
    ids = tuple(class_names.imagenet())
    assert ids == tuple(sorted(ids))
    assert match(ids, IMAGENET).indices == match(ids, unnamed(1000)).indices == tuple(range(1000))
    assert match(("n01440764", "n02102040"), ("tench", "English springer", "church")).indices == (0, 1)
    assert match(("goldfish",), ("n01443537", "n01629819")).indices == (0,)


def test_place_counts_only_where_the_network_has_no_names() -> None:
    birds = ("owl", "robin", "wren")
    assert match(birds, unnamed(3)).indices == (0, 1, 2)
    assert "place" in match(birds, unnamed(3)).sentences()[0]
    for model_classes in (unnamed(4), ("hibou", "merle", "roitelet")):
        found = match(birds, model_classes)
        assert set(found.indices) == {-1} and found.unmatched == birds
