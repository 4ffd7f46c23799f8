"""From the published archive, in its original layout, to an image: every reader of the library."""

import gzip
import io
import json
import pickle
import struct
from collections.abc import Sequence
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from nap_core import datasets
from nap_core.datasets import ImageDataset
from nap_core.datasets.images import presentation_order
from nap_core.datasets.published import imagenet, lsun
from nap_core.errors import UserError
from nap_core.storage.downloads import fetch
from tests.conftest import Publish
from tests.small_archives import noise, picture, tarred, zipped

RED, LIME, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def fetched(name: str) -> ImageDataset:
    """The dataset, after everything it needs has been fetched and unpacked."""
    assert not datasets.prepared(name)
    for one in datasets.missing_downloads(name):
        fetch(one)
    datasets.prepare(name)
    assert datasets.prepared(name) and datasets.missing_downloads(name) == []
    return datasets.load(name)


def shown(found: ImageDataset) -> dict[int, tuple[int, int]]:
    """Original index → place of presentation and label."""
    order = presentation_order(len(found))
    return {int(original): (place, int(found.labels[place])) for place, original in enumerate(order)}


def check(found: ImageDataset, colours: Sequence[tuple[int, int, int]], labels: Sequence[int]) -> None:
    """The dataset holds pictures of these colours with these labels, in the order of presentation."""
    assert len(found) == len(colours)
    for original, (place, label) in shown(found).items():
        image = found.image(place)
        assert image.mode == "RGB"
        assert np.allclose(image.getpixel((0, 0)), colours[original], atol=3)  # JPEG rounds
        assert label == labels[original]


def cifar_batch(pixels: np.ndarray, labels: Sequence[int], key: str = "labels") -> bytes:
    data = pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1)
    return pickle.dumps({"data": data, key: list(labels), "filenames": ["x.png"] * len(pixels)}, protocol=2)


def cifar10(pixels: np.ndarray, labels: Sequence[int]) -> bytes:
    classes = pickle.dumps({"label_names": ["airplane", "automobile", "bird"], "num_vis": 3072}, protocol=2)
    files = {"cifar-10-batches-py/batches.meta": classes, "cifar-10-batches-py/readme.html": b"<html>"}
    files |= {f"cifar-10-batches-py/data_batch_{n}": cifar_batch(pixels[:2] // n, labels[:2]) for n in range(1, 6)}
    return tarred(files | {"cifar-10-batches-py/test_batch": cifar_batch(pixels, labels)})


def test_cifar10(publish: Publish) -> None:
    pixels, labels = noise(5, (32, 32, 3)), [2, 0, 1, 1, 0]
    archive = {"cifar-10-python.tar.gz": cifar10(pixels, labels)}
    publish("cifar10-test", archive)
    publish("cifar10-train", archive)
    found = fetched("cifar10-test")
    assert found.classes == ("airplane", "automobile", "bird")
    for original, (place, label) in shown(found).items():
        np.testing.assert_array_equal(np.asarray(found.image(place)), pixels[original])
        assert label == labels[original]
    # One archive, two datasets: the training set needs nothing more, and is another one.
    assert datasets.prepared("cifar10-train")
    train = datasets.load("cifar10-train")
    assert len(train) == 10
    assert train.fingerprint != found.fingerprint
    places = shown(train)
    np.testing.assert_array_equal(np.asarray(train.image(places[9][0])), pixels[1] // 5)


def test_a_pickle_that_could_run_code_is_not_opened(publish: Publish) -> None:
    evil = b"cos\nsystem\n(S'echo no'\ntR."
    files = {"cifar-10-batches-py/test_batch": evil, "cifar-10-batches-py/batches.meta": evil}
    publish("cifar10-test", {"cifar-10-python.tar.gz": tarred(files)})
    with pytest.raises(UserError, match=r"it names os\.system, which is no plain data"):
        fetched("cifar10-test")


def test_cifar100(publish: Publish) -> None:
    pixels = noise(4, (32, 32, 3))
    meta = pickle.dumps({"fine_label_names": ["apple", "bee"], "coarse_label_names": ["x"]}, protocol=2)
    batch = cifar_batch(pixels, [1, 0, 0, 1], "fine_labels")
    files = {f"cifar-100-python/{name}": data for name, data in (("meta", meta), ("test", batch), ("train", batch))}
    publish("cifar100-test", {"cifar-100-python.tar.gz": tarred(files)})
    found = fetched("cifar100-test")
    assert (found.classes, sorted(found.labels)) == (("apple", "bee"), [0, 0, 1, 1])


def test_svhn_counts_ten_as_zero(publish: Publish) -> None:
    pixels = noise(4, (32, 32, 3))
    buffer = io.BytesIO()
    savemat(buffer, {"X": pixels.transpose(1, 2, 3, 0), "y": np.array([[10], [1], [9], [2]], np.uint8)})
    publish("svhn-test", {"test_32x32.mat": buffer.getvalue()})
    found = fetched("svhn-test")
    for original, (place, label) in shown(found).items():
        np.testing.assert_array_equal(np.asarray(found.image(place)), pixels[original])
        assert label == (0, 1, 9, 2)[original]


def idx(values: np.ndarray) -> bytes:
    return gzip.compress(struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape) + values.tobytes())


@pytest.mark.parametrize("name", ["mnist-test", "fashion-mnist-test", "kmnist-test"])
def test_idx_files(publish: Publish, name: str) -> None:
    pixels, labels = noise(5, (28, 28)), np.array([3, 0, 9, 1, 3], np.uint8)
    publish(name, {"t10k-images-idx3-ubyte.gz": idx(pixels), "t10k-labels-idx1-ubyte.gz": idx(labels)})
    found = fetched(name)
    assert len(found.classes) == 10
    for original, (place, label) in shown(found).items():
        np.testing.assert_array_equal(np.asarray(found.image(place))[..., 1], pixels[original])
        assert label == labels[original]


def test_a_damaged_idx_file_is_answered_with_a_sentence(publish: Publish) -> None:
    short = gzip.compress(struct.pack(">4I", 0x0803, 5, 28, 28) + b"too short")
    publish("mnist-test", {"t10k-images-idx3-ubyte.gz": short, "t10k-labels-idx1-ubyte.gz": idx(np.zeros(5, np.uint8))})
    with pytest.raises(UserError, match=r"“MNIST test set.*cannot be read.*the file ends early"):
        fetched("mnist-test")


def test_textures_by_class(publish: Publish) -> None:
    files = {f"dtd/images/{name}": picture(colour, "JPEG") for name, colour in (("banded/b_1.jpg", RED),)}
    files |= {"dtd/images/zigzagged/z_1.jpg": picture(LIME, "JPEG"), "dtd/labels/test1.txt": b"x", "dtd/._x": b"x"}
    files |= {"dtd/images/banded/b_2.jpg": picture(BLUE, "JPEG"), "dtd/images/waffled/._w.jpg": b"a Mac's"}
    publish("dtd", {"dtd-r1.0.1.tar.gz": tarred(files)})
    found = fetched("dtd")
    assert found.classes == ("banded", "zigzagged")
    check(found, [RED, BLUE, LIME], [0, 0, 1])


def test_eurosat(publish: Publish) -> None:
    files = {"2750/River/River_1.jpg": picture(BLUE, "JPEG"), "2750/Forest/Forest_1.jpg": picture(LIME, "JPEG")}
    publish("eurosat", {"EuroSAT.zip": zipped(files)})
    found = fetched("eurosat")
    assert found.classes == ("Forest", "River")
    check(found, [LIME, BLUE], [0, 1])


def test_food101_takes_its_test_split(publish: Publish) -> None:
    listed = json.dumps({"sushi": ["sushi/2"], "apple_pie": ["apple_pie/1"]}).encode()
    files = {"food-101/meta/test.json": listed, "food-101/images/apple_pie/1.jpg": picture(RED, "JPEG")}
    files |= {f"food-101/images/sushi/{n}.jpg": picture(BLUE if n == 2 else LIME, "JPEG") for n in (1, 2)}
    publish("food101-test", {"food-101.tar.gz": tarred(files)})
    found = fetched("food101-test")
    assert found.classes == ("apple_pie", "sushi")
    check(found, [RED, BLUE], [0, 1])


def matlab(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, arrays)
    return buffer.getvalue()


def test_flowers102_takes_its_test_split(publish: Publish) -> None:
    files = {f"jpg/image_{n:05d}.jpg": picture(colour, "JPEG") for n, colour in enumerate((RED, LIME, BLUE), start=1)}
    split = {"trnid": np.array([[2]]), "valid": np.array([[2]]), "tstid": np.array([[3, 1]])}
    publish(
        "flowers102-test",
        {
            "102flowers.tgz": tarred(files),
            "imagelabels.mat": matlab(labels=np.array([[77, 1, 102]])),
            "setid.mat": matlab(**split),
        },
    )
    found = fetched("flowers102-test")
    assert found.classes[101] == "blackberry lily"
    check(found, [BLUE, RED], [101, 76])


def test_places365(publish: Publish) -> None:
    images = {f"val_256/Places365_val_0000000{n}.jpg": picture(c, "JPEG") for n, c in ((1, RED), (2, BLUE))}
    lists = {
        "places365_val.txt": b"Places365_val_00000001.jpg 1\nPlaces365_val_00000002.jpg 0\n",
        "categories_places365.txt": b"/a/airfield 0\n/z/zen_garden 1\n",
        "places365_train_standard.txt": b"x 0\n",
    }
    publish(
        "places365-val",
        {
            "val_256.tar": tarred(images, compressed=False),
            "filelist_places365-standard.tar": tarred(lists, compressed=False),
        },
    )
    found = fetched("places365-val")
    assert found.classes == ("/a/airfield", "/z/zen_garden")
    check(found, [RED, BLUE], [1, 0])


@pytest.mark.parametrize(
    ("name", "archive", "inside"),
    [
        ("lsun-crop", "LSUN.tar.gz", "LSUN/test/"),
        ("lsun-resize", "LSUN_resize.tar.gz", "LSUN_resize/LSUN_resize/"),
        ("tinyimagenet-crop", "Imagenet.tar.gz", "Imagenet/test/"),
        ("tinyimagenet-resize", "Imagenet_resize.tar.gz", "Imagenet_resize/Imagenet_resize/"),
        ("isun", "iSUN.tar.gz", "iSUN/iSUN_patches/"),
        ("inaturalist", "iNaturalist.tar.gz", "iNaturalist/images/"),
        ("sun", "SUN.tar.gz", "SUN/images/"),
        ("places", "Places.tar.gz", "Places/images/"),
    ],
)
def test_ood_archives_have_no_classes(publish: Publish, name: str, archive: str, inside: str) -> None:
    files = {f"{inside}{n}.png": picture(colour) for n, colour in enumerate((RED, LIME, BLUE))}
    publish(name, {archive: tarred(files | {f"{inside}._0.png": b"a Mac's", f"{inside}list.txt": b"x"})})
    found = fetched(name)
    assert found.classes == ()
    check(found, [RED, LIME, BLUE], [-1, -1, -1])


def test_tiny_imagenet_unpacks_its_validation_set_only(publish: Publish, library: Path) -> None:
    base = "tiny-imagenet-200/"
    files = {
        f"{base}wnids.txt": b"n02\nn01\n",
        f"{base}words.txt": b"n01\tcat\n",
        f"{base}train/n01/images/n01_0.JPEG": picture(LIME, "JPEG"),
        f"{base}val/val_annotations.txt": b"val_0.JPEG\tn02\t0\t0\t9\t9\nval_1.JPEG\tn01\t0\t0\t9\t9\n",
        f"{base}val/images/val_0.JPEG": picture(RED, "JPEG"),
        f"{base}val/images/val_1.JPEG": picture(BLUE, "JPEG"),
    }
    publish("tinyimagenet-val", {"tiny-imagenet-200.zip": zipped(files)})
    found = fetched("tinyimagenet-val")
    assert found.classes == ("n01", "n02")
    check(found, [RED, BLUE], [1, 0])
    assert not list(library.rglob("train"))


def lmdb_of(folder: Path, pictures: dict[bytes, bytes]) -> bytes:
    with lmdb.open(str(folder), map_size=2**20) as base, base.begin(write=True) as transaction:
        for key, data in pictures.items():
            transaction.put(key, data)
    return (folder / "data.mdb").read_bytes()


def test_lsun(publish: Publish, tmp_path: Path) -> None:
    archives = {}
    for number, category in enumerate(lsun.CATEGORIES):
        place = tmp_path / category
        place.mkdir()
        data = lmdb_of(place, {b"k1": picture((number, 0, 0)), b"k0": picture((0, number, 0))})
        archives[f"{category}_val_lmdb.zip"] = zipped({f"{category}_val_lmdb/data.mdb": data})
    publish("lsun-val", archives)
    found = fetched("lsun-val")
    colours = [colour for number in range(10) for colour in ((0, number, 0), (number, 0, 0))]
    check(found, colours, [number for number in range(10) for _ in range(2)])


def test_lsun_without_its_package_names_the_command(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    publish("lsun-val", {f"{category}_val_lmdb.zip": b"x" for category in lsun.CATEGORIES})
    monkeypatch.setattr(datasets.published.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match="needs the package lmdb: run pip install lmdb"):
        fetched("lsun-val")


NUMBERS = [f"n{index:08d}" for index in range(imagenet.CLASSES)]


def devkit() -> bytes:
    """The development kit, in which the challenge's own numbers run against the order of WordNet's."""
    fields = [("ID", "O"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "O")]
    synsets = np.zeros((imagenet.CLASSES + 1, 1), dtype=fields)
    for place, number in enumerate(reversed(NUMBERS)):
        synsets[place, 0] = (place + 1, number, "a thing", "", 0)
    synsets[-1, 0] = (imagenet.CLASSES + 1, "n99999999", "everything", "", 2)
    base = "ILSVRC2012_devkit_t12/data/"
    truth = "".join(f"{index + 1}\n" for index in range(imagenet.CLASSES))
    files = {
        f"{base}meta.mat": matlab(synsets=synsets),
        f"{base}ILSVRC2012_validation_ground_truth.txt": truth.encode(),
    }
    return tarred(files)


def test_imagenet_from_its_archives(publish: Publish, library: Path) -> None:
    colour = [(index % 256, index // 256, 0) for index in range(imagenet.CLASSES)]
    images = {f"ILSVRC2012_val_{n + 1:08d}.JPEG": picture(colour[n], "PNG", (2, 2)) for n in range(imagenet.CLASSES)}
    publish("imagenet-val", {imagenet.ARCHIVE: tarred(images, compressed=False), imagenet.DEVKIT: devkit()})
    found = fetched("imagenet-val")
    assert (found.classes[0], len(found)) == ("tench", 1000)
    # The first picture is of the challenge's class 1, which is WordNet's last here.
    assert (library / "imagenet" / "val" / NUMBERS[-1] / "ILSVRC2012_val_00000001.JPEG").is_file()
    check(found, colour[::-1], list(range(1000)))


def test_imagenet_from_a_folder_needs_no_archive(library: Path) -> None:
    for number in NUMBERS:
        (library / "imagenet" / "val" / number).mkdir(parents=True)
        (library / "imagenet" / "val" / number / "1.JPEG").write_bytes(picture(RED))
    assert datasets.prepared("imagenet-val")
    assert len(datasets.load("imagenet-val")) == 1000


def test_a_selection_of_imagenet_is_not_taken_for_all_of_it(library: Path) -> None:
    (library / "imagenet" / "val" / "n01").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(library / "imagenet" / "val" / "n01" / "1.png")
    with pytest.raises(UserError, match=r"has 1 class folders; ImageNet.* has 1,000"):
        datasets.load("imagenet-val")
