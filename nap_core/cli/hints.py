"""The hints of errors in the words of the command line."""

from nap_core.errors import Hint

HINTS = {
    Hint.ID_IMAGES: "Name an ID dataset with images: --id DATA.",
    Hint.MORE_IMAGES: "Take more images: a larger --limit, or none.",
    Hint.CNN: "Name a network with feature maps: --model, or --weights FILE.",
}
