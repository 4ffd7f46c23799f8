"""The records of the paper's tables and figures: complete, answerable, and at one with the catalogue."""

import subprocess
import sys
from pathlib import Path

import pytest

from nap_core import datasets, methods, models
from nap_core.errors import UserError
from nap_core.paper import ENTRIES, GROUPS, find, paper_study
from nap_core.paper.measuring import MEASURES
from nap_core.paper.spec import HEADINGS, PAPER_IMAGES

ROOT = Path(__file__).resolve().parents[2]


def test_every_table_and_figure_is_there() -> None:
    numbers = {entry.label.rstrip("abc") for entry in ENTRIES.values()}
    assert {f"Table {number}" for number in range(1, 14)} <= numbers
    assert {f"Figure {number}" for number in range(1, 12)} <= numbers
    assert {entry.group for entry in ENTRIES.values()} == set(GROUPS)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
def test_an_entry_can_be_run_or_says_where_it_is_shown(entry) -> None:
    assert entry.measured == (entry.kind in MEASURES)
    assert bool(entry.rows) == entry.measured
    names = {row.printed for row in entry.rows}
    for row in entry.rows:
        assert entry.kind in ("layers", "oracle", "cost") or methods.parse(row.spec).spec == row.spec
        assert set(row.beats) <= names
    for link in entry.links:
        assert (ROOT / "pages" / f"{link.page}.py").is_file()
        assert all(methods.parse(spec) for spec in link.methods)
    assert entry.measured or entry.links


def test_the_papers_datasets_and_networks_are_in_the_catalogue() -> None:
    assert set(HEADINGS.values()) == set(PAPER_IMAGES)
    for name, heading in HEADINGS.items():
        size = datasets.find(name).size
        assert size == PAPER_IMAGES[heading] or heading == "Places365"
    for network in {one.network for entry in ENTRIES.values() for one in entry.settings if one.network.model}:
        assert models.find(network.model).architecture == network.architecture


@pytest.mark.parametrize(
    ("text", "name"), [("9", "table-9"), ("Table 9", "table-9"), ("fig 6", "figure-6"), ("figure-4c", "figure-4b")]
)
def test_an_entry_is_found_however_it_is_written(text: str, name: str) -> None:
    assert find(text).name == name


def test_what_is_not_in_the_paper_is_told() -> None:
    with pytest.raises(UserError, match="table-9"):
        find("table-99")


def test_the_setting_beside_is_of_what_the_network_knows_and_of_its_kind() -> None:
    table = ENTRIES["table-8"]
    assert table.setting_for("ImageNet-1k", "resnet50", False).network.title == "ResNet-50"
    assert table.setting_for("ImageNet-1k", "efficientnet_lite0", False).network.title == "VGG16"
    assert table.setting_for("ImageNet-1k", "vit_b_16", True) is None
    assert table.setting_for("CIFAR-10", "resnet20", False) is None


def test_the_papers_own_data_say_where_they_belong(library: Path) -> None:
    needs = paper_study.needs(ENTRIES["table-9"].settings[0])
    assert needs[0].name == ""
    assert "github.com/deeplearning-wisc/dice" in needs[0].how
    assert [one.name for one in needs[1:]][:2] == ["cifar10-test", "svhn-test"]
    assert not any(one.here for one in needs)
    assert all(str(library) in one.how for one in needs[1:])
    by_hand = paper_study.needs(ENTRIES["table-3"].settings[0])[1]
    assert by_hand.name == "imagenet-val"
    assert "registered people" in by_hand.how


def test_the_papers_study_can_be_opened_where_its_network_is() -> None:
    assert paper_study.study_of(ENTRIES["table-9"].settings[0]) is None
    study = paper_study.study_of(ENTRIES["table-3"].settings[0])
    assert study.model == "torchvision:mobilenet_v2:IMAGENET1K_V1"
    assert set(study.ood_datasets) == {"inaturalist", "sun", "places", "dtd"}


def test_the_records_do_not_wait_for_torch() -> None:
    asked = "import sys, nap_core.paper; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT).returncode == 0
