"""The 15 corruptions of ImageNet-C and CIFAR-10-C at severities 1 to 5.

Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019.
The parameters are those of the published datasets (github.com/hendrycks/robustness, ImageNet-C/create_c), one list for
224 × 224 pixels and one for 32 × 32. A new corruption is a function and a record in ``catalogue/``. docs/corruptions.md
describes the differences from the originals and the speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nap_core.corruptions.catalogue import RECORDS
from nap_core.corruptions.spec import PAPER, REVISION, SEED, SEVERITIES, CorruptionRecord, Scale

if TYPE_CHECKING:
    from nap_core.corruptions.corrupting import corrupt, corrupt_batch, strip

__all__ = [
    "PAPER",
    "RECORDS",
    "REVISION",
    "SEED",
    "SEVERITIES",
    "CorruptionRecord",
    "Scale",
    "corrupt",
    "corrupt_batch",
    "strip",
]


def __getattr__(name: str) -> Any:
    # The catalogue loads without torch; the functions import it when they are used first.
    if name not in ("corrupt", "corrupt_batch", "strip"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nap_core.corruptions import corrupting

    return getattr(corrupting, name)
