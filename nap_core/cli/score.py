"""``score``: predicted class, scores and verdicts of single images."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nap_core import extraction, methods
from nap_core.analysis import single_image
from nap_core.analysis.single_image import ImageVerdict
from nap_core.cli import choice, network, output
from nap_core.datasets.uploaded_images import read
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, Weight
from nap_core.models import LoadedModel

BATCH = 32
TOP = 5
SOME_BAD = 1


def run(args: argparse.Namespace) -> int:
    """Score the images that the arguments name; 1 when one of them could not be read."""
    choices, id_data, fit = network.asked(args, single_image.refusal)
    with network.opened(args) as passes:
        fit_images, choices = passes.fit_split(fit, choices)
        sources = {id_data.label: passes.open(id_data, single_image.KNOWN_IMAGES)}
        reference = passes.data(id_data.label, sources, fit_images, single_image.KNOWN_IMAGES)
        weights = choice.weights(choices, args)
        scores: dict[str, NDArray[np.float64]] = {}
        for one in choices:
            try:
                scores |= single_image.id_scores(reference, [one.spec], weights)
            except UserError as error:
                choice.refuse(one, error)
        bad = 0
        for line in _lines(args, reference, scores, weights):
            bad += "error" in line
            print(output.to_json(line, indent=None), flush=True)
    return SOME_BAD if bad else 0


def _lines(
    args: argparse.Namespace,
    reference: EvaluationData,
    id_scores: Mapping[str, NDArray[np.float64]],
    weights: Mapping[str, float],
) -> Iterator[dict[str, Any]]:
    """A line for each file, in their order."""
    context, model = reference.context, reference.context.network("A single image")
    origins = {spec: methods.weight(methods.parse(spec), context, weights.get(spec)) for spec in id_scores}
    for start in range(0, len(args.images), BATCH):
        batch = args.images[start : start + BATCH]
        views = [_view(file, model) for file in batch]
        readable = [view for view in views if not isinstance(view, UserError)]
        scored: Iterator[tuple[dict[str, ImageVerdict], NDArray[np.floating[Any]]]] = iter(())
        if readable:
            activations, _ = extraction.look(model, np.stack(readable), device=args.device)
            views = _answered(batch, views, activations.finite, model)
            activations = activations.take(np.flatnonzero(activations.finite))
            verdicts = single_image.place(ImageSet(activations), id_scores, context, weights)
            scored = zip(verdicts, activations.logits, strict=True)
        for file, view in zip(batch, views, strict=True):
            if isinstance(view, UserError):
                yield {"file": file, "error": str(view)}
                continue
            by_method, logits = next(scored)
            yield {
                "file": file,
                "prediction": _prediction(logits, model.classes),
                "id": reference.id_name,
                "scores": {spec: _verdict(one, origins[spec]) for spec, one in by_method.items()},
            }


def _view(file: str, model: LoadedModel) -> NDArray[np.uint8] | UserError:
    """The network's input made from a file, or why it is no picture that can be read."""
    path = Path(file)
    if path.is_dir():
        return UserError(f"“{file}” is a folder. Name the images in it one by one.")
    try:
        return model.transform.view(read(path.read_bytes(), path.name).image)
    except FileNotFoundError:
        return UserError(f"There is no file “{file}”. Check the path.")
    except OSError as error:
        return UserError(f"“{file}” cannot be opened ({error.strerror}). Check its permissions.")
    except UserError as error:
        return error


def _answered(
    files: list[str], views: list[NDArray[np.uint8] | UserError], finite: NDArray[np.bool_], model: LoadedModel
) -> list[NDArray[np.uint8] | UserError]:
    """``views`` with a UserError in place of each whose answer is not ``finite``, which has a value a readable view."""
    answered = iter(finite)
    return [
        view
        if isinstance(view, UserError) or next(answered)
        else UserError(f"{model.title} does not answer “{file}” with finite numbers, so it has no scores.")
        for file, view in zip(files, views, strict=True)
    ]


def _prediction(logits: NDArray[np.floating[Any]], classes: tuple[str, ...]) -> dict[str, Any]:
    """The most probable class, and the next ones."""
    powers = np.exp(logits.astype(np.float64) - logits.max())
    probabilities = powers / powers.sum()
    top = [
        {"index": int(index), "class": classes[index], "probability": float(probabilities[index])}
        for index in np.argsort(-probabilities, kind="stable")[:TOP]
    ]
    return {**top[0], "top5": top}


def _verdict(placed: ImageVerdict, weight: Weight | None) -> dict[str, Any]:
    origin = weight.origin if weight else ""
    names = ("threshold", "percentile", "p_value", "verdict")
    return {"score": placed.score, "w": placed.w, "w_origin": origin} | {name: getattr(placed, name) for name in names}
