"""Datasets of small images that are published as arrays: CIFAR, SVHN, MNIST and its relatives."""

from __future__ import annotations

from nap_core.datasets.catalogue.bundled import CIFAR10_CLASSES, CIFAR10_SOURCE, FIT_NOTE
from nap_core.datasets.published.arrays import cifar, idx, svhn
from nap_core.datasets.published.spec import File, PublishedRecord
from nap_core.datasets.spec import Kind, Role

_NUMBERS = "zero one two three four five six seven eight nine"
_DIGITS = tuple(f"{digit} - {word}" for digit, word in enumerate(_NUMBERS.split()))
_CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def _cifar(number: int, classes: tuple[str, ...], md5: str, size: int) -> tuple[PublishedRecord, ...]:
    archive = f"cifar-{number}-python.tar.gz"
    file = File(archive, f"https://www.cs.toronto.edu/~kriz/{archive}", f"md5:{md5}", size)
    test, batches = "test_batch", tuple(f"data_batch_{batch}" for batch in range(1, 6))
    labels, names = "labels", ("batches.meta", "label_names")
    note = "All test images of the network's classes; the bundled sample is a thousand of these."
    if number == 100:
        test, batches = "test", ("train",)
        labels, names = "fine_labels", ("meta", "fine_label_names")
        note = "Near to CIFAR-10: other classes, the same kind of picture. The hardest of the usual OOD sets."
    splits: tuple[tuple[str, str, str, int, Role, tuple[str, ...]], ...] = (
        ("test", "test", note, 10_000, "id", (test,)),
        ("train", "training", FIT_NOTE, 50_000, "fit", batches),
    )
    return tuple(
        PublishedRecord(
            f"cifar{number}-{split}",
            f"CIFAR-{number} {word} set ({size:,})",
            f"Small photographs of {number} classes: the complete {word} set.",
            note,
            f"{CIFAR10_SOURCE}; address and MD5 as in torchvision",
            size=size,
            role=role,
            shape=(32, 32),
            classes=classes,
            folder=f"cifar{number}",
            files=(file,),
            read=cifar(archive, members, labels, names),
        )
        for split, word, note, size, role, members in splits
    )


def _mnist(
    name: str,
    title: str,
    what: str,
    base: str,
    files: tuple[tuple[str, int], tuple[str, int]],
    classes: tuple[str, ...],
    *,
    kind: Kind,
    licence: str,
    source: str,
) -> PublishedRecord:
    names = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    return PublishedRecord(
        f"{name}-test",
        f"{title} test set (10,000)",
        f"{what}: the complete test set.",
        "Bright strokes or shapes on black: far from photographs, yet not easy for a prior that looks for peaks.",
        f"{source}; address and MD5 as in torchvision",
        size=10_000,
        role="id",
        kind=kind,
        shape=(28, 28),
        classes=classes,
        licence=licence,
        folder=name,
        files=tuple(
            File(file, base + file, f"md5:{md5}", size) for file, (md5, size) in zip(names, files, strict=True)
        ),
        read=idx(names[0], names[1], classes),
    )


ENTRIES: tuple[PublishedRecord, ...] = (
    *_cifar(10, CIFAR10_CLASSES, "c58f30108f718f92721af3b95e74349a", 170_498_071),
    *_cifar(100, (), "eb9058c3a382ffc7106e4002c42a8d85", 169_001_437),
    PublishedRecord(
        "svhn-test",
        "SVHN",
        "House numbers in street photographs, cropped to single digits: the complete test set.",
        "Photographs of something else altogether, often blurred: the usual first OOD dataset of CIFAR networks.",
        "Netzer and others, Reading digits in natural images, 2011; address and MD5 as in torchvision",
        size=26_032,
        role="id",
        shape=(32, 32),
        classes=tuple("0123456789"),
        folder="svhn",
        files=(
            File(
                "test_32x32.mat",
                "http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
                "md5:eb5a983be6a315427106f1b164d9cef3",
                64_275_384,
            ),
        ),
        read=svhn("test_32x32.mat"),
    ),
    _mnist(
        "mnist",
        "MNIST",
        "Handwritten digits, white on black",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        (("9fb629c4189551a2d022fa330f9573f3", 1_648_877), ("ec29112dd5afa0611ce80d1b7f02629c", 4_542)),
        _DIGITS,
        kind="handwriting",
        licence="CC BY-SA 3.0, © Yann LeCun and Corinna Cortes",
        source="LeCun, Bottou, Bengio and Haffner, Proceedings of the IEEE, 1998",
    ),
    _mnist(
        "fashion-mnist",
        "Fashion-MNIST",
        "Grey pictures of clothes, shoes and bags on black",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        (("bef4ecab320f06d8554ea6380940ec79", 4_422_102), ("bb300cfdad3c16e7a12a480ee83cd310", 5_148)),
        _CLOTHES,
        kind="photographs",
        licence="MIT, © 2017 Zalando SE",
        source="Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
    ),
    _mnist(
        "kmnist",
        "KMNIST",
        "Handwritten Japanese characters, white on black",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        (("5c965bf0a639b31b8f53240b1b52f4d7", 3_041_136), ("7320c461ea6c1c855c0b718fb2a4b134", 5_120)),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        kind="handwriting",
        licence="CC BY-SA 4.0, CODH",
        source="Clanuwat and others, Deep learning for classical Japanese literature, 2018",
    ),
)
