"""The library's records agree with those who publish the addresses; datasets are found, and missing ones are told."""

import io
import tarfile
from pathlib import Path

import pytest
import torchvision.datasets as torchvision_datasets
from pytorch_ood.dataset import img

from nap_core import datasets
from nap_core.datasets import published
from nap_core.datasets.published.catalogue import RECORDS
from nap_core.errors import UserError
from nap_core.storage.downloads import fetch
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from nap_core.studies.study import Study
from tests.conftest import Publish
from tests.datasets.published.test_readers import BLUE, RED
from tests.file_server import FileServer
from tests.sentences import Says
from tests.small_archives import picture, tarred


def files(name: str) -> list[tuple[str, str, str]]:
    return [(file.name, file.url, file.checksum.removeprefix("md5:")) for file in RECORDS[name].files]


def test_addresses_are_torchvisions() -> None:
    for name, one in (
        ("cifar10-test", torchvision_datasets.CIFAR10),
        ("cifar100-train", torchvision_datasets.CIFAR100),
    ):
        assert files(name) == [(one.filename, one.url, one.tgz_md5)]
    url, file, md5 = torchvision_datasets.SVHN.split_list["test"]
    assert files("svhn-test") == [(file, url, md5)]
    assert files("dtd") == [
        (Path(torchvision_datasets.DTD._URL).name, torchvision_datasets.DTD._URL, torchvision_datasets.DTD._MD5)
    ]
    assert files("food101-test")[0][1:] == (torchvision_datasets.Food101._URL, torchvision_datasets.Food101._MD5)
    flowers = torchvision_datasets.Flowers102
    expected = [(file, flowers._download_url_prefix + file, md5) for file, md5 in flowers._file_dict.values()]
    assert files("flowers102-test") == expected
    places = torchvision_datasets.Places365
    images, lists = places._IMAGES_META["val", True], places._DEVKIT_META["standard"]
    assert files("places365-val") == [(file, places._BASE_URL + file, md5) for file, md5 in (images, lists)]
    meta = torchvision_datasets.imagenet.ARCHIVE_META
    assert [(file, md5) for file, _, md5 in files("imagenet-val")] == [meta["val"], meta["devkit"]]


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("mnist-test", torchvision_datasets.MNIST),
        ("fashion-mnist-test", torchvision_datasets.FashionMNIST),
        ("kmnist-test", torchvision_datasets.KMNIST),
    ],
)
def test_the_relatives_of_mnist_are_torchvisions(name: str, one: type[torchvision_datasets.MNIST]) -> None:
    assert files(name) == [(file, one.mirrors[0] + file, md5) for file, md5 in one.resources[2:]]
    assert list(datasets.find(name).classes) == one.classes


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("lsun-crop", img.LSUNCrop),
        ("lsun-resize", img.LSUNResize),
        ("tinyimagenet-crop", img.TinyImageNetCrop),
        ("tinyimagenet-resize", img.TinyImageNetResize),
        ("tinyimagenet-val", img.TinyImageNet),
    ],
)
def test_the_archives_of_the_field_are_pytorch_oods(name: str, one: type) -> None:
    assert files(name) == [(one.filename, one.url, one.tgz_md5)]


def test_every_record_can_be_listed() -> None:
    titles = [datasets.find(name).title for name in datasets.names()]
    assert len(set(titles)) == len(titles)
    for name in published.names():
        record = datasets.find(name)
        assert record.name == name not in datasets.RECORDS
        assert record.downloads and record.size and record.description.endswith(".") and record.note.endswith(".")
        assert all(one.path.is_relative_to(published.folder()) for one in record.downloads)
        if any(not one.checksum for one in record.downloads):
            assert "publishes no checksum" in record.source


def test_what_is_missing_is_refused_with_its_download(library: Path, says: Says) -> None:
    with pytest.raises(UserError) as raised:
        datasets.load("svhn-test")
    url = "http://ufldl.stanford.edu/housenumbers/test_32x32.mat"
    message = str(raised.value).replace(str(library / "svhn"), "FOLDER")
    says(message, f"“SVHN” 64 MB ufldl.stanford.edu {url} test_32x32.mat FOLDER")
    with pytest.raises(UserError, match=r"get it from https://image-net.*and put it as ILSVRC2012_img_val\.tar into"):
        fetch(datasets.missing_downloads("imagenet-val")[0])


def small(publish: Publish, **more: bytes) -> None:
    publish("isun", {"iSUN.tar.gz": tarred({"iSUN/iSUN_patches/1.png": picture(RED)} | more)})


def test_a_file_that_was_put_there_by_hand_is_taken(publish: Publish, library: Path, file_server: FileServer) -> None:
    small(publish)
    (library / "isun").mkdir(parents=True)
    (library / "isun" / "iSUN.tar.gz").write_bytes(file_server.files["iSUN.tar.gz"])
    assert datasets.missing_downloads("isun") == []
    assert not datasets.prepared("isun")
    assert len(datasets.load("isun")) == 1
    # What is unpacked needs its archive no more.
    (library / "isun" / "iSUN.tar.gz").unlink()
    assert datasets.prepared("isun")
    assert file_server.requests == []


def test_the_fingerprint_tells_versions_apart_without_reading_pixels(
    publish: Publish, library: Path, file_server
) -> None:
    prints = []
    for content in ({}, {}, {"iSUN/iSUN_patches/2.png": picture(BLUE)}):
        small(publish, **content)
        (library / "isun").mkdir(parents=True, exist_ok=True)
        (library / "isun" / "iSUN.tar.gz").write_bytes(file_server.files["iSUN.tar.gz"])
        prints.append(datasets.load("isun").fingerprint)
        (library / "isun").rename(library / f"old-{len(prints)}")
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("place", ["../out.png", "/out.png", "iSUN/../../out.png"])
def test_nothing_is_unpacked_outside(publish: Publish, library: Path, place: str) -> None:
    small(publish, **{place: picture(BLUE)})
    fetch(datasets.missing_downloads("isun")[0])
    with pytest.raises(UserError, match="outside its folder"):
        datasets.prepare("isun")
    assert {path.name for path in library.rglob("*") if not path.name.endswith(".lock")} == {"isun", "iSUN.tar.gz"}


def test_links_and_bombs_are_refused(publish: Publish, library: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        link = tarfile.TarInfo("iSUN/1.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    publish("isun", {"iSUN.tar.gz": buffer.getvalue()})
    fetch(datasets.missing_downloads("isun")[0])
    with pytest.raises(UserError, match="holds a link"):
        datasets.prepare("isun")
    (library / "isun" / "iSUN.tar.gz").write_bytes(tarred({"iSUN/1.bmp": bytes(20 * 2**20)}))
    with pytest.raises(UserError, match="more than 200 times its size"):
        datasets.prepare("isun")


def test_half_an_archive_is_answered_with_a_sentence_and_leaves_nothing(publish: Publish, library: Path) -> None:
    small(publish, **{f"iSUN/iSUN_patches/{n}.bin": bytes(range(256)) * 40 for n in range(9)})
    fetch(datasets.missing_downloads("isun")[0])
    archive = library / "isun" / "iSUN.tar.gz"
    archive.write_bytes(archive.read_bytes()[:300])
    with pytest.raises(UserError, match=r"“iSUN\.tar\.gz” is damaged and cannot be unpacked.*Delete"):
        datasets.load("isun")
    assert not datasets.prepared("isun")
    assert sorted(path.name for path in (library / "isun").iterdir() if path.name[0] != ".") == ["iSUN.tar.gz"]


def test_unpacking_tells_how_far_it_is_and_can_be_stopped(publish: Publish, library: Path) -> None:
    small(publish)
    fetch(datasets.missing_downloads("isun")[0])
    seen: list[Progress] = []
    with pytest.raises(ExtractionStopped):
        datasets.prepare("isun", RunCallbacks(should_stop=lambda: True))
    assert not datasets.prepared("isun")
    datasets.prepare("isun", RunCallbacks(seen.append))
    assert seen and all(0 < one.done <= one.total for one in seen)
    assert {(one.title, one.unit) for one in seen} == {("iSUN", "packed bytes")}
    assert datasets.prepared("isun")


def test_an_id_dataset_of_the_library_has_the_models_classes() -> None:
    chosen = Study("resnet20-cifar10", "cifar10-test", ("svhn-test", "textures"), 100, "cifar10-train")
    assert Study.from_query(chosen.to_query()) == chosen
    assert datasets.title("cifar10-test") == "CIFAR-10 test set (10,000)"
