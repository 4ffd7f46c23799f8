"""``reproduce``: tables of the paper on a folder of data, published and measured side by side."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nap_core import datasets, extraction, models
from nap_core.analysis import evaluation
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.storage.activation_store import Store
from tests.cli.conftest import Run
from tests.sentences import Says, states

MODEL = ("--model", "resnet20-cifar10")
COUNT = 24


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root as the field lays it out: CIFAR-10's test images, and two OOD datasets under the paper's names."""
    folder = tmp_path_factory.mktemp("root")
    (folder / "ood_datasets").mkdir()
    for name, path in (("cifar10", "cifar10_test.npz"), ("mnist", "SVHN.npz"), ("textures", "ood_datasets/iSUN.npz")):
        images = datasets.load(name)
        pixels = np.stack([np.asarray(images.image(index).resize((32, 32))) for index in range(COUNT)])
        np.savez(folder / path, images=pixels, labels=images.labels[:COUNT])
    return folder


def reproduce(run: Run, *argv: object) -> tuple[int, str, str]:
    return run("reproduce", *argv, "--device", "cpu", "--quiet")


def test_the_printed_table_has_the_papers_figures_beside_ours(run: Run, root: Path) -> None:
    status, out, err = reproduce(run, "table-6", *MODEL, "--data-root", root)
    assert status == 0, err
    assert out.startswith("Table 6: Other designs of the score · ResNet-20")
    assert "FPR95 (%): here (paper)" in out
    assert "SVHN" in out
    assert "iSUN" in out
    assert "(26.55)" in out
    assert "for LSUN-Crop" not in out
    assert states(err, "Left out no images LSUN-Crop")


def test_json_has_the_numbers_of_the_evaluation_and_the_difference(run: Run, root: Path) -> None:
    status, out, err = reproduce(run, "9", *MODEL, "--data-root", root, "--json", "-")
    assert status == 0, err
    found = json.loads(out)
    assert found["table"] == "table-9"
    assert found["published_on"]["network"] == "DenseNet-BC-100-12"
    rows = {(row["row"], row["ood"], row["metric"]): row for row in found["rows"]}
    one = rows["NAP-E", "SVHN", "fpr95"]
    assert one["published"] == pytest.approx(0.0832)
    assert one["difference"] == pytest.approx(one["measured"] - 0.0832)
    assert one["w"] == 0.4
    # Without training images there, methods that estimate are left out with their reason.
    assert rows["KNN", "average", "auroc"]["measured"] is None
    assert "fit split" in rows["KNN", "average", "auroc"]["note"]
    assert rows["MSP", "iSUN", "fpr95"]["published"] == pytest.approx(0.4242)  # printed under LSUN-Resize
    assert states(err, "Without training images left out")


def test_the_numbers_are_those_of_the_images_there(run: Run, root: Path) -> None:
    _, out, _ = reproduce(run, "figure-2", *MODEL, "--data-root", root, "--limit", COUNT, "--json", "-")
    rows = {(row["row"], row["ood"], row["metric"]): row["measured"] for row in json.loads(out)["rows"]}
    model = models.load("resnet20-cifar10")

    def part(name: str) -> ImageSet:
        images = datasets.from_npz(root / name)
        return ImageSet(extraction.extract(model, images, store=Store(), device="cpu"), images)

    cases = EvaluationData(
        "CIFAR-10", part("cifar10_test.npz"), {"SVHN": part("SVHN.npz")}, ScoringContext(model, "CIFAR-10")
    )
    expected = evaluation.evaluate(cases, ["nap+energy"], {"nap+energy": 0.4})
    assert rows["NAP-E", "SVHN", "auroc"] == pytest.approx(expected["auroc"].iloc[0], abs=1e-12)


@pytest.mark.parametrize(
    ("argv", "facts"),
    [
        (("table-99", *MODEL), "no table-99"),
        (("figure-1", *MODEL), "Figure 1 no numbers"),
        (("9", *MODEL, "--data-root", "nowhere"), "no nowhere --data-root"),
        (("9", *MODEL, "--trained-on", "none"), "CIFAR-10 CIFAR-100 ImageNet-1k --trained-on"),
        (("9", *MODEL, "--knows", "none"), "CIFAR-10 CIFAR-100 ImageNet-1k --trained-on"),
    ],
)
def test_a_mistake_is_one_sentence(run: Run, says: Says, argv: tuple[str, ...], facts: str) -> None:
    status, out, err = reproduce(run, *argv)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    says(err.partition(" There are: ")[0], facts)


def test_missing_data_say_which_and_where(run: Run, tmp_path: Path, root: Path) -> None:
    status, _, err = reproduce(run, "9", *MODEL, "--data-root", tmp_path)
    assert status == 2
    assert states(err, f"no images CIFAR-10 {tmp_path} cifar10_test")
    (tmp_path / "cifar10_test.npz").symlink_to(root / "cifar10_test.npz")
    status, _, err = reproduce(run, "12", *MODEL, "--data-root", tmp_path)
    assert status == 2
    assert states(err, "no images CIFAR-100 cifar100_test")


def test_the_list_needs_no_model(run: Run) -> None:
    status, out, _ = run("reproduce", "--list")
    assert status == 0
    assert "table-9" in out
    assert "figure-6" in out


def test_help_and_list_do_not_wait_for_torch() -> None:
    for word in ("--help", "--list"):
        asked = (
            "import sys\nfrom nap_core.cli import main\n"
            f"try:\n    main(['reproduce', '{word}'])\nexcept SystemExit:\n    pass\nsys.exit('torch' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", asked], capture_output=True).returncode == 0
