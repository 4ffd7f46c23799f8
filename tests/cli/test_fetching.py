"""Datasets by name on the command line: those that are not here are downloaded, with a line of progress."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from nap_core import datasets
from nap_core.cli import progress
from tests.conftest import Publish
from tests.file_server import FileServer
from tests.sentences import Says, states
from tests.small_archives import picture, tarred

RESNET = ("--model", "resnet20-cifar10", "--device", "cpu")


@pytest.fixture
def isun(publish: Publish) -> None:
    """iSUN, with twelve pictures, on a server."""
    files = {f"iSUN/iSUN_patches/{n}.png": picture((20 * n, 0, 0), size=(32, 32)) for n in range(12)}
    publish("isun", {"iSUN.tar.gz": tarred(files)})


@pytest.mark.usefixtures("isun", "store_root")
def test_a_dataset_that_is_not_here_is_downloaded(
    run, file_server: FileServer, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    status, out, err = run("extract", "isun", *RESNET)
    assert status == 0
    says(out, "isun 12 ResNet-20 12")
    assert re.search(r"downloading iSUN: \d+ bytes of \d+ bytes", err)
    assert "unpacking iSUN" in err
    status, out, _ = run("evaluate", *RESNET, "--ood", "isun", "--limit", 12, "--methods", "msp", "--quiet")
    assert status == 0
    assert "isun (12)" in out
    assert file_server.requests == [None]


@pytest.mark.usefixtures("isun", "store_root")
def test_what_cannot_be_downloaded_is_one_sentence(run, file_server: FileServer) -> None:
    file_server.status = 404
    status, _, err = run("extract", "isun", *RESNET, "--quiet")
    assert status == 2
    assert states(err, "iSUN http://127.0.0.1")
    assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("isun")
def test_the_list_says_what_is_here(run, data_root: Path) -> None:
    (data_root / "garden").mkdir()
    Image.new("RGB", (8, 8)).save(data_root / "garden" / "1.png")
    found = {one["name"]: one for one in json.loads(run("datasets", "--json")[1])}
    where = {name: found[name]["where"] for name in ("cifar10", "isun", "svhn-test", "imagenet-val", "own:garden")}
    assert where == {
        "cifar10": "bundled",
        "isun": f"{found['isun']['downloads'][0]['size']} bytes to download",
        "svhn-test": "64 MB to download",
        "imagenet-val": "to be put there",
        "own:garden": "here",
    }
    assert found["svhn-test"]["downloads"][0]["url"] == "http://ufldl.stanford.edu/housenumbers/test_32x32.mat"
    datasets.prepare("isun")
    assert {one["name"]: one for one in json.loads(run("datasets", "--json")[1])}["isun"]["where"] == "here"


def test_one_that_is_damaged_does_not_hide_the_others(run, data_root: Path) -> None:
    (data_root / "broken.npz").write_bytes(b"nothing")
    status, out, err = run("datasets")
    assert status == 0
    assert out.splitlines()[1].startswith("cifar10 ")
    assert states(err, "Left out broken.npz not .npz")


def test_a_wrong_name_of_the_hub_is_told(run, says: Says) -> None:
    status, _, err = run("extract", "hf:birds", *RESNET)
    assert status == 2
    says(err, "hf:birds hf:owner/name")
