"""What the numbers of a study hang on beside the method: how many images there are, and how large they are."""

from nap_core.analysis.sensitivity.input_size import by_size
from nap_core.analysis.sensitivity.number_of_images import by_fit_images, by_images

__all__ = ["by_fit_images", "by_images", "by_size"]
