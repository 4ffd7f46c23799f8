"""timm's architectures for checkpoints of one's own, ``timm:resnet18`` for example: an optional extra.

timm tells how each is built, which layer holds the classes and how images are prepared; where the map is and what the
head reads is found in the network (``anatomy``). Nothing is downloaded: networks are built without weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from nap_core.errors import UserError
from nap_core.models.preprocessing import FILTERS, Transform

PREFIX = "timm:"
INSTALL = "pip install timm==1.0.31"


def is_installed() -> bool:
    """Whether timm is there; it is not imported, which takes seconds."""
    return find_spec("timm") is not None


@cache
def names() -> tuple[str, ...]:
    """Every architecture of timm's that classifies, none built; without timm there is none."""
    if not is_installed():
        return ()
    return tuple(PREFIX + name for name in _timm().list_models() if _classifier(_timm().get_pretrained_cfg(name)))


def trained_on(name: str) -> bool:
    """Whether ``name``, with its prefix, is an architecture that classifies; timm's names of weights,
    ``timm:resnet18.a1_in1k``, are known as well, for their preprocessing. Raises UserError without timm."""
    plain = name.removeprefix(PREFIX)
    if not name.startswith(PREFIX):
        return False
    return bool(_timm().is_model(plain) and _classifier(_settings(plain)))


def classes_from(name: str) -> str:
    """The entry of a weights file that has a row a class."""
    return f"{_classifier(_settings(name.removeprefix(PREFIX)))}.weight"


def build(name: str, num_classes: int) -> nn.Module:
    """The network with random weights."""
    network: nn.Module = _timm().create_model(name.removeprefix(PREFIX), pretrained=False, num_classes=num_classes)
    return network


builder = partial(partial, build)
"""``builder(name)`` makes the network for a number of classes."""


def sized(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Make room for as many patches as the file has positions for: Transformers are built for one size of image."""
    positions, own = state.get("pos_embed"), getattr(network, "pos_embed", None)
    resize, patches = getattr(network, "set_input_size", None), getattr(network, "patch_embed", None)
    if positions is None or own is None or resize is None or patches is None or positions.ndim != 3:
        return
    side = math.isqrt(positions.shape[1])  # what is over are class tokens and the like
    if positions.shape[1:] != own.shape[1:] and positions.shape[2] == own.shape[2]:
        resize(img_size=side * patches.patch_size[0])
    network.image_size = patches.img_size[0]


def transform(name: str) -> Transform:
    """The preprocessing that timm evaluates with: images are resized to the crop divided by its share."""
    settings = _settings(name.removeprefix(PREFIX))
    crop = int(settings.input_size[-1])
    # Where timm squashes an image into a square, the short side is made to fit and the middle is taken.
    resize = crop if settings.crop_mode == "squash" else math.floor(crop / settings.crop_pct)
    interpolation = settings.interpolation if settings.interpolation in FILTERS else "bicubic"
    return Transform(resize, crop, tuple(settings.mean), tuple(settings.std), interpolation)


def _timm() -> ModuleType:
    try:
        import timm
    except ImportError as error:
        raise UserError(f"timm's architectures need timm, which is not installed. Install it: {INSTALL}") from error
    return timm


def _settings(plain: str) -> Any:
    return _timm().get_pretrained_cfg(plain, allow_unregistered=True)


def _classifier(settings: Any) -> str:
    """The layer that holds the classes; the first of those that have several, which average their answers."""
    found = settings.classifier if settings else None
    return (found[0] if isinstance(found, tuple | list) else found) or ""
