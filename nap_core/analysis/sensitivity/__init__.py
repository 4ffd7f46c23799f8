"""What the numbers of a study hang on beside the method: how many images there are, and how large they are."""

from nap_core.analysis.sensitivity.input_size import SizeOutcome, by_size
from nap_core.analysis.sensitivity.number_of_images import by_fit_images, by_images

__all__ = ["SizeOutcome", "by_fit_images", "by_images", "by_size"]
