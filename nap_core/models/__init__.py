"""Models by name: records, networks with their weights and preprocessing, hooks.

    >>> from nap_core import models
    >>> model = models.load("resnet20-cifar10")
    >>> model.network, model.transform, model.classes

A new bundled model is one more ``ModelRecord`` in ``catalogue/bundled.py``. The names of ``__init__.pyi`` are imported
at their first use, so that a record is read without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
