"""FPR95 and AUROC on random subsets of a study's images: how far the figures of a small study can be trusted."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from nap_core import methods, metrics
from nap_core.activations import Activations
from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores, method_scores
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ScoringContext
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

SIZES = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
DRAWS = 50
FIT_DRAWS = 3
SEED = 0
BAND = (0.05, 0.95)
EVERY = (0.0, 1.0)  # three draws have no narrower interval
COLUMNS = ["method", "ood", "images", "metric", "low", "median", "high"]

Scores = NDArray[np.float64]


def sizes_for(scores: MethodScores) -> tuple[int, ...]:
    """The numbers of images that leave at least half of every dataset out: larger subsets are too much alike.

    Args:
        scores: The scores of a method.

    Returns:
        Those of ``SIZES``, ascending; empty for very small datasets.
    """
    smallest = min(len(scores.id), *map(len, scores.ood.values()))
    return tuple(size for size in SIZES if size <= smallest // 2)


def by_images(
    scores: MethodScores, sizes: Sequence[int] | None = None, *, draws: int = DRAWS, seed: int = SEED
) -> pd.DataFrame:
    """FPR95 and AUROC of a method on ``draws`` random subsets of each size: columns ``COLUMNS``, shares.

    A subset has as many images of each dataset, none twice, the same for all methods. The average, where there are
    several OOD datasets, is taken in each draw.

    Args:
        scores: The scores of the method.
        sizes: The numbers of images; None takes those of ``sizes_for``.
        draws: How many subsets of each size.
        seed: The seed of the draws.

    Returns:
        One row a size, OOD dataset and metric; ``low`` and ``high`` bound the middle 90 % of the draws. The rows with
        the largest ``images`` are the whole study, with one value.

    Raises:
        ValueError: A dataset has fewer images than a size.
    """
    rows: list[dict[str, object]] = []
    for size in sizes_for(scores) if sizes is None else sizes:
        id_scores = scores.id[_drawn(len(scores.id), size, draws, (seed, size, 0))]
        by_dataset = {
            name: _both(id_scores, values[_drawn(len(values), size, draws, (seed, size, stream))])
            for stream, (name, values) in enumerate(scores.ood.items(), start=1)
        }
        rows += _rows(scores, size, by_dataset)
    whole = {name: _both(scores.id[None], values[None]) for name, values in scores.ood.items()}
    rows += _rows(scores, len(scores.id), whole)
    return pd.DataFrame(rows, columns=COLUMNS)


def _drawn(count: int, size: int, draws: int, seed: Sequence[int]) -> NDArray[np.int64]:
    """``draws`` subsets of ``size`` of ``count`` images: (draws, size) indices, none twice in a row."""
    if size > count:
        raise ValueError(f"{size} of {count} images cannot be drawn")
    every = np.tile(np.arange(count), (draws, 1))
    return np.random.default_rng(seed).permuted(every, axis=1)[:, :size]


def _both(id_scores: Scores, ood_scores: Scores) -> dict[str, Scores]:
    """FPR95 and AUROC of each row of (R, n) ID and (R, m) OOD scores: (R,) each."""
    count = id_scores.shape[1]
    needed = math.ceil(metrics.TPR * count - 1e-9)  # as metrics.threshold_at_tpr counts
    threshold = np.partition(id_scores, count - needed, axis=1)[:, count - needed]
    wins = mannwhitneyu(id_scores, ood_scores, axis=1, method="asymptotic").statistic
    return {
        "fpr95": np.mean(ood_scores >= threshold[:, None], axis=1),
        "auroc": np.asarray(wins / (count * ood_scores.shape[1])),
    }


def _rows(
    scores: MethodScores,
    size: int,
    by_dataset: Mapping[str, Mapping[str, Scores]],
    band: tuple[float, float] = BAND,
) -> list[dict[str, object]]:
    columns = dict(by_dataset)
    if len(by_dataset) > 1:
        columns[AVERAGE] = {
            metric: np.mean([one[metric] for one in by_dataset.values()], axis=0) for metric in ("fpr95", "auroc")
        }
    rows: list[dict[str, object]] = []
    for name, one in columns.items():
        for metric, values in one.items():
            low, median, high = np.quantile(values, [band[0], 0.5, band[1]])
            rows.append(dict(zip(COLUMNS, (scores.method, name, size, metric, low, median, high), strict=True)))
    return rows


def by_fit_images(
    data: EvaluationData,
    specs: Sequence[str],
    weights: Mapping[str, float] | None = None,
    *,
    draws: int = FIT_DRAWS,
    seed: int = SEED,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> dict[str, pd.DataFrame]:
    """FPR95 and AUROC when the fit split is smaller, by method: the columns of ``by_images``, ``images`` being those of
    the fit split.

    Sizes that lack images of a class that the method needs are left out.

    Args:
        data: The images and what methods may use besides them, the fit split among it.
        specs: The methods, by name.
        weights: Combination → its w, 0 to 1; the others take their published w.
        draws: How many subsets of each size: few, because a method is fitted again in each.
        seed: The seed of the draws.
        callbacks: Progress after every fit, and cancellation.

    Returns:
        Method → its table; ``low`` and ``high`` bound all draws. The largest size is the whole fit split.

    Raises:
        UserError: There is no fit split, or a method needs none or a pass of its own.
        ExtractionStopped: On request.
    """
    for spec in specs:
        method = methods.parse(spec)
        if not method.fits or method.own_pass:
            raise UserError(f"{method.title} does not estimate from the stored activations of a fit split.")
    whole = data.context.fit(methods.title(specs[0]), callbacks).activations
    sizes = [size for size in SIZES if size <= len(whole) // 2]
    done, tables = 0, {}
    started = time.perf_counter()
    for spec in specs:
        rows: list[dict[str, object]] = []
        last = method_scores(data, spec, w=(weights or {}).get(spec))
        for size in sizes:
            drawn = []
            for index in _drawn(len(whole), size, draws, (seed, size)):
                callbacks.raise_if_stopped()
                with suppress(UserError):  # a class is missing in so few images
                    drawn.append(_fitted(data, last, whole.take(np.sort(index))))
                done += 1
                speed = done / max(time.perf_counter() - started, 1e-9)
                callbacks.report(methods.title(spec), done, len(specs) * len(sizes) * draws, speed, "fits")
            if len(drawn) == draws:
                rows += _rows(drawn[0], size, _stacked(drawn), EVERY)
        rows += _rows(last, len(whole), _stacked([last]))
        tables[spec] = pd.DataFrame(rows, columns=COLUMNS)
    return tables


def _stacked(drawn: Sequence[MethodScores]) -> dict[str, dict[str, Scores]]:
    """Both metrics of each of R scorings by OOD dataset, (R,) each."""
    id_scores = np.stack([one.id for one in drawn])
    return {name: _both(id_scores, np.stack([one.ood[name] for one in drawn])) for name in drawn[0].ood}


def _fitted(data: EvaluationData, as_whole: MethodScores, few: Activations) -> MethodScores:
    """The scores of a method that estimates from ``few`` alone, a combination at the w that it has ``as_whole``."""
    context = ScoringContext(data.context.model, data.context.trained_on, fit_activations=few)
    return method_scores(EvaluationData(data.id_name, data.id, data.ood, context), as_whole.method, w=as_whole.w)
