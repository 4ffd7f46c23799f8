"""Every mistake is one sentence on stderr and exit status 2, found before a pass begins."""

import re
from pathlib import Path

import pytest
import torch

from nap_core import models
from nap_core.extraction import forward_pass
from tests.sentences import Says

EVALUATE = ("evaluate", "--model", "resnet20-cifar10", "--ood", "mnist")
IMAGENET = ("evaluate", "--model", "efficientnet-lite0-imagenet", "--ood", "mnist")
WEIGHTS = Path(__file__).resolve().parents[2] / "assets/models/resnet20-cifar10/weights.safetensors"


@pytest.fixture
def no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object, **_named: object) -> None:
        pytest.fail("a pass began before the mistake was found")

    monkeypatch.setattr(forward_pass.ForwardPass, "forward", refused)
    monkeypatch.setattr(forward_pass.ForwardPass, "look", refused)


MISTAKES = {  # the call, and the facts of the sentence
    "unknown model": (("evaluate", "--model", "x", "--ood", "mnist"), "no model x"),
    "no weights": (("evaluate", "--model", "resnet50", "--ood", "mnist"), "resnet50 --weights torchvision:resnet50"),
    "weights of a model": ((*EVALUATE, "--weights", WEIGHTS), "resnet20-cifar10 --weights --model resnet20"),
    "unknown architecture": (
        ("extract", "--model", "inception_v3", "--weights", WEIGHTS, "mnist"),
        "no architecture inception_v3",
    ),
    "no weights file": (("extract", "--model", "resnet20", "--weights", "x.pt", "mnist"), "no file x.pt"),
    "weights of another": (
        ("extract", "--model", "resnet32", "--weights", WEIGHTS, "mnist"),
        "weights.safetensors not fit 60",
    ),
    "no id": (("evaluate", "--model", "resnet20", "--weights", WEIGHTS, "--ood", "mnist"), "ID missing --id"),
    "no weights in it": (
        ("evaluate", "--model", "resnet20", "--weights", "README.md", "--id", "mnist", "--ood", "textures"),
        "README.md",
    ),
    "two ways to w": ((*EVALUATE, "--w", "0.5", "--search-w"), "--w --search-w"),
    "search on a bank": ((*IMAGENET, "--search-w", "--methods", "nap+msp"), "--search-w ID --id"),
    "no data": ((*EVALUATE, "--ood", "x.npz"), "no x.npz"),
    "no labelled data": ((*EVALUATE, "--ood", "a=x"), "no x"),
    "no label": ((*EVALUATE, "--ood", "=mnist"), "=mnist name=mnist"),
    "one label": ((*EVALUATE, "--ood", "mnist"), "Two OOD mnist --ood name=DATA"),
    "no archive": ((*EVALUATE, "--ood", "README.md"), "README.md no .npz"),
    "bank of another": ((*EVALUATE, "--id", "imagenet-bank"), "imagenet-bank EfficientNet-Lite0 not ResNet-20"),
    "fit on a bank": ((*EVALUATE, "--fit", "imagenet-bank", "--methods", "knn"), "imagenet-bank test"),
    "fit on the tested": ((*EVALUATE, "--fit", "cifar10", "--methods", "knn"), "--fit --id same"),
    "unknown method": ((*EVALUATE, "--methods", "x"), "no method x"),
    "no method": ((*EVALUATE, "--methods", ","), "No --methods"),
    "value out of range": ((*EVALUATE, "--methods", "knn:k=0"), "k 1 100000 0"),
    "unknown parameter": ((*EVALUATE, "--methods", "knn:j=1"), "KNN no j k"),
    "parts exchanged": ((*EVALUATE, "--methods", "energy+nap"), "energy+nap nap nap+energy"),
    "no dropout": ((*EVALUATE, "--methods", "mc-dropout"), "dropout dropout ResNet-20 none"),
    "few to fit": ((*EVALUATE, "--methods", "rmd", "--fit-limit", 4), "Relative Mahalanobis 10 4"),
    "no classes to fit": (
        (*EVALUATE, "--methods", "rmd", "--fit", "uniform-noise"),
        "Relative Mahalanobis classes not known",
    ),
    "no fit split": ((*IMAGENET, "--methods", "nap+knn"), "NAP+KNN ImageNet-1k none --fit"),
    "no images": ((*IMAGENET, "--methods", "odin"), "ODIN images only activations"),
    "mean of a bank": ((*IMAGENET, "--mean", "0.5,0.5,0.5"), "imagenet-bank --layer --view --mean --std"),
    "mean in 0 to 255": (
        (*EVALUATE, "--mean", "123.675,116.28,103.53", "--std", "58.395,57.12,57.375"),
        "123.7 116.3 103.5 58.4 57.12 57.38 0 255 0 1 255 0.485 0.456 0.406 0.229 0.224 0.225",
    ),
    "layer of a bank": ((*IMAGENET, "--layer", "_blocks.10"), "imagenet-bank --layer --view --mean --std"),
    "unknown device": ((*EVALUATE, "--device", "nowhere"), "nowhere"),
    "unknown layer": ((*EVALUATE, "--layer", "layer9"), "no layer layer9"),
    "unknown view": ((*EVALUATE, "--view", "big"), "big no 256/224/bicubic"),
    "small view": ((*EVALUATE, "--view", "4/4"), "ResNet-20 4 4 layer2 2 2 8"),
    "stdout twice": ((*EVALUATE, "--json", "-", "--csv", "-"), "--json --csv stdout"),
    "no folder": ((*EVALUATE, "--json", "nowhere/x.json"), "no nowhere x.json"),
    "a folder": ((*EVALUATE, "--csv", "docs"), "docs folder"),
    "no single image": (
        ("score", "a.png", "--model", "resnet20-cifar10", "--methods", "odin"),
        "ODIN cannot single image",
    ),
    "no reference": (("score", "a.png", "--model", "resnet20", "--weights", WEIGHTS), "ID missing --id"),
    "only activations": (("extract", "--model", "resnet20-cifar10", "imagenet-bank"), "ImageNet reference not"),
}


def without_list(sentences: str) -> str:
    """The sentences without the last one where that lists a catalogue, which grows."""
    return re.split(r"(?<=\.) (?:There are|The catalogue has|The last that|It has the layers)\b", sentences)[0].strip()


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.usefixtures("no_pass")
def test_is_answered_with_a_sentence(run, says: Says, name: str) -> None:
    argv, facts = MISTAKES[name]
    status, out, err = run(*argv)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    says(without_list(err), facts)


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        ((), "COMMAND"),
        (("evaluate", "--model", "resnet20-cifar10"), "--ood"),
        ((*EVALUATE, "--lim", "5"), "--lim 5"),
        (("score", "--model", "resnet20-cifar10"), "IMAGE"),
    ],
)
def test_a_call_that_cannot_be_read_is_a_usage_error(run, argv: tuple[object, ...], named: str) -> None:
    status, out, err = run(*argv)
    assert (status, out) == (2, "")
    assert err.startswith("usage: ")
    assert named in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("argument", "value", "facts"),
    [
        ("--w", "1.5", "--w 0 1 1.5"),
        ("--w", "half", "--w 0 1 half"),
        ("--limit", "0", "--limit 1 0"),
        ("--batch-size", "x", "--batch-size 1 x"),
        ("--mean", "1,2", "--mean 0 1 0.49,0.48,0.45 0 1 1,2"),
        ("--std", "0,1,1", "--std 1e-06 1 0.49,0.48,0.45 0 1 0,1,1"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_usage_error(run, says: Says, argument: str, value: str, facts: str) -> None:
    status, out, err = run(*EVALUATE, argument, value)
    assert (status, out) == (2, "")
    assert err.startswith("usage: ")
    says(err.splitlines()[-1].partition("error: ")[2], facts)


def test_a_network_without_layers_is_found_out(run, says: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    bare = replace(models.ARCHITECTURES["resnet20"], layers=())
    monkeypatch.setitem(models.ARCHITECTURES, "resnet20", bare)
    asked = ("--weights", WEIGHTS, "--id", "cifar10", "--fit", "cifar10-fit", "--ood", "mnist", "--methods", "gram")
    status, _, err = run("evaluate", "--model", "resnet20", *asked)
    assert status == 2
    says(err, "Gram several layers ResNet-20 none")


def test_weights_that_could_run_code_are_not_opened(run, tmp_path: Path) -> None:
    torch.save({"state_dict": print}, path := tmp_path / "evil.pt")
    status, _, err = run("extract", "--model", "resnet20", "--weights", path, "mnist")
    assert status == 2
    assert "could run code" in err


def test_a_store_that_cannot_be_written(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    status, _, err = run(*EVALUATE, "--limit", 3, "--methods", "msp", "--store", tmp_path / "file", "--quiet")
    assert status == 2
    assert str(tmp_path / "file") in err
    assert err.count("\n") == 1
