"""A user's own datasets: what is listed below the roots, what is known of it, and what becomes of it later."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core import datasets
from nap_core.cli import data
from nap_core.datasets.labels import labels_for
from nap_core.datasets.user_data import registry
from nap_core.errors import UserError


@pytest.fixture
def picture(data_root: Path) -> Callable[..., Path]:
    """``picture("birds/wren/1.png")`` writes a small picture below the root."""

    def picture(place: str, colour: str = "red") -> Path:
        path = data_root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), colour).save(path)
        return path

    return picture


def test_folders_their_class_folders_and_archives_are_listed(picture: Callable[..., Path], data_root: Path) -> None:
    for place in ("flat/1.png", "birds/wren/1.png", "birds/owl/2.png", "deep/down/here/1.png", ".hidden/1.png"):
        picture(place)
    (data_root / "empty").mkdir()
    (data_root / "set").mkdir()
    np.savez(data_root / "set" / "textures.npz", images=np.zeros((3, 4, 4), np.uint8))
    assert registry.names() == ("own:birds", "own:deep/down", "own:flat", "own:set/textures.npz")
    assert set(registry.names()) < set(datasets.names())


def test_a_record_is_made_on_the_fly(picture: Callable[..., Path], data_root: Path) -> None:
    for place in ("birds/wren/1.png", "birds/owl/2.png", "birds/owl/3.png"):
        picture(place)
    record = datasets.find("own:birds")
    assert (record.title, record.role, record.size, record.classes) == ("birds", "own", 3, ("owl", "wren"))
    archive = data_root / "t.npz"
    np.savez(archive, images=np.zeros((3, 4, 4), np.uint8), labels=np.array([0, 2, 1]))
    record = datasets.find("own:t.npz")
    assert (record.title, record.size, record.classes) == ("t", 3, ("0", "1", "2"))


def test_a_title_of_the_catalogue_is_not_taken(picture: Callable[..., Path]) -> None:
    picture("MNIST/1.png")
    assert datasets.title("own:MNIST") == "MNIST (own)"


def test_it_opens_by_its_name_and_says_what_cannot_be_read(picture: Callable[..., Path]) -> None:
    picture("birds/wren/1.png")
    picture("birds/owl/2.png").write_bytes(b"no picture")
    seen = []
    found = datasets.load("own:birds", lambda done, total: seen.append((done, total)))
    assert (found.name, found.title, len(found), found.classes) == ("own:birds", "birds", 1, ("owl", "wren"))
    assert [file for file, _ in found.unreadable] == ["owl/2.png"]
    assert seen == [(1, 2), (2, 2)]
    assert datasets.load("own:birds") is found


def test_the_command_line_takes_the_name(picture: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    picture("birds/1.png")
    picture("birds/2.png").write_bytes(b"no picture")
    found = data.load(data.read("mine=own:birds"), lambda done, total: None)
    assert (found.name, len(found)) == ("own:birds", 1)
    assert "Left out of mine: “2.png”" in capsys.readouterr().err


def test_a_folder_that_has_changed_is_read_again(picture: Callable[..., Path]) -> None:
    picture("birds/1.png")
    assert len(datasets.load("own:birds")) == 1
    for count, place in enumerate(("2.png", "wren/3.png", "wren/4.png"), start=2):
        picture(f"birds/{place}", "blue")
        assert len(datasets.load("own:birds")) == datasets.find("own:birds").size == count


def test_what_is_no_longer_there_is_answered_with_a_sentence(picture: Callable[..., Path], data_root: Path) -> None:
    path = picture("birds/1.png")
    datasets.load("own:birds")
    path.unlink()
    path.parent.rmdir()
    for ask in (datasets.find, datasets.load):
        with pytest.raises(UserError, match=rf"no folder or file called “birds”.*{data_root.name}"):
            ask("own:birds")
    assert datasets.title("own:birds") == "own:birds"


def test_a_damaged_archive_is_answered_with_a_sentence(data_root: Path) -> None:
    (data_root / "t.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match=r"not an \.npz archive"):
        datasets.find("own:t.npz")


def test_labels_are_matched_to_a_networks_classes_by_name(picture: Callable[..., Path]) -> None:
    for place in ("birds/wren/1.png", "birds/owl/2.png"):
        picture(place)
    found = datasets.load("own:birds")
    shown = [found.classes[label] for label in found.labels]
    classes = ("eagle", "owl", "robin", "wren")
    assert [classes[label] for label in labels_for(found, classes)] == shown
    assert (labels_for(found, ("cat", "dog", "cow")) == -1).all()


def test_splits_and_severities_are_listed_by_name(picture: Callable[..., Path], data_root: Path) -> None:
    for place in ("pets/train/1.png", "pets/val/1.png", "linked/cat/1.png"):
        picture(place)
    pixels, labels = np.zeros((10, 8, 8, 3), np.uint8), np.arange(10) % 2
    np.save(data_root / "fog.npy", pixels)
    np.save(data_root / "labels.npy", labels)
    np.savez(data_root / "blood.npz", test_images=pixels, test_labels=labels, val_images=pixels[:4])
    (data_root / "list.txt").write_text("linked/cat/1.png 0\n")
    (data_root / "notes.txt").write_text("no list")
    (data_root / "link").symlink_to(data_root / "linked", target_is_directory=True)
    assert registry.names() == (
        "own:blood.npz",
        "own:blood.npz:val",
        *(f"own:fog.npy:{part}" for part in ("1", "2", "3", "4", "5", "all")),
        "own:link",
        "own:linked",
        "own:list.txt",
        "own:pets:train",
        "own:pets:val",
    )
    for name in registry.names():
        record, images = datasets.find(name), datasets.load(name)
        assert (images.name, len(images), images.classes) == (name, record.size, record.classes)
        assert record.format
    titles = [datasets.title(name) for name in registry.names()]
    assert titles[:3] == ["blood", "blood, val", "fog.npy, 1"] and len(set(titles)) == len(titles)
    with pytest.raises(UserError, match="pets:train"):
        datasets.find("own:pets")


def test_no_part_leads_up(picture: Callable[..., Path]) -> None:
    picture("birds/1.png")
    picture("other/1.png")
    for word in ("..", "../other", "/"):
        with pytest.raises(UserError):
            datasets.load(f"own:birds:{word}")


def test_what_is_passed_over_is_in_the_record(picture: Callable[..., Path], data_root: Path, tmp_path: Path) -> None:
    picture("birds/wren/1.png")
    (data_root / "birds" / "notes.txt").write_text("no image")
    (tmp_path / "outside").mkdir()
    (data_root / "birds" / "owl").symlink_to(tmp_path / "outside", target_is_directory=True)
    found = datasets.find("own:birds").passed_over
    assert {one.kind: one.files for one in found} == {
        "ending in .txt": ("notes.txt",),
        "linked to outside the allowed folders": ("owl",),
    }
    assert datasets.load("own:birds").passed_over == found


def test_options_stand_behind_the_name(picture: Callable[..., Path]) -> None:
    picture("numbered/3/1.png")
    picture("numbered/5/1.png", "blue")
    classes = tuple(f"class {index}" for index in range(10))
    assert set(labels_for(datasets.load("own:numbered"), classes)) == {-1}
    assert set(labels_for(datasets.load("own:numbered:from-0"), classes)) == {3, 5}
    assert set(labels_for(datasets.load("own:numbered:from-1"), classes)) == {2, 4}
    assert datasets.load("own:numbered").fingerprint == datasets.load("own:numbered:from-1").fingerprint
