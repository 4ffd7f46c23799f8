"""``score``: predicted class, scores and verdicts of single images."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nap_core import extraction, methods
from nap_core.analysis import single_image
from nap_core.analysis.single_image import ImageVerdict
from nap_core.cli import choice, data, network, output
from nap_core.cli.network import Passes, memory_in_words
from nap_core.cli.progress import Meter
from nap_core.datasets.uploaded_images import read
from nap_core.errors import UserError
from nap_core.extraction import choose_device
from nap_core.methods import EvaluationData, ImageSet, ScoringContext, Weight
from nap_core.models import LoadedModel

BATCH = 32
TOP = 5
SOME_BAD = 1


@dataclass(frozen=True, eq=False)
class _Reference:
    """The ID images' scores by method, the scoring context, and the weights of combinations."""

    name: str
    scores: dict[str, NDArray[np.float64]]
    context: ScoringContext
    weights: dict[str, float]


def run(args: argparse.Namespace) -> int:
    """Score the images that the arguments name; 1 when one of them could not be read."""
    record = network.record_of(args)
    choices = choice.keep(choice.read(args.methods), single_image.refusal)
    id_name, fit = args.id or (record and record.id_dataset), args.fit or (record and record.fit_dataset)
    if not id_name:
        raise UserError("Images to compare with are missing: name ID images with --id DATA.")
    if not fit:
        trained_on = args.trained_on or (record.trained_on if record else "")
        choices = choice.keep(choices, choice.refusals_on(ScoringContext(trained_on=trained_on)))
    id_data, fit_data = data.read(id_name), data.read(fit) if fit else None
    choose_device(args.device)
    with Meter(args.quiet) as meter, memory_in_words():
        passes = Passes(network.load(args, meter), args, meter)
        reference = _reference(passes, id_data, fit_data, choices)
        meter.clear()
        bad = 0
        for line in _lines(args, passes.network.model, reference):
            bad += "error" in line
            print(output.to_json(line, indent=None), flush=True)
    return SOME_BAD if bad else 0


def _reference(
    passes: Passes, id_data: data.Data, fit_data: data.Data | None, choices: Sequence[choice.Choice]
) -> _Reference:
    args, model = passes.args, passes.network.model
    opened = passes.open(fit_data) if fit_data and any(one.method.fits for one in choices) else None
    fit = opened.labelled_images if opened else None
    known_fit = ScoringContext(model, passes.network.trained_on, fit, fit_limit=args.fit_limit)
    choices = choice.keep(choices, choice.refusals_on(known_fit))
    id_images = ImageSet(passes.open(id_data).activations(single_image.KNOWN_IMAGES))
    activations = opened.activations(args.fit_limit) if opened else None
    context = ScoringContext(model, passes.network.trained_on, fit, activations, args.fit_limit, device=args.device)
    reference = EvaluationData(id_data.label, id_images, {}, context)
    weights = choice.weights(choices, args)
    scores: dict[str, NDArray[np.float64]] = {}
    for one in choices:
        try:
            scores |= single_image.id_scores(reference, [one.spec], weights)
        except UserError as error:
            choice.refuse(one, error)
    return _Reference(id_data.label, scores, context, weights)


def _lines(args: argparse.Namespace, model: LoadedModel, reference: _Reference) -> Iterator[dict[str, Any]]:
    """A line for each file, in their order."""
    for start in range(0, len(args.images), BATCH):
        batch = args.images[start : start + BATCH]
        views: dict[int, NDArray[np.uint8]] = {}
        errors: dict[int, str] = {}
        for place, file in enumerate(batch):
            try:
                views[place] = _view(file, model)
            except UserError as error:
                errors[place] = str(error)
        if views:
            activations, _ = extraction.look(model, np.stack(list(views.values())), device=args.device)
            placed = dict(
                zip(
                    views,
                    single_image.place(ImageSet(activations), reference.scores, reference.context, reference.weights),
                    strict=True,
                )
            )
            logits = dict(zip(views, activations.logits, strict=True))
        for place, file in enumerate(batch):
            if place in errors:
                yield {"file": file, "error": errors[place]}
                continue
            yield {
                "file": file,
                "prediction": _prediction(logits[place], model.classes),
                "id": reference.name,
                "scores": {spec: _verdict(one, _weight(spec, reference)) for spec, one in placed[place].items()},
            }


def _view(file: str, model: LoadedModel) -> NDArray[np.uint8]:
    """The network's input made from a file. Raises UserError for what is no picture that can be read."""
    path = Path(file)
    if path.is_dir():
        raise UserError(f"“{file}” is a folder. Name the images in it one by one.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"There is no file “{file}”. Check the path.") from None
    except OSError as error:
        raise UserError(f"“{file}” cannot be opened ({error.strerror}). Check its permissions.") from error
    return model.transform.view(read(content, path.name).image)


def _prediction(logits: NDArray[np.floating[Any]], classes: tuple[str, ...]) -> dict[str, Any]:
    """The most probable class, and the next ones."""
    powers = np.exp(logits.astype(np.float64) - logits.max())
    probabilities = powers / powers.sum()
    top = [
        {"index": int(index), "class": classes[index], "probability": float(probabilities[index])}
        for index in np.argsort(-probabilities, kind="stable")[:TOP]
    ]
    return {**top[0], "top5": top}


def _weight(spec: str, reference: _Reference) -> Weight | None:
    return methods.weight(methods.parse(spec), reference.context, reference.weights.get(spec))


def _verdict(placed: ImageVerdict, weight: Weight | None) -> dict[str, Any]:
    return {
        "score": placed.score,
        "w": placed.w,
        "w_origin": weight.origin if weight else "",
        "threshold": placed.threshold,
        "percentile": placed.percentile,
        "p_value": placed.p_value,
        "verdict": placed.verdict,
    }
