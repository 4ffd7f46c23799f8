"""What the channels of a network are: maps of a CNN or heads of a Transformer; their names, what NAP makes of one.

Pages and figures take their words and numbers from here, so that all of them use the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from nap_core import nap
from nap_core.activations import Activations, FloatArray
from nap_core.analysis.channels.ranking import ranking
from nap_core.nap import MEAN

if TYPE_CHECKING:
    from nap_core.models import LoadedModel

Columns = slice | Sequence[int]


class Ratios(Protocol):
    """Activations → the value that separates ID from OOD in each channel, (N, C), or in those that are named."""

    def __call__(self, activations: Activations, channels: Columns = slice(None), /) -> FloatArray: ...


@dataclass(frozen=True)
class ChannelKind:
    """What the channels of a network are, and what NAP computes of one.

    Attributes:
        one: The word for one channel: "channel", "head".
        many: The word for several.
        value: What a neuron of the map holds: "activation", "attention".
        ratio: The formula of the value that separates ID from OOD in one channel.
        term: The formula of what a channel adds to NAP.
        ratios: Activations → the values of ``ratio``, (N, C).
        terms: Activations → the values of ``term``, (N, C).
        orders: The keys of ``ranking.ORDERS`` that there are without a linear head.
    """

    one: str
    many: str
    value: str
    ratio: str
    term: str
    ratios: Ratios
    terms: Callable[[Activations], NDArray[np.float64]]
    orders: tuple[str, ...]

    @property
    def of_heads(self) -> bool:
        """Whether these are a Transformer's: channel 0 is then the mean over the heads, channel j the j-th head."""
        return self.one == "head"

    def name(self, channel: int) -> str:
        """The name of a channel.

        Args:
            channel: Its number.

        Returns:
            "channel 17"; of a Transformer "mean over heads" or "head 3".
        """
        return "mean over heads" if self.of_heads and channel == MEAN else f"{self.one} {channel}"

    def short(self, channel: int) -> str:
        """The name of a channel where there is little room.

        Args:
            channel: Its number.

        Returns:
            "channel 17", "head 3" or "all heads".
        """
        return "all heads" if self.of_heads and channel == MEAN else self.name(channel)

    def within(self, channel: int) -> str:
        """The name of a channel with its preposition.

        Args:
            channel: Its number.

        Returns:
            "in channel 17", "in the mean over heads".
        """
        return f"in the {self.name(channel)}" if self.of_heads and channel == MEAN else f"in {self.name(channel)}"

    def ranked(self, values: FloatArray) -> NDArray[np.int64]:
        """The channels from the largest value to the smallest, the mean over the heads before all of them.

        Args:
            values: One value a channel, (C,).

        Returns:
            Channel numbers, (C,).
        """
        order = ranking(values)
        return np.concatenate([[MEAN], order[order != MEAN]]) if self.of_heads else order


def _ratios(activations: Activations, channels: Columns = slice(None)) -> FloatArray:
    return activations.ratio(nap.EPSILON, channels)


def _maxima(activations: Activations, channels: Columns = slice(None)) -> NDArray[np.float64]:
    maxima: NDArray[np.float64] = activations.maximum[:, channels].astype(np.float64)
    return maxima


MAPS = ChannelKind(
    one="channel",
    many="channels",
    value="activation",
    ratio="max / (mean + 1)",
    term="(max / (mean + 1))²",
    ratios=_ratios,
    terms=nap.channel_terms,
    orders=("ratio", "maximum", "mean"),
)
HEADS = ChannelKind(
    one="head",
    many="heads",
    value="attention",
    ratio="max(A)",
    term="max(A)",
    ratios=_maxima,
    terms=_maxima,
    orders=("maximum", "mean"),
)


def kind_of(model: LoadedModel) -> ChannelKind:
    """What the channels of a model are.

    Args:
        model: The loaded model.

    Returns:
        ``HEADS`` for a Transformer, else ``MAPS``.
    """
    return HEADS if model.reads_attention else MAPS


def orders_of(model: LoadedModel) -> tuple[str, ...]:
    """What the channels of a model can be ordered by, the usual order first.

    The contribution to a logit is one of them only where the logits are linear in the channels' means.

    Args:
        model: The loaded model.

    Returns:
        Keys of ``ranking.ORDERS``.
    """
    return ("contribution", "maximum", "mean", "ratio") if model.logits_from_means else kind_of(model).orders


def how_read(model: LoadedModel) -> str:
    """Which of a Transformer's attentions NAP is.

    Args:
        model: The loaded model.

    Returns:
        One sentence; empty for a CNN.
    """
    if not model.reads_attention:
        return ""
    return (
        f"{model.title} is a Transformer: NAP is the highest attention of the class token in the last block, of the "
        f"mean over its {model.heads} heads; with the method’s parameter “head” it is that of one head."
    )
