"""The two images at the top of Home: one ID, one OOD, with the same channel mean and different maxima.

They lie in assets/home, so that they are on the screen before anything has run; assets/build/build_home.py makes them.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core import datasets, extraction, methods
from nap_core.activations import Activations
from nap_core.analysis.channels.ranking import same_mean_pair
from nap_core.errors import UserError
from nap_core.methods import EvaluationData
from nap_core.metrics import threshold_at_tpr
from nap_core.models import LoadedModel
from nap_core.nap import nap_score
from nap_core.storage.bundled_assets import ASSETS

SIDES = {"known": "id_image", "met": "ood_image"}  # key in showcase.json and file name → field of HomeExample
FOLDER = ASSETS / "home"
MOST_ACTIVE = 3
CONFIDENCE = 0.99  # images that the network is sure of are those that a person recognises, too
TOLERANCE = 0.02  # stricter than the search's default: the two means are read side by side


@dataclass(frozen=True, eq=False)
class Example:
    """One image of the pair.

    Attributes:
        dataset: Catalogue name of the dataset that it comes from.
        row: Its index in the dataset.
        shows: The name of its class; empty where it has none.
        view: The network's input before normalisation, (H, W, 3) uint8, a square.
        channel_map: The map of the channel shown, (h, w).
        nap: The image's NAP score.
    """

    dataset: str
    row: int
    shows: str
    view: NDArray[np.uint8]
    channel_map: NDArray[np.float64]
    nap: float

    @property
    def maximum(self) -> float:
        return float(self.channel_map.max())

    @property
    def mean(self) -> float:
        return float(self.channel_map.mean())

    @property
    def title(self) -> str:
        """The title of the dataset that the image comes from."""
        return datasets.title(self.dataset)


@dataclass(frozen=True, eq=False)
class HomeExample:
    """The pair, and what its maps were computed with.

    Attributes:
        model: Catalogue name of the model.
        weights_sha256: The digest of its weights.
        channel: The channel whose maps are shown.
        id_image: The ID image.
        ood_image: The OOD image.
    """

    model: str
    weights_sha256: str
    channel: int
    id_image: Example
    ood_image: Example


@dataclass(frozen=True)
class Choice:
    """A channel and a pair of images.

    Attributes:
        channel: The channel.
        id_row: The index of the ID image in its dataset.
        ood_dataset: Catalogue name of the OOD dataset.
        ood_row: The index of the OOD image in it.
    """

    channel: int
    id_row: int
    ood_dataset: str
    ood_row: int


def choose(data: EvaluationData) -> Choice | None:
    """The pair to show.

    In both images the channel is among the ``MOST_ACTIVE`` with the largest means, and these means agree to within
    ``TOLERANCE``. The ID image is classified rightly, with a probability of at least ``CONFIDENCE``, and has at least
    the median NAP score; the OOD image's lies below the threshold that 95 % of ID images reach, and it shows something:
    it is not noise. Of all such pairs, the one whose maxima have the largest quotient.

    Args:
        data: The images of a study, the ID images with labels.

    Returns:
        The pair and its channel; None when no two images qualify.
    """
    id_activations = data.id.activations
    scores = nap_score(id_activations)
    threshold = threshold_at_tpr(scores)
    right = (id_activations.predictions == id_activations.labels) & (methods.score("msp", data.id) >= CONFIDENCE)
    right &= scores >= np.median(scores)
    best, best_quotient = None, 1.0
    for name in data.ood:
        if datasets.find(name).kind == "noise":
            continue
        ood_activations = data.of(name)
        missed = nap_score(ood_activations) < threshold
        for channel in range(id_activations.channels):
            id_rows = np.flatnonzero(right & _active(id_activations, channel))
            ood_rows = np.flatnonzero(missed & _active(ood_activations, channel))
            taken = _logarithmic(id_activations.take(id_rows)), _logarithmic(ood_activations.take(ood_rows))
            pair = same_mean_pair(*taken, channel, tolerance=TOLERANCE)
            if pair and math.exp(pair.difference) > best_quotient:
                best_quotient = math.exp(pair.difference)
                best = Choice(channel, int(id_rows[pair.id_row]), name, int(ood_rows[pair.ood_row]))
    return best


def _active(activations: Activations, channel: int) -> NDArray[np.bool_]:
    """Whether a channel is among the most active ones of each image, (N,)."""
    return (activations.mean > activations.mean[:, [channel]]).sum(axis=1) < MOST_ACTIVE


def _logarithmic(activations: Activations) -> Activations:
    """The same with log-maxima: their differences are logarithms of quotients. An inactive channel has 1e-6."""
    return replace(activations, maximum=np.log(np.maximum(activations.maximum, 1e-6)))


def make(model: LoadedModel, channel: int, id_image: tuple[str, int], ood_image: tuple[str, int]) -> HomeExample:
    """The example of two images, with the maps that a model computes.

    Args:
        model: The loaded model.
        channel: The channel shown.
        id_image: The ID image: catalogue name of its dataset, and its index.
        ood_image: The OOD image, likewise.

    Returns:
        The pair with views, maps and NAP scores.
    """
    return HomeExample(
        model.name, model.weights_sha256, channel, *(_answer(model, channel, *one) for one in (id_image, ood_image))
    )


def _answer(model: LoadedModel, channel: int, name: str, row: int) -> Example:
    dataset = datasets.load(name)
    image, label = dataset.image(row), int(dataset.labels[row])
    maps = extraction.maps(model, [image], device="cpu")
    mean = maps.mean(axis=(2, 3))
    logits = model.logits_of(mean)
    activations = Activations(maps.max(axis=(2, 3)), mean, maps.var(axis=(2, 3)), logits, np.array([label]))
    return Example(
        name,
        row,
        dataset.classes[label] if label >= 0 else "",
        model.transform.view(image),
        maps[0, channel].astype(np.float64),
        float(nap_score(activations)[0]),
    )


def save(showcase: HomeExample, folder: Path = FOLDER) -> None:
    """Write an example as known.png, met.png and showcase.json.

    Args:
        showcase: The pair.
        folder: The folder, which is created where it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {name: getattr(showcase, name) for name in ("model", "weights_sha256", "channel")}
    for side, field in SIDES.items():
        example: Example = getattr(showcase, field)
        Image.fromarray(example.view).save(folder / f"{side}.png", optimize=True)
        about[side] = {name: getattr(example, name) for name in ("dataset", "row", "shows")}
        about[side] |= {"nap": round(example.nap, 6), "map": example.channel_map.round(4).tolist()}
    (folder / "showcase.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


@lru_cache(maxsize=1)
def load(folder: Path = FOLDER) -> HomeExample:
    """Read the example that ``save`` wrote.

    Args:
        folder: The folder with its three files.

    Returns:
        The pair.

    Raises:
        UserError: A file is missing or damaged.
    """
    try:
        about = json.loads((folder / "showcase.json").read_text(encoding="utf-8"))
        examples = [
            Example(
                about[side]["dataset"],
                int(about[side]["row"]),
                about[side]["shows"],
                np.asarray(Image.open(folder / f"{side}.png").convert("RGB")),
                np.asarray(about[side]["map"], dtype=np.float64),
                float(about[side]["nap"]),
            )
            for side in SIDES
        ]
        return HomeExample(about["model"], about["weights_sha256"], int(about["channel"]), *examples)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("The two images of this page cannot be read. Get the folder assets/home again.") from error
