"""One image beside the ID images: its score under each method, its classes, its score under corruptions."""

from nap_core.figures.score_image.channels import channels_picture
from nap_core.figures.score_image.classes import class_shares, classes_picture
from nap_core.figures.score_image.corruption import corruption_picture
from nap_core.figures.score_image.listing import ListedImage, file_table, listing_reading, screen_table
from nap_core.figures.score_image.standing import standing_picture
from nap_core.figures.score_image.words import agreement, grounds, opening, plain, standing

__all__ = [
    "ListedImage",
    "agreement",
    "channels_picture",
    "class_shares",
    "classes_picture",
    "corruption_picture",
    "file_table",
    "grounds",
    "listing_reading",
    "opening",
    "plain",
    "screen_table",
    "standing",
    "standing_picture",
]
