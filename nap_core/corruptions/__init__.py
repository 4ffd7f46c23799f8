"""The 15 corruptions of ImageNet-C and CIFAR-10-C at severities 1 to 5.

Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019.
The parameters are those of the published datasets (github.com/hendrycks/robustness, ImageNet-C/create_c), one list for
224 × 224 pixels and one for 32 × 32. A new corruption is a function and a record in ``catalogue/``. docs/corruptions.md
describes the differences from the originals and the speed.

The names of ``__init__.pyi`` are imported at their first use, so that the catalogue is read without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
