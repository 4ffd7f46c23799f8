"""``evaluate``: its numbers are nap_core.evaluation's, whatever the data come as and wherever the results go."""

import io
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nap_core import datasets, extraction, methods, models
from nap_core.analysis import distorted_images, evaluation, parameter_search, weight_search
from nap_core.datasets.user_data import folders, scan
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study
from nap_core.studies.study import run as run_study
from tests.sentences import Says, states

MODEL = ("--model", "resnet20-cifar10")
NEEDED = ("method", "ood", "fpr95", "auroc", "aupr_in", "aupr_out", "n_id", "n_ood", "id_accuracy")
FIGURES = ("fpr95", "auroc", "aupr_in", "aupr_out", "id_accuracy")


def assert_same(found: list[dict], expected: pd.DataFrame) -> None:
    assert [(row["method"], row["ood"]) for row in found] == list(zip(expected["method"], expected["ood"], strict=True))
    for row, (_, wanted) in zip(found, expected.iterrows(), strict=True):
        assert list(row) == evaluation.COLUMNS
        for name in FIGURES:
            # A second pass over the same images rounds differently on a GPU; here it reads the store.
            assert row[name] == pytest.approx(wanted[name], abs=1e-12), (row["method"], name)
        for name in evaluation.PROVENANCE:
            assert row[name] == wanted[name], name


class TestNumbers:
    def test_a_catalogue_study(self, rows) -> None:
        found = rows(*MODEL, "--ood", "textures", "--ood", "mnist", "--limit", 40)
        study = run_study(Study("resnet20-cifar10", "cifar10", ("textures", "mnist"), 40), Store(), device="cpu")
        assert_same(found, evaluation.evaluate(study))
        assert {row["method"] for row in found} == set(methods.STANDARD)
        assert all(row["n_id"] == row["n_ood"] == 40 for row in found)

    def test_an_archive_methods_that_fit_and_parameters(self, rows, archive: Path) -> None:
        specs = ["knn:k=3", "ash-s:percentile=0.8", "nap+knn:k=3"]
        asked = ("--methods", ",".join(specs), "--w", "0.3", "--fit-limit", 60, "--limit", 30)
        found = rows(*MODEL, "--id", "cifar10", "--ood", f"mine={archive}", *asked)
        model, fit = models.load("resnet20-cifar10"), datasets.load("cifar10-fit")

        def part(dataset) -> ImageSet:
            return ImageSet(extraction.extract(model, dataset, limit=30, store=Store(), device="cpu"), dataset)

        context = ScoringContext(model, "CIFAR-10", fit, fit_limit=60, store=Store(), device="cpu")
        cases = EvaluationData(
            "cifar10", part(datasets.load("cifar10")), {"mine": part(datasets.from_npz(archive))}, context
        )
        assert_same(found, evaluation.evaluate(cases, specs, {"nap+knn:k=3": 0.3}))
        assert [row["w"] for row in found] == [None, None, 0.3]
        assert found[0]["n_ood"] == 12
        assert found[1]["parameters"] == "percentile=0.8"

    def test_w_searched_on_distorted_images_is_the_apps(self, rows, store_root: Path) -> None:
        asked = (*MODEL, "--ood", "mnist", "--limit", 20, "--methods", "nap+msp,nap+energy", "--search-w")
        found = rows(*asked)
        study = run_study(Study("resnet20-cifar10", "cifar10", ("mnist",), 20), Store(store_root), device="cpu")
        pseudo = weight_search.extracted(study)
        expected = [weight_search.search(study, pseudo, spec).w for spec in ("nap+msp", "nap+energy")]
        assert [row["w"] for row in found] == expected
        assert [row["w_origin"] for row in found] == ["searched", "searched"]
        # Without --search-w the same images give the published w, whatever the store holds.
        assert [row["w_origin"] for row in rows(*asked[:-1])] == ["published", "published"]
        assert [row["w_origin"] for row in rows(*asked[:-1], "--w", "0.5")] == ["given", "given"]

    def test_parameters_searched_on_distorted_images_are_the_librarys(self, run, rows, store_root: Path) -> None:
        asked = (*MODEL, "--ood", "mnist", "--limit", 20, "--methods", "msp,ash-s", "--search-parameters")
        found = rows(*asked)
        study = run_study(Study("resnet20-cifar10", "cifar10", ("mnist",), 20), Store(store_root), device="cpu")
        result = parameter_search.search(study, distorted_images.extracted(study), "ash-s")
        assert [row["method"] for row in found] == ["msp", result.found] != ["msp", "ash-s"]
        assert found[1]["parameters_origin"] == ""
        status, _, err = run("evaluate", *asked, "--quiet", "--device", "cpu")
        assert status == 0 and states(err, f"ash-s {100 * result.auroc:.1f} {100 * result.before:.1f}")
        # Without the option the same images give the default, whatever the store holds.
        (_, plain) = rows(*asked[:-1])
        assert plain["method"] == "ash-s" and states(plain["parameters_origin"], "0.95 DenseNet-BC-100-12 CIFAR-10")

    def test_mean_and_std_change_the_numbers(self, rows) -> None:
        asked = (*MODEL, "--ood", "textures", "--limit", 20, "--methods", "energy")
        usual = rows(*asked)[0]
        own = models.load("resnet20-cifar10").transform
        spelt = [",".join(map(str, values)) for values in (own.mean, own.std)]
        assert rows(*asked, "--mean", spelt[0], "--std", spelt[1])[0]["auroc"] == usual["auroc"]
        other = rows(*asked, "--mean", "0.1,0.2,0.3", "--std", "0.5,0.5,0.5")[0]
        assert (other["auroc"], other["id_accuracy"]) != (usual["auroc"], usual["id_accuracy"])
        assert other["store_key"] != usual["store_key"]

    def test_the_bank_of_the_imagenet_network(self, rows) -> None:
        found = rows(
            "--model", "efficientnet-lite0-imagenet", "--ood", "uniform-noise", "--limit", 5, "--methods", "nap"
        )
        assert (found[0]["id"], found[0]["n_id"], found[0]["id_sha256"]) == ("imagenet-bank", 5, "")

    @pytest.mark.slow
    def test_the_papers_network(self, rows, shared: Path) -> None:
        found = rows(
            *("--model", "densenet_bc_100_12", "--id", "cifar10", "--ood", f"svhn={shared / 'data/svhn_1083.npz'}"),
            *("--weights", shared / "weights/densenet_bc_100_12_cifar10.pth.tar", "--limit", 48),
            *("--methods", "energy,nap+energy", "--trained-on", "CIFAR-10"),
        )
        assert [row["w"] for row in found] == [None, 0.4]
        assert found[0]["id_accuracy"] > 0.85
        assert found[1]["auroc"] > 0.9


class TestWeights:
    def test_a_dataparallel_checkpoint_of_100_classes(self, rows, checkpoint: Path, archive: Path) -> None:
        asked = ("--model", "resnet20", "--weights", checkpoint, "--id", archive, "--ood", "mnist", "--limit", 12)
        found = rows(*asked, "--methods", "msp,scale,nap+energy", "--trained-on", "CIFAR-100")
        # CIFAR-100's: scale's own default is another, and so is w.
        assert found[1]["parameters"] == f"percentile={methods.RECORDS['scale'].parameters[0].default_for('CIFAR-100')}"
        assert found[2]["w"] == methods.RECORDS["energy"].weight("CIFAR-100").w
        assert found[0]["id"] == "mine"
        assert found[0]["id_accuracy"] is not None

    @pytest.mark.parametrize(("said", "note"), [((), True), (("--knows", "none"), False)])
    def test_the_training_data_are_not_guessed(self, run, checkpoint: Path, archive: Path, said, note: bool) -> None:
        import json

        asked = ("--model", "resnet20", "--weights", checkpoint, "--id", archive, "--ood", "mnist", "--limit", 12)
        status, out, err = run(
            "evaluate", *asked, "--methods", "scale,nap+energy", *said, "--json", "-", "--quiet", "--device", "cpu"
        )
        assert status == 0
        scale, combined = json.loads(out)
        general = methods.RECORDS["scale"].parameters[0].default
        assert general != methods.RECORDS["scale"].parameters[0].default_for("CIFAR-100")
        assert scale["parameters"] == f"percentile={general}"
        assert (combined["w"], combined["w_origin"]) == (methods.RECORDS["energy"].weight("", 100).w, "nearest")
        assert states(err, "unknown --trained-on CIFAR-10") == note
        assert err.count("--trained-on") == note

    def test_class_names_from_a_file(self, run, rows, checkpoint: Path, folder: Path, tmp_path: Path) -> None:
        (names := tmp_path / "classes.txt").write_text("\n".join(["frog", *map(str, range(98)), "truck"]))
        asked = ("--model", "resnet20", "--weights", checkpoint, "--id", folder, "--ood", "mnist", "--limit", 12)
        assert rows(*asked, "--methods", "msp")[0]["id_accuracy"] is None  # its folders are no "class 0"
        dataset = datasets.from_folder(folder)
        predictions = extraction.extract(models.load_checkpoint("resnet20", checkpoint), dataset).predictions
        truth = [{"frog": 0, "truck": 99}[dataset.classes[label]] for label in dataset.labels]
        found = rows(*asked, "--methods", "msp", "--classes", names)
        assert found[0]["id_accuracy"] == np.mean(predictions == truth)
        names.write_text("frog\ntruck\n")
        status, _, err = run("evaluate", *asked, "--classes", names)
        assert status == 2 and states(err, "100 classes 2")
        assert run("evaluate", *MODEL, "--ood", "mnist", "--classes", names)[0] == 2
        assert run("evaluate", *asked, "--classes", tmp_path / "gone.txt")[0] == 2

    def test_a_network_of_torchvisions(self, rows, archive: Path, tmp_path: Path) -> None:
        import torch
        from torchvision.models import get_model

        torch.manual_seed(0)
        torch.save(get_model("shufflenet_v2_x0_5", num_classes=10).state_dict(), path := tmp_path / "weights.pth")
        found = rows(
            "--model", "shufflenet_v2_x0_5", "--weights", path, "--id", archive, "--ood", "photos", "--limit", 4
        )
        assert len(found) == 5
        assert found[-1]["w"] == methods.RECORDS["energy"].weight("", 10).w  # ten classes of no CIFAR architecture


class TestData:
    def test_a_folder_gives_what_the_archive_gives(self, rows, folder: Path, archive: Path) -> None:
        asked = (*MODEL, "--limit", 12, "--methods", "msp,nap")
        left = rows(*asked, "--ood", f"one={folder}")
        right = rows(*asked, "--ood", f"one={archive}")
        assert [row["auroc"] for row in left] == pytest.approx([row["auroc"] for row in right])
        assert {row["ood"] for row in rows(*asked, "--ood", folder)} == {"pictures"}
        assert {row["ood"] for row in rows(*asked, "--ood", archive)} == {"mine"}

    def test_class_folders_are_matched_by_the_networks_names(self, rows, folder: Path) -> None:
        found = rows(*MODEL, "--id", folder, "--ood", "mnist", "--methods", "msp", "--limit", 12)[0]
        dataset = datasets.from_folder(folder)
        predictions = extraction.extract(models.load("resnet20-cifar10"), dataset, device="cpu").predictions
        truth = [{"frog": 6, "truck": 9}[dataset.classes[label]] for label in dataset.labels]
        assert found["id_accuracy"] == np.mean(predictions == truth)

    def test_accuracy_without_labels_is_null(self, rows, tmp_path: Path) -> None:
        np.savez(path := tmp_path / "bare.npz", images=np.zeros((3, 32, 32), np.uint8))
        assert rows(*MODEL, "--id", path, "--ood", "mnist", "--limit", 3, "--methods", "msp")[0]["id_accuracy"] is None

    def test_labels_of_other_classes_are_no_accuracy(self, rows) -> None:
        found = rows(*MODEL, "--id", "textures", "--ood", "mnist", "--limit", 10, "--methods", "msp")
        assert found[0]["id_accuracy"] is None

    def test_limit_leaves_the_fit_split_alone(self, rows) -> None:
        asked = (*MODEL, "--ood", "textures", "--limit", 10, "--methods", "mahalanobis")
        # Ten images of the fit split could not hold all ten classes and more, which Mahalanobis needs.
        assert rows(*asked, "--fit-limit", 200)[0]["n_id"] == 10

    def test_a_fit_split_without_classes_serves_methods_that_need_none(self, rows, tmp_path: Path) -> None:
        images = np.stack([np.asarray(datasets.load("cifar10-fit").image(row)) for row in range(60)])
        np.savez(path := tmp_path / "bare.npz", images=images)
        specs = "knn:k=5,react,vim,kl-matching"
        asked = (*MODEL, "--ood", "mnist", "--limit", 20, "--methods", specs)
        np.savez(told := tmp_path / "told.npz", images=images, labels=np.zeros(60, int))
        found, labelled = rows(*asked, "--fit", path), rows(*asked, "--fit", told)
        assert [row["auroc"] for row in found] == [row["auroc"] for row in labelled]

    def test_a_limit_opens_as_many_files_and_none_when_all_is_stored(
        self, rows, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decoded: list[str] = []
        examine, decode = scan.examine, folders.decode
        monkeypatch.setattr(scan, "examine", lambda data, file: decoded.append(file) or examine(data, file))
        monkeypatch.setattr(folders, "decode", lambda data, file, _: decoded.append(file) or decode(data, file))
        asked = (*MODEL, "--ood", folder, "--limit", 3, "--methods", "msp")
        first = rows(*asked)
        assert len(decoded) == len(set(decoded)) == 3
        decoded.clear()
        assert rows(*asked)[0]["ood_sha256"] == first[0]["ood_sha256"]
        assert decoded == []

    def test_images_in_two_sets_are_named_and_left_out_when_asked(self, run, rows, tmp_path: Path) -> None:
        images = np.stack([np.asarray(datasets.load("cifar10").image(index)) for index in range(40)])
        np.savez(fit := tmp_path / "fit.npz", images=images, labels=np.arange(40) % 10)
        np.savez(more := tmp_path / "more.npz", images=np.concatenate([images[:5], 255 - images[:5]]))
        asked = (*MODEL, "--id", "cifar10", "--fit", fit, "--ood", more, "--limit", 60, "--methods", "knn:k=1")
        _, _, err = run("evaluate", *asked, "--quiet")
        for facts in ("40 of 60 cifar10 fit split --distinct", "5 of 10 more fit split", "5 of 10 more cifar10"):
            assert states(err, facts.replace(" of ", " "))
        (left,) = rows(*asked, "--distinct")
        assert (left["n_id"], left["n_ood"]) == (20, 5)
        assert rows(*asked)[0]["auroc"] != left["auroc"]

    def test_what_a_folder_cannot_give_is_said(self, run, folder: Path) -> None:
        (folder / "frog" / "broken.png").write_bytes(b"no picture")
        status, _, err = run("evaluate", *MODEL, "--ood", folder, "--methods", "msp", "--quiet")
        assert status == 0
        assert states(err, "pictures frog/broken.png")


class TestAccuracy:
    def test_a_suspicious_one_is_said_before_the_table_and_in_it(self, run, rows, tmp_path: Path) -> None:
        cifar = datasets.load("cifar10")
        images = np.stack([np.asarray(cifar.image(row)) for row in range(60)])
        np.savez(path := tmp_path / "shifted.npz", images=images, labels=(cifar.labels[:60] + 1) % 10)
        asked = (*MODEL, "--id", path, "--ood", "mnist", "--limit", 60, "--methods", "msp")
        (row,) = rows(*asked)
        status, _, err = run("evaluate", *asked, "--quiet")
        assert status == 0
        assert states(err, f"{100 * row['id_accuracy']:.1f} 60 labels preprocessing classes")
        assert err.startswith(f"Warning: {row['accuracy_warning']}\n")
        assert rows(*MODEL, "--ood", "mnist", "--limit", 60, "--methods", "msp")[0]["accuracy_warning"] == ""


class TestMethods:
    def test_all_names_what_it_leaves_out(self, run) -> None:
        asked = ("evaluate", "--model", "efficientnet-lite0-imagenet", "--ood", "uniform-noise", "--limit", 8)
        status, out, err = run(*asked, "--methods", "all", "--quiet", "--csv", "-", "--device", "cpu")
        assert status == 0, err
        done = set(pd.read_csv(io.StringIO(out))["method"])
        left_out = {line.removeprefix("Left out ").partition(":")[0] for line in err.splitlines()}
        assert done | left_out == {*methods.RECORDS, *methods.COMBINATIONS}
        assert not done & left_out
        assert {"nap", "energy", "ash-s", "gradnorm", "nap+ash-s"} <= done
        assert states(err, "knn KNN fit split ImageNet-1k")
        assert states(err, "odin ODIN images only activations")

    def test_one_that_is_named_beside_all_must_run(self, run) -> None:
        asked = ("evaluate", "--model", "efficientnet-lite0-imagenet", "--ood", "textures")
        status, _, err = run(*asked, "--methods", "all,knn")
        assert status == 2
        assert states(err.splitlines()[-1], "KNN fit split ImageNet-1k")

    def test_a_given_threshold_needs_no_fit_split(self, run, rows) -> None:
        """ReAct clips at the threshold; without one it estimates it from the fit split, which this model lacks."""
        asked = ("--model", "efficientnet-lite0-imagenet", "--ood", "uniform-noise", "--limit", 6)
        specs = ["react:threshold=1.0", "nap+react:threshold=1.0"]
        found = rows(*asked, "--methods", ",".join(specs))
        assert [(row["method"], row["fit_sha256"]) for row in found] == [(spec, "") for spec in specs]
        study = run_study(
            Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 6), Store(), device="cpu"
        )
        assert [row["auroc"] for row in found] == list(evaluation.evaluate(study, specs)["auroc"])
        for spec in ("react", "react:threshold=0"):
            status, _, err = run("evaluate", *asked, "--methods", spec)
            assert status == 2 and states(err, "fit split ImageNet-1k")

    def test_a_method_is_evaluated_once(self, rows) -> None:
        found = rows(*MODEL, "--ood", "mnist", "--limit", 5, "--methods", "msp, energy,msp")
        assert [row["method"] for row in found] == ["msp", "energy"]


class TestOutput:
    def test_json_columns_and_ranges(self, run, tmp_path: Path) -> None:
        import json

        target = tmp_path / "out.json"
        status, out, _ = run("evaluate", *MODEL, "--ood", "mnist", "--limit", 10, "--json", target)
        assert (status, out) == (0, "")
        found = json.loads(target.read_text(encoding="utf-8"))
        assert len(found) == 5
        for row in found:
            assert set(NEEDED) <= set(row)
            assert all(0 <= row[name] <= 1 for name in FIGURES)
            assert (row["w"] is None) == ("+" not in row["method"])

    def test_csv_is_the_same(self, run, rows, tmp_path: Path) -> None:
        asked = (*MODEL, "--ood", "mnist", "--limit", 10)
        target = tmp_path / "out.csv"
        assert run("evaluate", *asked, "--csv", target)[0] == 0
        table = pd.read_csv(target)
        assert list(table.columns) == evaluation.COLUMNS
        for row, (_, wanted) in zip(rows(*asked), table.iterrows(), strict=True):
            assert all(row[name] == pytest.approx(wanted[name]) for name in FIGURES)
            assert row["w"] == wanted["w"] or math.isnan(wanted["w"])

    def test_table_for_people(self, run, rows, says: Says) -> None:
        asked = (*MODEL, "--ood", "t=textures", "--ood", "mnist", "--limit", 20, "--methods", "energy,nap+energy")
        status, out, _ = run("evaluate", *asked)
        assert status == 0
        title, head, energy, combined, origin = out.splitlines()
        says(title, "ResNet-20 ID cifar10 20 OOD t 20 mnist 20")
        assert head.split()[-6:] == ["t", "mnist", "average", "ID", "accuracy", "(%)"]
        assert combined.startswith("NAP+Energy (w = 0.4)")
        says(origin, "NAP+Energy 0.4 paper's CIFAR-10 11")
        first, second = (row for row in rows(*asked) if row["method"] == "energy")
        assert f"{100 * first['fpr95']:.1f} / {100 * first['auroc']:.1f}" in energy
        average = 50 * (first["auroc"] + second["auroc"])
        assert energy.split()[-4:-1] == [f"{50 * (first['fpr95'] + second['fpr95']):.1f}", "/", f"{average:.1f}"]

    def test_progress_leaves_stdout_alone(self, run, store_root: Path) -> None:
        import json

        asked = ("evaluate", *MODEL, "--ood", "mnist", "--limit", 4, "--json", "-")
        status, out, err = run(*asked)
        assert status == 0
        assert len(json.loads(out)) == 5
        assert "images/s" in err
        assert run(*asked, "--store", store_root / "other", "--quiet")[2] == ""
