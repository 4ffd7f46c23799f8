"""Every mistake is one sentence on stderr and exit status 2, found before a pass begins."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nap_core import models
from nap_core.extraction import runner

EVALUATE = ("evaluate", "--model", "resnet20-cifar10", "--ood", "mnist")
IMAGENET = ("evaluate", "--model", "efficientnet-lite0-imagenet", "--ood", "mnist")
WEIGHTS = Path(__file__).resolve().parents[2] / "assets/models/resnet20-cifar10/weights.safetensors"


@pytest.fixture
def no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object, **_named: object) -> None:
        pytest.fail("a pass began before the mistake was found")

    monkeypatch.setattr(runner.Runner, "forward", refused)
    monkeypatch.setattr(runner.Runner, "look", refused)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        pytest.param(argv, sentence, id=sentence[:45])
        for argv, sentence in [
            (("evaluate", "--model", "x", "--ood", "mnist"), "There is no model called “x”. There are: resnet20-cif"),
            (("evaluate", "--model", "resnet50", "--ood", "mnist"), "“resnet50” is an architecture, and its weights"),
            ((*EVALUATE, "--weights", WEIGHTS), "“resnet20-cifar10” comes with its weights. With --weights, name"),
            (
                ("extract", "--model", "inception_v3", "--weights", WEIGHTS, "mnist"),
                "There is no architecture called “inception_v3”",
            ),
            (("extract", "--model", "resnet20", "--weights", "x.pt", "mnist"), "There is no weights file at x.pt."),
            (("extract", "--model", "resnet32", "--weights", WEIGHTS, "mnist"), "The weights in weights.safetensors"),
            (("evaluate", "--model", "resnet20", "--weights", WEIGHTS, "--ood", "mnist"), "ID images are missing"),
            (
                ("evaluate", "--model", "resnet20", "--weights", "README.md", "--id", "mnist", "--ood", "textures"),
                "README.md",
            ),
            ((*EVALUATE, "--w", "0.5", "--search-w"), "--w gives the combinations' w, and --search-w looks for it."),
            ((*IMAGENET, "--search-w", "--methods", "nap+msp"), "--search-w distorts ID images, and a bank holds none"),
            (
                (*EVALUATE, "--ood", "x.npz"),
                "There is no file or folder “x.npz”, and no dataset of that name. The cata",
            ),
            ((*EVALUATE, "--ood", "a=x"), "There is no file or folder “x”, and no dataset"),
            ((*EVALUATE, "--ood", "=mnist"), "“=mnist” has no name before the equals sign. Write it as name=mnist."),
            ((*EVALUATE, "--ood", "mnist"), "Two OOD datasets are called “mnist”. Give one of them another name"),
            ((*EVALUATE, "--ood", "README.md"), "“README.md” is not an .npz archive."),
            ((*EVALUATE, "--id", "imagenet-bank"), "imagenet-bank holds activations of EfficientNet-Lite0, not of"),
            ((*EVALUATE, "--fit", "imagenet-bank", "--methods", "knn"), "imagenet-bank holds activations of test"),
            ((*EVALUATE, "--fit", "cifar10", "--methods", "knn"), "--fit and --id are the same images"),
            ((*EVALUATE, "--methods", "x"), "There is no method called “x”. There are: nap,"),
            ((*EVALUATE, "--methods", ","), "No method was named."),
            ((*EVALUATE, "--methods", "knn:k=0"), "k must be 1 to"),
            ((*EVALUATE, "--methods", "knn:j=1"), "KNN has no parameter “j”. It has: k."),
            ((*EVALUATE, "--methods", "energy+nap"), "The first part of “energy+nap” must be one of nap"),
            (
                (*EVALUATE, "--methods", "mc-dropout"),
                "MC dropout needs a network with dropout, and ResNet-20 has none.",
            ),
            ((*EVALUATE, "--methods", "rmd", "--fit-limit", 4), "Relative Mahalanobis needs images of all 10 classes"),
            ((*EVALUATE, "--methods", "rmd", "--fit", "uniform-noise"), "Relative Mahalanobis needs the classes of"),
            ((*IMAGENET, "--methods", "nap+knn"), "NAP+KNN needs a fit split (training images of ImageNet-1k from w"),
            ((*IMAGENET, "--methods", "odin"), "ODIN needs gradients, in a pass of its own, and imagenet-bank holds"),
            (
                (*IMAGENET, "--mean", "0.5,0.5,0.5"),
                "imagenet-bank holds activations, which --layer, --view, --mean",
            ),
            ((*EVALUATE, "--device", "nowhere"), "The device “nowhere” cannot be used here."),
            ((*EVALUATE, "--layer", "layer9"), "The network has no layer “layer9” that puts out a map. The last that"),
            ((*IMAGENET, "--layer", "_blocks.10"), "imagenet-bank holds activations, which --layer, --view, --mean"),
            ((*EVALUATE, "--view", "big"), "“big” is no preprocessing. Write short side, crop and interpolation as"),
            ((*EVALUATE, "--view", "4/4"), "ResNet-20 shrinks images of 4 × 4 pixels to maps of one neuron"),
            ((*EVALUATE, "--json", "-", "--csv", "-"), "--json and --csv cannot both go to stdout"),
            ((*EVALUATE, "--json", "nowhere/x.json"), "There is no folder “nowhere” to write “x.json” into."),
            ((*EVALUATE, "--csv", "docs"), "“docs” is a folder. Name a file."),
            (
                ("score", "a.png", "--model", "resnet20-cifar10", "--methods", "odin"),
                "ODIN cannot place a single image",
            ),
            (("score", "a.png", "--model", "resnet20", "--weights", WEIGHTS), "Images to compare with are missing"),
            (("extract", "--model", "resnet20-cifar10", "imagenet-bank"), "The images of “ImageNet reference” are not"),
        ]
    ],
)
@pytest.mark.usefixtures("no_pass")
def test_is_answered_with_a_sentence(run, argv: tuple[object, ...], sentence: str) -> None:
    status, out, err = run(*argv)
    assert (status, out) == (2, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "COMMAND"),
        (("evaluate", "--model", "resnet20-cifar10"), "--ood"),
        ((*EVALUATE, "--w", "1.5"), "argument --w: must be a number between 0 and 1, not “1.5”"),
        ((*EVALUATE, "--w", "half"), "not “half”"),
        ((*EVALUATE, "--limit", "0"), "argument --limit: must be a whole number from 1, not “0”"),
        ((*EVALUATE, "--batch-size", "x"), "argument --batch-size: must be a whole number from 1"),
        ((*EVALUATE, "--mean", "1,2"), "argument --mean: must be three numbers between 0 and 1"),
        ((*EVALUATE, "--std", "0,1,1"), "argument --std: must be three numbers"),
        ((*EVALUATE, "--lim", "5"), "unrecognized arguments: --lim 5"),
        (("score", "--model", "resnet20-cifar10"), "IMAGE"),
    ],
)
def test_a_call_that_cannot_be_read_is_a_usage_error(run, argv: tuple[object, ...], said: str) -> None:
    status, out, err = run(*argv)
    assert (status, out) == (2, "")
    assert err.startswith("usage: ")
    assert said in err.splitlines()[-1]


def test_a_network_without_layers_is_found_out(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    bare = replace(models.ARCHITECTURES["resnet20"], layers=())
    monkeypatch.setitem(models.ARCHITECTURES, "resnet20", bare)
    asked = ("--weights", WEIGHTS, "--id", "cifar10", "--fit", "cifar10-fit", "--ood", "mnist", "--methods", "gram")
    status, _, err = run("evaluate", "--model", "resnet20", *asked)
    assert (status, err) == (2, "Gram reads several layers, and ResNet-20 names none.\n")


def test_weights_that_could_run_code_are_not_opened(run, tmp_path: Path) -> None:
    torch.save({"state_dict": np.random.default_rng}, path := tmp_path / "evil.pt")
    status, _, err = run("extract", "--model", "resnet20", "--weights", path, "mnist")
    assert status == 2
    assert "could run code" in err


def test_a_store_that_cannot_be_written(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    status, _, err = run(*EVALUATE, "--limit", 3, "--methods", "msp", "--store", tmp_path / "file", "--quiet")
    assert status == 2
    assert str(tmp_path / "file") in err
    assert err.count("\n") == 1
