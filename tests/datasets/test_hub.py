"""Datasets of the Hugging Face Hub, which a local folder and a local parquet file stand in for."""

import importlib.util
import io
from collections.abc import Callable
from pathlib import Path

import datasets as hf
import numpy as np
import pytest
from PIL import Image

from nap_core import datasets
from nap_core.cli import data
from nap_core.datasets import hub
from nap_core.datasets.images import presentation_order
from nap_core.errors import UserError
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from nap_core.studies.study import Study, prepared

COLOURS = {"owl": (255, 0, 0), "wren": (0, 0, 255)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures in class folders of two splits, which the Hub gives for ``birds/garden``."""
    monkeypatch.setenv("NAP_DATASETS", str(tmp_path / "library"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    root = tmp_path / "pictures"
    for split, count in (("train", 3), ("test", 2)):
        for name, colour in COLOURS.items():
            place = root / split / name
            place.mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (10 + number, 8), colour).save(place / f"{number}.png")
    real = hf.load_dataset

    def load_dataset(path: str, *, split: str, cache_dir: str) -> hf.Dataset:
        if path == "birds/garden":
            return real("imagefolder", data_dir=str(root), split=split, cache_dir=cache_dir)
        if path == "birds/table":
            return real("parquet", data_files={"train": str(tmp_path / "t.parquet")}, split=split, cache_dir=cache_dir)
        raise hf.exceptions.DatasetNotFoundError(f"Dataset '{path}' doesn't exist on the Hub")

    monkeypatch.setattr(hf, "load_dataset", load_dataset)
    splits: dict[str, list[str]] = {"birds/garden": ["train", "test"], "birds/table": ["train"]}
    monkeypatch.setattr(hf, "get_dataset_split_names", lambda path: splits[path])
    return root


def parquet(path: Path, columns: dict[str, list], features: hf.Features) -> None:
    hf.Dataset.from_dict(columns, features=features).to_parquet(str(path))


def test_a_folder_of_classes(folder: Path) -> None:
    name = "hf:birds/garden"
    assert not datasets.prepared(name)
    assert (datasets.find(name).size, datasets.find(name).role) == (0, "own")
    datasets.prepare(name)
    assert datasets.prepared(name) and name in datasets.names()
    found = datasets.load(name)
    assert (len(found), found.classes, found.title) == (4, ("owl", "wren"), "birds/garden")
    for place in range(4):
        shown = found.classes[found.labels[place]]
        assert found.image(place).getpixel((0, 0)) == COLOURS[shown]
    assert datasets.find(name).size == 4
    # It is ours from now on: the pictures that it came from may go.
    for path in folder.rglob("*.png"):
        path.unlink()
    assert [found.image(place).size[1] for place in range(4)] == [8] * 4


def test_the_split_is_part_of_the_name(folder: Path) -> None:
    prints = set()
    for name, size in (("hf:birds/garden", 4), ("hf:birds/garden:test", 4), ("hf:birds/garden:train", 6)):
        datasets.prepare(name)
        found = datasets.load(name)
        assert len(found) == size
        prints.add(found.fingerprint)
    assert len(prints) == 2


def test_a_table_with_columns_of_other_names(folder: Path, tmp_path: Path) -> None:
    pictures = [Image.new("L", (6, 6), 10 * number) for number in range(3)]
    features = hf.Features({"id": hf.Value("int64"), "scan": hf.Image(), "kind": hf.ClassLabel(names=["a", "b"])})
    parquet(tmp_path / "t.parquet", {"id": [7, 8, 9], "scan": pictures, "kind": [1, 0, 1]}, features)
    datasets.prepare("hf:birds/table")
    found = datasets.load("hf:birds/table")
    assert found.classes == ("a", "b")
    for place, original in enumerate(presentation_order(3)):
        assert found.image(place).getpixel((0, 0)) == (10 * original,) * 3
        assert found.labels[place] == (1, 0, 1)[original]


def test_without_labels_they_are_unknown(folder: Path, tmp_path: Path) -> None:
    features = hf.Features({"image": hf.Image(), "label": hf.Value("string")})
    parquet(tmp_path / "t.parquet", {"image": [Image.new("RGB", (6, 6))], "label": ["wren"]}, features)
    datasets.prepare("hf:birds/table")
    np.testing.assert_array_equal(datasets.load("hf:birds/table").labels, [-1])


def test_images_that_cannot_be_read_are_left_out_and_listed(folder: Path, tmp_path: Path) -> None:
    good = io.BytesIO()
    Image.new("RGB", (6, 6), (1, 2, 3)).save(good, "PNG")
    cells = [{"bytes": data, "path": None} for data in (b"no picture", good.getvalue(), b"")]
    features = hf.Features({"image": hf.Image(), "label": hf.ClassLabel(names=["a", "b", "c"])})
    parquet(tmp_path / "t.parquet", {"image": cells, "label": [0, 1, 2]}, features)
    datasets.prepare("hf:birds/table")
    found = datasets.load("hf:birds/table")
    assert (len(found), found.labels.tolist(), found.image(0).getpixel((0, 0))) == (1, [1], (1, 2, 3))
    assert [name for name, _ in found.unreadable] == ["row 0", "row 2"]
    assert "is not a picture" in found.unreadable[0][1] and "is empty" in found.unreadable[1][1]


def test_a_table_of_nothing_that_can_be_read_is_refused(folder: Path, tmp_path: Path) -> None:
    features = hf.Features({"image": hf.Image()})
    parquet(tmp_path / "t.parquet", {"image": [{"bytes": b"no picture", "path": None}]}, features)
    with pytest.raises(UserError, match="None of the 1 images of “hf:birds/table” can be read"):
        datasets.prepare("hf:birds/table")


def test_a_table_without_images_is_refused(folder: Path, tmp_path: Path) -> None:
    parquet(tmp_path / "t.parquet", {"text": ["wren"]}, hf.Features({"text": hf.Value("string")}))
    with pytest.raises(UserError, match=r"no column of images \(found: “text”\)"):
        datasets.prepare("hf:birds/table")
    assert not datasets.prepared("hf:birds/table")


@pytest.mark.parametrize(
    "name", ["hf:birds", "hf:a/b/c", "hf:a/../b", "hf:../b", "hf:a/.b", "hf:a/b:", "hf:", "hf:a b/c", "hf:a/b:c:d"]
)
def test_what_is_no_name_is_told(folder: Path, name: str) -> None:
    with pytest.raises(UserError, match="Write it as hf:owner/name or hf:owner/name:split"):
        datasets.find(name)


def test_what_the_hub_does_not_have(folder: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be fetched from huggingface.co \(Dataset 'no/such' doesn't exist"):
        datasets.prepare("hf:no/such:test")
    with pytest.raises(UserError, match="is not here yet: run a study with it"):
        datasets.load("hf:no/such:test")


def test_a_folder_on_this_machine_is_not_taken_for_the_hubs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(UserError, match="There is a folder “train/owl” where the app runs"):
        datasets.prepare("hf:train/owl")


def test_a_stop_keeps_nothing_half(folder: Path) -> None:
    with pytest.raises(ExtractionStopped):
        datasets.prepare("hf:birds/garden", RunCallbacks(should_stop=lambda: True))
    assert not datasets.prepared("hf:birds/garden")
    assert hub.names() == ()


def test_without_the_package_the_command_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[[str], object] = importlib.util.find_spec
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None if name == "datasets" else real(name))
    with pytest.raises(UserError, match=r"run pip install datasets, or pip install -r requirements-extra\.txt"):
        datasets.prepare("hf:birds/garden")


def test_the_command_line_takes_the_name(folder: Path) -> None:
    asked = data.read("garden=hf:birds/garden:test")
    heard: list[Progress] = []
    data.fetch(asked, heard.append)
    assert [one.title for one in heard] == ["birds/garden, test"]
    assert len(data.load(asked, lambda done, total: None)) == 4


def test_a_study_takes_the_name(folder: Path) -> None:
    chosen = Study("resnet20-cifar10", "cifar10", ("hf:birds/garden:test",), 3)
    assert Study.from_query(chosen.to_query()) == chosen
    assert not prepared(chosen)
