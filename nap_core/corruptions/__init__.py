"""Images made worse step by step: the 15 corruptions of ImageNet-C and CIFAR-10-C, from mild to severe.

Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019.
The parameters are those that made the published datasets (github.com/hendrycks/robustness, ImageNet-C/create_c); there
is one list for 224 × 224 pixels and one for 32 × 32. ``RECORDS`` is the catalogue: a corruption more is a function and
a record more. docs/corruptions.md says why they are made here, what differs from the originals, and how fast they are.

The names of ``__init__.pyi`` are imported at their first use, so that the catalogue is read without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
