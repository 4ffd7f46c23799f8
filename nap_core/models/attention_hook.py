"""A hook that reads the attention of a Transformer's class token in the last block.

NAP for Transformers reads these attentions in place of a CNN's penultimate feature map ("Out-of-Distribution Detection
using Neural Activation Prior", Appendix K).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nap_core.errors import UserError


@dataclass(frozen=True)
class AttentionHook:
    """The attention of the class token over the patches as a map (B, 1 + heads, h, w): the mean over heads, each head.

    ``module`` is the dotted name of the last block's attention module, torchvision's or timm's. Weights are the softmax
    over all tokens; a map therefore sums to 1 minus the weight of the class token and other non-patch tokens (timm's
    registers). They are recomputed from the module's input for the class token's query only, so that the module's own
    output is unchanged to the last bit.
    """

    module: str

    def __str__(self) -> str:
        return f"attention of the class token in {self.module}"

    def heads(self, network: nn.Module) -> int:
        """The number of attention heads. Raises as ``capture`` does."""
        return _scores_of(network.get_submodule(self.module))[1]

    @contextmanager
    def capture(self, network: nn.Module, receive: Callable[[Tensor], None]) -> Iterator[None]:
        """While the context is open, ``receive`` is called with the map (B, 1 + heads, h, w) at each forward pass.

        Raises AttributeError when the network has no such module, UserError for an unsupported attention class.
        """
        module = network.get_submodule(self.module)
        scores, _ = _scores_of(module)
        others = int(getattr(network, "num_prefix_tokens", 1))

        def on_input(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            weights = scores(inputs[0]).softmax(dim=-1)[..., others:]
            heads = weights.reshape(*weights.shape[:2], *_grid(weights.shape[-1]))
            receive(torch.cat([heads.mean(1, keepdim=True), heads], 1))

        handle = module.register_forward_pre_hook(on_input)
        try:
            yield
        finally:
            handle.remove()


def find(network: nn.Module) -> AttentionHook | None:
    """The hook on a Transformer's last supported attention module; None for networks without a class token."""
    if getattr(network, "global_pool", "token") != "token":  # timm's attribute for the head's input
        return None
    if not any(isinstance(getattr(network, name, None), nn.Parameter) for name in ("class_token", "cls_token")):
        return None
    names = [name for name, module in network.named_modules() if _kind(module)]
    return AttentionHook(names[-1]) if names else None


def _kind(module: nn.Module) -> str:
    if isinstance(module, nn.MultiheadAttention) and module.batch_first and module.in_proj_weight is not None:
        return "torch"
    # timm's plain attention only: variants with relative positions or rotations add other terms to the scores.
    parts = (getattr(module, name, None) for name in ("qkv", "q_norm", "k_norm"))
    plain = not any(hasattr(module, name) for name in ("relative_position_bias_table", "rope", "rel_pos", "q_bias"))
    counted = isinstance(getattr(module, "num_heads", None), int) and isinstance(getattr(module, "scale", None), float)
    return "timm" if plain and counted and all(isinstance(part, nn.Module) for part in parts) else ""


def _scores_of(module: Any) -> tuple[Callable[[Tensor], Tensor], int]:
    """(function from tokens (B, N, D) to the class token's scaled scores (B, heads, N), number of heads)."""
    kind = _kind(module)
    if not kind:
        raise UserError(f"The attention of a {type(module).__name__} cannot be read: this kind is not supported.")
    projection = (
        (module.in_proj_weight, module.in_proj_bias) if kind == "torch" else (module.qkv.weight, module.qkv.bias)
    )
    heads, scale = int(module.num_heads), getattr(module, "scale", None)
    q_norm, k_norm = (getattr(module, name, nn.Identity()) for name in ("q_norm", "k_norm"))

    def scores(tokens: Tensor) -> Tensor:
        weight, bias = projection
        third = len(weight) // 3  # rows of queries, then of keys, then of values, in both kinds

        def projected(given: Tensor, rows: slice) -> Tensor:
            return _by_head(functional.linear(given, weight[rows], None if bias is None else bias[rows]), heads)

        query = q_norm(projected(tokens[:, :1], slice(third)))
        key = k_norm(projected(tokens, slice(third, 2 * third)))
        return (query * (scale or query.shape[-1] ** -0.5) @ key.transpose(-2, -1)).squeeze(2)

    return scores, heads


def _by_head(tokens: Tensor, heads: int) -> Tensor:
    """(B, N, heads · d) → (B, heads, N, d)."""
    return tokens.reshape(*tokens.shape[:2], heads, -1).transpose(1, 2)


def _grid(patches: int) -> tuple[int, int]:
    side = math.isqrt(patches)
    if side * side != patches:
        raise UserError(f"The patches of an image must form a square, and {patches} do not.")
    return side, side
