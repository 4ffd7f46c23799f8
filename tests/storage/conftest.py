import os

import pytest

pytest.register_assert_rewrite("tests.store.truth")


@pytest.fixture(scope="module", autouse=True)
def _no_sync():
    """Tests of syncing patch it themselves."""
    from tests.storage.truth import no_sync

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", no_sync)
        yield
