#!/usr/bin/env python3
"""Make what Home shows before anything has run: assets/home, from the default study.

    python assets/build/build_home.py

Run it again when the default model's weights change; tests/figures/test_home.py says when that was forgotten.
"""

from __future__ import annotations

import sys

import repository  # noqa: F401 - puts nap_core on the import path

from nap_core import models
from nap_core.analysis import home_example
from nap_core.storage.activation_store import Store
from nap_core.studies.study import default_study, run


def main() -> None:
    study = default_study()
    chosen = home_example.choose(run(study, Store()))
    if chosen is None:
        sys.exit("No two images of the default study qualify (see nap_core.analysis.home_example.choose).")
    id_image, ood_image = (study.id_dataset, chosen.id_row), (chosen.ood_dataset, chosen.ood_row)
    made = home_example.make(models.load(study.model), chosen.channel, id_image, ood_image)
    home_example.save(made)
    for example in (made.id_image, made.ood_image):
        print(
            f"{example.title}, image {example.row} ({example.shows}): channel {made.channel}, "
            f"mean {example.mean:.3f}, maximum {example.maximum:.2f}, NAP {example.nap:.2f}"
        )


if __name__ == "__main__":
    main()
