"""The hints of errors in the words of the app."""

from nap_core.errors import Hint, UserError

HINTS = {
    Hint.ID_IMAGES: "Pick an ID dataset with images in “Change the study”.",
    Hint.MORE_IMAGES: "Pick more images in “Change the study”.",
    Hint.CNN: "Pick a CNN in “Change the study”.",
}


def sentence(error: UserError) -> str:
    """The error for the screen."""
    return error.worded(HINTS)
