"""How much room a study takes, said beforehand and kept."""

import pytest

from nap_core.extraction import plan
from nap_core.runs.disk_usage import Storage, storage
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run

STUDY = Study("resnet20-cifar10", "cifar10", ("textures", "mnist"), 30)


@pytest.mark.parametrize(("half_from", "half"), [(2**40, False), (0, True)])
def test_the_store_holds_what_was_said_before_the_run(store_root, monkeypatch, half_from, half) -> None:
    monkeypatch.setattr(plan, "HALF_FROM", half_from)
    store = Store(store_root)
    before = storage(STUDY, store)
    run(STUDY, store)
    assert before == storage(STUDY, store) == Storage(store.size_bytes(), half)


def test_a_bank_takes_no_room(store_root) -> None:
    study = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("mnist",), 10)
    per_image = 1280 * 12 + 1000 * 4 + 8
    assert 10 * per_image < storage(study, Store(store_root)).size < 10 * per_image + 3000


def test_half_precision_is_said() -> None:
    assert Storage(1_440_000_000, True).words() == "about 1.4 GB in the store, half precision"
    assert Storage(2_000_000, False).words() == "about 2.0 MB in the store"
