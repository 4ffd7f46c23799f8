"""Whether an image has the same answer alone, in a pair, twice and in another order; if not, what is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from nap_core.errors import UserError
from nap_core.models.findings import Finding
from nap_core.models.introspection import REFUSED, in_short

TOLERANCE = 1e-3
"""The largest difference of two answers to an image, as a share of the largest logit."""
NAMED = 3
_CHANCE = "gives an image another answer each time"
_BATCH = "gives an image an answer that depends on the other images of its batch"


def switch_to_evaluation(network: nn.Module) -> list[Finding]:
    """Put every module into evaluation mode, also where a ``train`` of the network's own leaves some out."""
    network.eval()
    left = [name or "the network" for name, module in network.named_modules() if module.training]
    for module in network.modules():
        module.training = False
    if not left:
        return []
    were = "was" if len(left) == 1 else "were"
    sentence = f"{_some(left)} stayed in training mode after eval() and {were} switched to evaluation."
    return [Finding("repeatability", "note", sentence)]


def check(network: nn.Module, pixels: Tensor, title: str) -> list[Finding]:
    """Compare the answers to three images in batches of three, two and one.

    Args:
        network: the network, in evaluation mode.
        pixels: its input, (3, C, H, W).
        title: the network's title.

    Returns:
        A finding where random numbers are drawn without a difference that was seen, or where an answer is not finite.

    Raises:
        UserError: the answers differ; with the modules that cause it, and what to do.
    """
    with torch.random.fork_rng([]):
        state = torch.get_rng_state()
        whole = _answers(network, pixels, [0, 1, 2], title)
        drew = not torch.equal(state, torch.get_rng_state())
        scale = float(whole[whole.isfinite()].abs().max()) if whole.isfinite().any() else 1.0
        for rows in ([2, 0], [1]):
            if not _agree(whole[rows], _answers(network, pixels, rows, title), scale):
                by_chance = not _agree(whole, _answers(network, pixels, [0, 1, 2], title), scale)
                raise UserError(_cause(network, pixels, title, by_chance=by_chance))
    findings = []
    if drew:
        sentence = f"{title} draws random numbers in evaluation mode. No answer to the test images differed."
        findings.append(Finding("repeatability", "warning", sentence))
    bad = int((~whole.isfinite().all(1)).sum())
    if bad:
        sentence = (
            f"The answer to {bad} of {len(whole)} test images is not finite. Such images are left out of all numbers."
        )
        findings.append(Finding("output", "warning", sentence))
    return findings


def _answers(network: nn.Module, pixels: Tensor, rows: list[int], title: str) -> Tensor:
    """The logits (n, K) of some of the images."""
    try:
        with torch.no_grad():
            answers = network(pixels[rows])
    except REFUSED as error:
        raise UserError(
            f"{title} does not take {_count(rows)} at a time, and images are scored in batches of any size: "
            f"{in_short(error)}."
        ) from error
    if not isinstance(answers, Tensor) or answers.ndim != 2 or len(answers) != len(rows):
        raise UserError(
            f"{title} answers {_count(rows)} without a row of logits for each. A squeeze() without a dimension does "
            "that: write squeeze(1) or flatten(1) in its place."
        )
    return answers.float()


def _count(rows: list[int]) -> str:
    return f"{len(rows)} image{'s' if len(rows) > 1 else ''}"


def _agree(one: Tensor, other: Tensor, scale: float) -> bool:
    return torch.allclose(one, other, rtol=0, atol=TOLERANCE * max(scale, 1e-6), equal_nan=True)


def _cause(network: nn.Module, pixels: Tensor, title: str, *, by_chance: bool) -> str:
    """The sentence of the refusal."""
    named = network.named_modules()
    where = _where(network, pixels, by_chance=by_chance)
    if by_chance:
        dropouts = [name for name, module in named if isinstance(module, _DropoutNd)]
        known = f" The dropout modules {_some(dropouts)} are switched off." if dropouts else ""
        return (
            f"{title} {_CHANCE}. The first difference is {where}. Dropout that is on whatever the "
            f"mode does that: functional.dropout without training=self.training.{known} Pass training=self.training to "
            "it, or take it out."
        )
    norms = [name for name, module in named if isinstance(module, _BatchNorm) and module.running_mean is None]
    if norms:
        return (
            f"{title} {_BATCH}. {_some(norms)} {'has' if len(norms) == 1 else 'have'} no running "
            "statistics and normalise with those of the batch. Load the network with track_running_stats=True and the "
            "statistics of its training."
        )
    return (
        f"{title} {_BATCH}. The first difference is {where}. Make it use statistics of its "
        "training, or of the image alone."
    )


@dataclass
class _Seen:
    """The first image's input and output of a module's call."""

    name: str
    leaf: bool
    given: Tensor | None
    out: Tensor | None


def _where(network: nn.Module, pixels: Tensor, *, by_chance: bool) -> str:
    """The first place at which the first image's values differ between two passes."""
    runs = []
    for rows in ([0, 1, 2], [0, 1, 2] if by_chance else [0]):
        with torch.no_grad(), _recording(network) as seen:
            network(pixels[rows])
        runs.append(seen)
    before = ""
    for one, other in zip(*runs, strict=False):
        if one.name != other.name:
            break
        if one.given is not None and other.given is not None and not _same(one.given, other.given):
            return f"before the module “{one.name}”{f', after “{before}”' if before else ''}"
        if one.leaf and one.out is not None and other.out is not None and not _same(one.out, other.out):
            return f"in the module “{one.name}”"
        before = one.name if one.leaf else before
    return "in the network's own forward()"


def _same(one: Tensor, other: Tensor) -> bool:
    scale = float(one.abs().max()) if one.numel() else 0.0
    return one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=TOLERANCE * max(scale, 1e-6))


@contextmanager
def _recording(network: nn.Module) -> Iterator[list[_Seen]]:
    """While the context is open, every module's calls are recorded, in the order in which they end."""
    seen: list[_Seen] = []

    def first(value: Any) -> Tensor | None:
        fits = isinstance(value, Tensor) and value.ndim > 1 and value.is_floating_point()
        return value[0].clone() if fits else None

    with ExitStack() as hooks:
        for name, module in network.named_modules():
            if not name:
                continue
            given: list[Tensor | None] = []
            leaf = not list(module.children())

            def on_start(_module: nn.Module, inputs: tuple[Any, ...], given: list[Tensor | None] = given) -> None:
                given[:] = [first(inputs[0] if inputs else None)]  # in place modules write over it

            def on_end(
                _module: nn.Module,
                _inputs: object,
                output: Any,
                name: str = name,
                leaf: bool = leaf,
                given: list[Tensor | None] = given,
            ) -> None:
                seen.append(_Seen(name, leaf, given[0], first(output)))

            hooks.callback(module.register_forward_pre_hook(on_start).remove)
            hooks.callback(module.register_forward_hook(on_end).remove)
        yield seen


def _some(names: list[str]) -> str:
    """ "bn1, layer1.0.bn1, layer1.0.bn2 and 16 more"."""
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
