"""``extract``: fills the store that ``evaluate`` reads; Ctrl-C leaves one that the next call goes on from."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from nap_core import datasets, extraction, models
from nap_core.storage.activation_store import Store
from tests.sentences import Says, numbers

COMMAND = [sys.executable, "-m", "nap_core", "extract", "--model", "resnet20-cifar10", "--device", "cpu"]


def test_fills_the_store_that_evaluate_reads(run, store_root: Path, archive: Path, says: Says) -> None:
    asked = ("--model", "resnet20-cifar10", "--device", "cpu", "--limit", 8)
    status, out, err = run("extract", *asked, "cifar10", f"one={archive}")
    assert status == 0
    says(out, "cifar10 8 ResNet-20 8 one 8 ResNet-20 8")
    assert len(out.splitlines()) == 2
    assert "images/s" in err
    says(run("extract", *asked, "cifar10")[1], "cifar10 8 ResNet-20 0")
    status, _, err = run("evaluate", *asked, "--ood", archive)
    assert (status, err) == (0, "")  # no pass, no progress
    assert len(Store().entries()) == 2


def test_store_and_limit_are_those_of_the_arguments(run, store_root: Path, tmp_path: Path) -> None:
    asked = ("--model", "resnet20-cifar10", "--device", "cpu", "--quiet", "--store", tmp_path / "mine")
    assert run("extract", *asked, "--limit", 3, "--batch-size", 2, "mnist")[0] == 0
    assert [entry.rows for entry in Store(tmp_path / "mine").entries()] == [3]
    assert not store_root.exists()


def test_ctrl_c_leaves_a_store_that_the_next_call_goes_on_from(
    run, tmp_path: Path, store_root: Path, says: Says
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (60_000, 8, 8), dtype=np.uint8)
    np.savez(path := tmp_path / "many.npz", images=images)
    # A run in the background may have been started with the signal ignored, which its children inherit.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen([*COMMAND, str(path)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asked:
        signal.signal(signal.SIGINT, before)
        first = asked.stderr.readline()  # the pass is under way
        asked.send_signal(signal.SIGINT)
        out, err = asked.communicate(timeout=120)
    assert "many: " in first
    assert (asked.returncode, out) == (130, "")
    says(err.splitlines()[-1], "Stopped")
    assert "Traceback" not in err
    dataset, model = datasets.from_npz(path), models.load("resnet20-cifar10")
    kept = Store(store_root).entry(extraction.store_key(model, dataset)).rows
    assert 0 < kept < len(images)

    limit = kept + 50
    again = ("--model", "resnet20-cifar10", "--device", "cpu", path, "--limit", limit)
    status, out, err = run("extract", *again)
    assert status == 0, err
    name, new = out.split(":")[0], out.split(",")[-1]
    assert (name, numbers(out), numbers(new)) == ("many", [f"{limit:,}", "50"], ["50"])
    found = Store(store_root).entry(extraction.store_key(model, dataset)).read(limit)
    fresh = extraction.extract(model, dataset, limit=64, device="cpu")
    np.testing.assert_allclose(found.head(64).maximum, fresh.maximum, rtol=1e-5, atol=1e-5)
