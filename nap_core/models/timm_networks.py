"""timm's architectures for a user's checkpoints, for example ``timm:resnet18``. timm is an optional dependency.

timm provides the constructor, the name of the classifier layer and the preprocessing. The feature map and the head's
input are located in the running network (``introspection``). Networks are built without weights, nothing is downloaded.
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
    """Whether timm is installed; it is not imported, because that takes seconds."""
    return find_spec("timm") is not None


@cache
def names() -> tuple[str, ...]:
    """The names of timm's classification architectures; empty without timm."""
    if not is_installed():
        return ()
    return tuple(PREFIX + name for name in _timm().list_models() if _classifier(_timm().get_pretrained_cfg(name)))


def owns(name: str) -> bool:
    """Whether ``name`` is a timm classification architecture with prefix, or one with named weights.

    Names with weights, ``timm:resnet18.a1_in1k``, are accepted for their preprocessing. Raises UserError without timm.
    """
    plain = name.removeprefix(PREFIX)
    if not name.startswith(PREFIX):
        return False
    return bool(_timm().is_model(plain) and _classifier(_settings(plain)))


def classes_from(name: str) -> str:
    """The entry of a weights file whose rows are the classes, (K, D)."""
    return f"{_classifier(_settings(name.removeprefix(PREFIX)))}.weight"


def build(name: str, num_classes: int) -> nn.Module:
    """The network with random weights."""
    network: nn.Module = _timm().create_model(name.removeprefix(PREFIX), pretrained=False, num_classes=num_classes)
    return network


builder = partial(partial, build)
"""``builder(name)`` makes the network for a number of classes."""


def sized(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Resize a Transformer's position embedding to the number of patches in the file, before loading it."""
    positions, own = state.get("pos_embed"), getattr(network, "pos_embed", None)
    resize, patches = getattr(network, "set_input_size", None), getattr(network, "patch_embed", None)
    if positions is None or own is None or resize is None or patches is None or positions.ndim != 3:
        return
    side = math.isqrt(positions.shape[1])  # the rest are class tokens and the like
    if positions.shape[1:] != own.shape[1:] and positions.shape[2] == own.shape[2]:
        resize(img_size=side * patches.patch_size[0])
    network.image_size = patches.img_size[0]


def transform(name: str) -> Transform:
    """timm's evaluation preprocessing: the short side is resized to crop size / crop_pct, then cropped.

    Where timm evaluates at another size than it trained at, the size is that of the evaluation.
    """
    settings = _settings(name.removeprefix(PREFIX))
    crop = int((settings.test_input_size or settings.input_size)[-1])
    share = settings.test_crop_pct or settings.crop_pct
    # timm's mode "squash" changes the aspect ratio; here the short side is resized to the crop and the centre is cut.
    resize = crop if settings.crop_mode == "squash" else math.floor(crop / share)
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
    """The name of the classifier layer; the first one of networks that average the logits of several."""
    layer = settings.classifier if settings else None
    return (layer[0] if isinstance(layer, tuple | list) else layer) or ""
