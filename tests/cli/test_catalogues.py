"""``models``, ``datasets``, ``methods``: all that is known as JSON, a table for people; help without torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nap_core import datasets, methods, models
from nap_core.models import architectures
from nap_core.studies import benchmarks

CATALOGUES = {
    "models": models.RECORDS,
    "datasets": {name: datasets.find(name) for name in (*datasets.RECORDS, *datasets.published.names())},
    "benchmarks": benchmarks.RECORDS,
    "methods": methods.RECORDS,
}


@pytest.mark.parametrize("name", CATALOGUES)
def test_json_holds_every_record(run, name: str) -> None:
    status, out, err = run(name, "--json")
    assert (status, err) == (0, "")
    found = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert [record["name"] for record in found] == list(CATALOGUES[name])
    assert [record["title"] for record in found] == [record.title for record in CATALOGUES[name].values()]


@pytest.mark.parametrize("name", CATALOGUES)
def test_table_has_a_line_for_every_record(run, name: str) -> None:
    status, out, _ = run(name)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[1 : 1 + len(CATALOGUES[name])]] == list(CATALOGUES[name])


def test_models_name_the_architectures_that_take_weights(run) -> None:
    assert all(name in run("models")[1] for name in architectures.names())


def test_methods_tell_parameters_and_their_sources(run) -> None:
    found = {record["name"]: record for record in json.loads(run("methods", "--json")[1])}
    (percentile,) = found["ash-s"]["parameters"]
    record = methods.RECORDS["ash-s"].parameters[0]
    assert percentile["default"] == record.default
    assert percentile["by_benchmark"] == dict(record.by_benchmark)
    assert percentile["source"] == record.source
    assert (percentile["low"], percentile["high"]) == (record.low, record.high)
    assert found["energy"]["published_w"] == dict(methods.RECORDS["energy"].published_w)
    assert found["knn"]["needs"] == ["fit split"]


@pytest.mark.parametrize("command", ["", *CATALOGUES, "layers", "evaluate", "score", "extract"])
def test_help_says_what_it_does_with_examples(run, command: str) -> None:
    status, out, _ = run(*command.split(), "--help")
    assert status == 0
    assert f"examples:\n  python -m nap_core {command}" in out


def test_help_does_not_wait_for_torch() -> None:
    program = (
        "import sys, nap_core.cli\n"
        "try: nap_core.cli.main(['evaluate', '--help'])\n"
        "except SystemExit: pass\n"
        "slow = {'torch', 'torchvision', 'pytorch_ood', 'pandas', 'sklearn', 'scipy', 'streamlit', 'plotly'}\n"
        "sys.exit(' '.join(slow & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_module_runs_and_answers_a_closed_pipe_in_silence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nap_core", "datasets", "--json"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    with subprocess.Popen(
        [sys.executable, "-m", "nap_core", "datasets", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as asked:
        asked.stdout.close()
        assert asked.stderr.read() == b""
        assert asked.wait() == 0


def test_an_unknown_sign_does_not_end_a_table() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nap_core", "methods"],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_models_lists_the_users_own_and_says_which_cannot_be_used(run, tmp_path: Path, models_folder: Path) -> None:
    torch.manual_seed(0)
    torch.save(models.ARCHITECTURES["resnet20"].build(3).state_dict(), weights := tmp_path / "birds.pth")
    birds, damaged = models.add(weights, "resnet20", "Birds"), models.add(weights, "resnet20", "Gone")
    (models_folder / damaged.removeprefix("own:") / "model.json").write_text("{")
    status, out, err = run("models")
    assert status == 0
    assert any(line.split()[0] == birds for line in out.splitlines() if line)
    assert damaged not in out and f"“{damaged}” is damaged" in err
    assert run("layers", "--model", birds)[0] == 0
