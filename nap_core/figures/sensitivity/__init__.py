"""How the metrics depend on the number of images, the input size and the TPR; and the cost of NAP."""

from nap_core.figures.sensitivity.cost import cost_picture
from nap_core.figures.sensitivity.images import images_picture
from nap_core.figures.sensitivity.input_size import size_picture
from nap_core.figures.sensitivity.tpr import fpr_table

__all__ = ["cost_picture", "fpr_table", "images_picture", "size_picture"]
