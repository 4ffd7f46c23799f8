"""Studies: a model, an ID dataset and OOD datasets; published benchmarks; which OOD datasets are near and which far."""

from nap_core.studies.study import (
    DEFAULT_MODEL,
    MAX_IMAGES,
    OPTIONAL,
    SEARCHED,
    Study,
    context,
    default_study,
    extraction_plan,
    missing_downloads,
    missing_images,
    needed_datasets,
    prepare,
    prepared,
    run,
)

__all__ = [
    "DEFAULT_MODEL",
    "MAX_IMAGES",
    "OPTIONAL",
    "SEARCHED",
    "Study",
    "context",
    "default_study",
    "extraction_plan",
    "missing_downloads",
    "missing_images",
    "needed_datasets",
    "prepare",
    "prepared",
    "run",
]
