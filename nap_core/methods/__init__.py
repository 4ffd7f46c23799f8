"""Methods. Each turns images into one score an image; higher means more in-distribution.

    >>> from nap_core import methods
    >>> methods.score("nap+energy", activations)
    >>> methods.score("ash-s:percentile=0.9", activations, context)

A method is named by a key of ``RECORDS``; parameters follow it ("vra:lower_percentile=0.05:upper_percentile=0.9"). A
combination is "prior+other" and needs no record of its own: "nap+energy", "nap-variance+knn:k=10". A
``ScoringContext`` holds what a method may use besides the activations that it scores; many methods need none.

The names of ``__init__.pyi`` are imported at their first use, so that titles and formulas are read without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
