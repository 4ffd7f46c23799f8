"""Where the parameters of a method come from on the network in hand: a default may be published for another one."""

from __future__ import annotations

from nap_core.activations import Activations
from nap_core.methods.context import ScoringContext
from nap_core.methods.refusals import used_parameters
from nap_core.methods.spec import Method, Value


def foreign_defaults(method: Method, context: ScoringContext, activations: Activations | None = None) -> dict[str, str]:
    """The parameters at a default that was published or chosen for another network or other training data.

    Args:
        method: the method; of a combination, the one that is no prior.
        context: the network and what it was trained on; both may be unknown, and are then another's.
        activations: some of the activations to be scored, see ``used_parameters``.

    Returns:
        By parameter, in words: "percentile 0.95, published for DenseNet-BC-100-12 on CIFAR-10".
    """
    network = context.model.architecture.title if context.model else ""
    used, given = used_parameters(method, context, activations), dict(method.settings)
    said = {}
    for parameter in method.record.parameters:
        home = parameter.foreign_home(context.trained_on, network)
        if home and parameter.name not in given:
            value, default = used[parameter.name], parameter.default_for(context.trained_on)
            limited = "" if value == default else f" (the nearest to {_text(default)} that is possible here)"
            said[parameter.name] = f"{parameter.name} {_text(value)}{limited}, {home.words()}"
    return said


def _text(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"
