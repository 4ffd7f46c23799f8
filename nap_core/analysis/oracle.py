"""The results of a classifier trained on maxima and means with OOD labels: the "Oracle" of the NAP paper, section 6.1.

No method may use OOD labels; this one does, to measure what is in these features. If its scores correlate with
S_NAP, the formula is a good summary of them (Figure 4a).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from nap_core import methods, metrics
from nap_core.errors import Hint, UserError
from nap_core.methods import EvaluationData
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

LIMIT = 2000
"""ID images, and as many OOD images, that are split into a training and a held-out part."""
LEAST = 20
"""Images of either kind, and of each OOD dataset 2, without which there is no split to speak of."""
HELD_OUT = 0.5
EPOCHS, BATCH, HIDDEN, PENALTY = 20, 32, (64,), 1.0
"""Passes over the training half, images a step, hidden neurons, and the weight of the weights' squares. The paper
leaves them open; on its CIFAR-10 network 10 to 40 passes, 32 or 200 images and a weight of 0.0001 to 10 move the
correlation by 0.03."""


@dataclass(frozen=True)
class Oracle:
    """The oracle's scores of T held-out images that it was not trained on, beside S_NAP (NAP paper, Figure 4a).

    Attributes:
        scores: The oracle's log-odds of ID, (T,).
        nap: S_NAP, (T,).
        is_id: Whether an image is ID, (T,).
        dataset: Catalogue name of the image's dataset, (T,).
        trained: The number of training images.
        correlation: Spearman's correlation of the two scores over all held-out images.
        pearson: Pearson's correlation of them.
        within: Spearman's among the ID and among the OOD images alone, which no difference between the two can lend.
        auroc: The oracle's AUROC on the held-out images, a share.
        nap_auroc: NAP's AUROC on them, a share.
    """

    scores: NDArray[np.float64]
    nap: NDArray[np.float64]
    is_id: NDArray[np.bool_]
    dataset: NDArray[np.str_]
    trained: int
    correlation: float
    pearson: float
    within: tuple[float, float]
    auroc: float
    nap_auroc: float


def oracle(
    data: EvaluationData, *, seed: int = 0, limit: int = LIMIT, callbacks: RunCallbacks = NO_CALLBACKS
) -> Oracle:
    """Train an MLP on the maximum and mean of every channel, ID against OOD, and predict images held out.

    Half of every dataset is held out. Features are standardised with the training half alone.

    Args:
        data: The ID and OOD images.
        seed: The seed of the split and of the network's first weights.
        limit: The most ID images, with as many OOD images, these evenly from the OOD datasets: the first of each.
        callbacks: Progress in epochs, and cancellation.

    Returns:
        The log-odds of the T held-out images beside S_NAP, (T,) each.

    Raises:
        UserError: There are too few images.
        ExtractionStopped: On request.
    """
    counts = _balanced(data, limit)
    parts = [data.of(name).head(count) for name, count in counts.items()]
    features = np.concatenate([np.hstack([part.maximum, part.mean]).astype(np.float64) for part in parts])
    dataset = np.repeat(list(counts), list(counts.values()))
    scores = np.concatenate([methods.score("nap", part, data.context) for part in parts])
    rows = np.arange(len(dataset))
    training, held = train_test_split(rows, test_size=HELD_OUT, stratify=dataset, random_state=seed)
    is_id = dataset == data.id_name
    learnt = _log_odds(features[training], is_id[training], features[held], seed, callbacks)
    truth, ours = is_id[held], scores[held]
    return Oracle(
        scores=learnt,
        nap=ours,
        is_id=truth,
        dataset=dataset[held],
        trained=len(training),
        correlation=_rank_correlation(learnt, ours),
        pearson=float(np.corrcoef(learnt, ours)[0, 1]) if np.ptp(ours) > 0 else float("nan"),
        within=(_rank_correlation(learnt[truth], ours[truth]), _rank_correlation(learnt[~truth], ours[~truth])),
        auroc=metrics.auroc(learnt[truth], learnt[~truth]),
        nap_auroc=metrics.auroc(ours[truth], ours[~truth]),
    )


def planned(data: EvaluationData, limit: int = LIMIT) -> int:
    """How many images the oracle takes.

    Args:
        data: The ID and OOD images.
        limit: The most ID images, with as many OOD images.

    Returns:
        The number of images, ID and OOD together.

    Raises:
        UserError: There are too few images.
    """
    return sum(_balanced(data, limit).values())


def _balanced(data: EvaluationData, limit: int) -> dict[str, int]:
    """How many images of each dataset, the ID dataset first: as many ID as OOD images, or nearly so, the OOD datasets
    sharing evenly; a small one leaves its share to the others."""
    sizes = {name: len(part.activations) for name, part in data.ood.items()}
    wanted = min(limit, len(data.id.activations), sum(sizes.values()))
    shares, left = dict.fromkeys(sizes, 0), wanted
    for position, name in enumerate(sorted(sizes, key=sizes.__getitem__)):
        shares[name] = min(sizes[name], left // (len(sizes) - position))
        left -= shares[name]
    if wanted < LEAST or min(shares.values()) < 2:
        raise UserError(
            f"The oracle is trained on one half of the images and asked about the other: it takes {LEAST} ID and "
            f"{LEAST} OOD images at least, two of each dataset.",
            Hint.MORE_IMAGES,
        )
    return {data.id_name: wanted, **shares}


def _log_odds(
    features: NDArray[np.float64],
    is_id: NDArray[np.bool_],
    held: NDArray[np.float64],
    seed: int,
    callbacks: RunCallbacks,
) -> NDArray[np.float64]:
    """The log-odds of ID of the ``held`` images, (T,), by an MLP trained on ``features``."""
    scaler = StandardScaler().fit(features)
    network = MLPClassifier(HIDDEN, alpha=PENALTY, batch_size=min(BATCH, len(features)), random_state=seed)
    inputs, started = scaler.transform(features), time.monotonic()
    for epoch in range(1, EPOCHS + 1):
        callbacks.raise_if_stopped()
        network.partial_fit(inputs, is_id, classes=[False, True])
        callbacks.report("Oracle", epoch, EPOCHS, epoch / max(time.monotonic() - started, 1e-9), "epochs")
    # Not of the probabilities: these round to 0 and 1 where the oracle is sure, and ties have no order.
    hidden = np.maximum(scaler.transform(held) @ network.coefs_[0] + network.intercepts_[0], 0)
    odds: NDArray[np.float64] = (hidden @ network.coefs_[1] + network.intercepts_[1])[:, 0]
    return odds


def _rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Spearman's; NaN where one of the two does not vary."""
    varied = np.ptp(first) > 0 and np.ptp(second) > 0
    return float(spearmanr(first, second).statistic) if varied else float("nan")
