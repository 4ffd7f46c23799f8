"""A user's own models: kept whole or not at all, found by name, refused with the reason, removed without a trace."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nap_core import models
from nap_core.errors import UserError
from nap_core.models import ARCHITECTURES, user_models
from nap_core.storage import atomic_folders
from nap_core.studies.study import Study, default_study

CLASSES = ("owl", "robin", "wren")


@pytest.fixture
def weights(tmp_path: Path, models_folder: Path) -> Path:
    """A checkpoint of a ResNet-20 with three classes, random weights."""
    torch.manual_seed(0)
    path = tmp_path / "birds.pth"
    torch.save(ARCHITECTURES["resnet20"].build(3).state_dict(), path)
    return path


def test_a_checkpoint_becomes_a_model(weights: Path) -> None:
    changed = replace(ARCHITECTURES["resnet20"].transform, resize=40, mean=(0.5, 0.5, 0.5))
    name = models.add(weights, "resnet20", "My birds", trained_on="birds", transform=changed, classes=CLASSES)
    weights.unlink()
    assert name.startswith("own:My-birds-")
    assert models.names()[: len(models.RECORDS) + 1] == (*models.RECORDS, name)
    record, model = models.find(name), models.load(name)
    assert (record.title, record.trained_on, record.architecture, record.classes()) == (
        "My birds",
        "birds",
        "resnet20",
        CLASSES,
    )
    assert (model.name, model.title, model.classes, model.transform) == (name, "My birds", CLASSES, changed)
    assert models.load(name) is model


def test_without_class_names_the_file_tells_their_number(weights: Path) -> None:
    record = models.find(models.add(weights, "resnet20", "Birds"))
    assert record.classes() == ("class 0", "class 1", "class 2")
    assert record.trained_on == ""  # a title says nothing about it
    assert "Birds" in record.training_data


def test_class_names_of_a_benchmark_are_known(tmp_path: Path, models_folder: Path) -> None:
    path = tmp_path / "ten.pt"
    torch.save({"state_dict": ARCHITECTURES["resnet20"].build(10).state_dict()}, path)
    name = models.add(path, "resnet20", "Ten", trained_on="CIFAR-10")
    assert models.load(name).classes == models.CIFAR10_CLASSES


def test_a_name_means_one_model_for_ever(weights: Path, models_folder: Path) -> None:
    first = models.add(weights, "resnet20", "Birds")
    assert models.add(weights, "resnet20", "Birds") == first
    other = models.add(weights, "resnet20", "Birds", classes=CLASSES)
    assert other != first
    assert set(user_models.names()) == {first, other}
    assert len(list(models_folder.iterdir())) == 2


def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path: Path, models_folder: Path) -> None:
    class Code:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)

    bad = tmp_path / "bad.pth"
    bad.write_bytes(pickle.dumps({"state_dict": Code()}))
    with pytest.raises(UserError, match=r"bad.pth holds more than tensors.*could run code"):
        models.add(bad, "resnet20", "Bad")
    assert not (tmp_path / "ran").exists()
    assert user_models.names() == ()


@pytest.mark.parametrize(
    ("architecture", "sentence"),
    [
        ("resnet32", r"do not fit this network: \d+ missing"),
        ("resnet18", "has no fc.weight: it is not a checkpoint of resnet18"),
        ("resnet9000", "no architecture called"),
    ],
)
def test_another_architectures_checkpoint_is_refused(weights: Path, architecture: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        models.add(weights, architecture, "Birds")
    assert user_models.names() == ()


def test_missing_and_unexpected_entries_are_named(weights: Path) -> None:
    state = torch.load(weights, weights_only=True)
    state["stranger"] = state.pop("conv1.weight")
    torch.save(state, weights)
    with pytest.raises(UserError, match=r"1 missing \(conv1.weight\); 1 unexpected \(stranger\)"):
        models.add(weights, "resnet20", "Birds")


def test_as_many_class_names_as_classes(weights: Path) -> None:
    with pytest.raises(UserError, match="has 3 classes, but 2 class names"):
        models.add(weights, "resnet20", "Birds", classes=("owl", "wren"))


@pytest.mark.parametrize("change", [{"crop": 50}, {"crop": 0}, {"std": (0.2, 0.0, 0.2)}, {"mean": (float("nan"),) * 3}])
def test_a_transform_that_no_image_can_go_through_is_refused(weights: Path, change: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"crop|standard deviation"):
        models.add(weights, "resnet20", "B", transform=replace(ARCHITECTURES["resnet20"].transform, **change))


@pytest.mark.parametrize("title", ["", "..", "/", "-.-"])
def test_a_title_needs_a_letter_or_a_digit(weights: Path, title: str) -> None:
    with pytest.raises(UserError, match="letter or a digit"):
        models.add(weights, "resnet20", title)


def test_a_title_leads_nowhere(weights: Path, models_folder: Path) -> None:
    assert models.add(weights, "resnet20", "../../x").startswith("own:x-")
    assert {path.name for path in models_folder.parent.iterdir()} == {"models", "birds.pth"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:40],
        lambda text: "[]",
        lambda text: text.replace('"resnet20"', '"resnet9000"'),
        lambda text: text.replace('"crop": 32', '"crop": -1'),
        lambda text: json.dumps(json.loads(text) | {"classes": 3}),
        lambda text: json.dumps(json.loads(text) | {"transform": None}),
    ],
)
def test_a_damaged_json_is_answered_with_a_sentence(weights: Path, models_folder: Path, damage) -> None:
    name = models.add(weights, "resnet20", "Birds")
    about = next(models_folder.glob("*/model.json"))
    about.write_text(damage(about.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UserError, match="is damaged"):
        models.find(name)
    with pytest.raises(UserError, match="is damaged"):
        Study(name, "cifar10", ("mnist",), 5)
    user_models.remove(name)
    assert user_models.names() == ()


def test_damaged_weights_are_answered_with_a_sentence(weights: Path, models_folder: Path) -> None:
    name = models.add(weights, "resnet20", "Birds")
    next(models_folder.glob("*/weights.pth")).unlink()
    with pytest.raises(UserError, match="no weights file"):
        models.load(name)


def test_what_is_removed_is_gone_from_memory_too(weights: Path, models_folder: Path) -> None:
    name = models.add(weights, "resnet20", "Birds")
    models.load(name)
    user_models.remove(name)
    assert list(models_folder.iterdir()) == []
    for ask in (models.find, models.load, user_models.remove, default_study):
        with pytest.raises(UserError, match="no model called"):
            ask(name)


def test_half_a_model_is_never_listed(weights: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(user_models.shutil, "copyfile", killed)
    with pytest.raises(KeyboardInterrupt):
        models.add(weights, "resnet20", "Birds")
    assert user_models.names() == ()
    (models_folder / f"{atomic_folders.PREFIX}abc-123abc").mkdir()
    assert user_models.names() == ()


def test_checkpoints_below_the_roots_are_offered(data_root: Path) -> None:
    (data_root / "runs").mkdir()
    for place in ("runs/best.pth", "last.safetensors", "notes.txt", ".hidden.pt"):
        (data_root / place).write_bytes(b"x")
    assert user_models.checkpoints() == ("own:last.safetensors", "own:runs/best.pth")


def test_class_names_come_from_a_text_file() -> None:
    assert user_models.class_names("owl\r\nwren \n\n".encode("utf-8-sig"), "c.txt") == ("owl", "wren")
    for data, sentence in ((b"\xff\xfe\xff", "no text in UTF-8"), (b"\n", "is empty")):
        with pytest.raises(UserError, match=sentence):
            user_models.class_names(data, "c.txt")


def test_colours_are_three_numbers() -> None:
    assert user_models.colour("0.5, 0.4 0.3", "Mean") == (0.5, 0.4, 0.3)
    for text in ("0.5", "a, b, c", "1 2 3 4", ""):
        with pytest.raises(UserError, match="Mean needs three numbers"):
            user_models.colour(text, "Mean")


def test_the_file_has_the_keys_of_version_0_1(weights: Path) -> None:
    name = models.add(weights, "resnet20", "My birds", trained_on="birds", classes=CLASSES)
    place = user_models.folder() / name.removeprefix("own:") / user_models.ABOUT
    content = json.loads(place.read_text(encoding="utf-8"))
    assert list(content) == ["title", "architecture", "knows", "transform", "classes", "sha256"]
    assert content["knows"] == models.find(name).trained_on == "birds"
