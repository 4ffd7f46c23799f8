"""FPR95 and AUROC over the weight w of one combination and of many."""

from nap_core.figures.w_sensitivity.combinations import (
    combinations_picture,
    combinations_table,
    least_width,
    robust_reading,
)
from nap_core.figures.w_sensitivity.curves import HEIGHT, curve_picture
from nap_core.figures.w_sensitivity.sensitivity import Sensitivity, finding, sensitivity_table

__all__ = [
    "HEIGHT",
    "Sensitivity",
    "combinations_picture",
    "combinations_table",
    "curve_picture",
    "finding",
    "least_width",
    "robust_reading",
    "sensitivity_table",
]
