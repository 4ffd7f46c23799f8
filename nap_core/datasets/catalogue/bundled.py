"""The datasets that the project ships."""

from __future__ import annotations

from nap_core.datasets.spec import DatasetRecord

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_SOURCE = "Krizhevsky, Learning multiple layers of features from tiny images, 2009"
FIT_NOTE = "Training images from which methods estimate thresholds, means and neighbours; they are never scored."
_NOISE_SOURCE = "Made from a seed after Liang, Li and Srikant (ODIN), ICLR 2018"

_OPENERS = "nap_core.datasets.bundled"
_SHEET = f"{_OPENERS}.contact_sheets:open_sheet"
_UNIFORM = f"{_OPENERS}.noise:open_uniform"
_GAUSSIAN = f"{_OPENERS}.noise:open_gaussian"
_PHOTOS = f"{_OPENERS}.sample_photos:open_photos"

ENTRIES = (
    DatasetRecord(
        name="cifar10",
        title="CIFAR-10",
        description="Small photographs of animals and vehicles, 100 of each of ten classes, from the test set.",
        note="Test images of the classes that the CIFAR networks were trained on.",
        role="id",
        size=1000,
        shape=(32, 32),
        classes=CIFAR10_CLASSES,
        source=CIFAR10_SOURCE,
        trained=True,
        opener=_SHEET,
    ),
    DatasetRecord(
        name="cifar10-fit",
        title="CIFAR-10, fit split",
        description="Small photographs of animals and vehicles, 500 of each of ten classes, from the training set.",
        note=FIT_NOTE,
        role="fit",
        size=5000,
        shape=(32, 32),
        classes=CIFAR10_CLASSES,
        source=CIFAR10_SOURCE,
        trained=True,
        opener=_SHEET,
    ),
    DatasetRecord(
        name="fashion-mnist",
        title="Fashion-MNIST",
        description="Grey pictures of clothes, shoes and bags on black, 50 of each of ten classes, from the test set.",
        note="Objects of another world in another style: smooth shapes without background or colour.",
        size=500,
        shape=(28, 28),
        classes=(
            *["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag"],
            "ankle boot",
        ),
        licence="MIT, © 2017 Zalando SE",
        source="Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
        opener=_SHEET,
    ),
    DatasetRecord(
        name="mnist",
        title="MNIST",
        description="Handwritten digits, white on black, 50 of each, from the test set.",
        note="Bright strokes on black make peaks with hardly any mean, so a prior that scores peaks can rate them as "
        "in-distribution: a failure case of NAP.",
        kind="handwriting",
        size=500,
        shape=(28, 28),
        classes=tuple("0123456789"),
        licence="CC BY-SA 3.0, © Yann LeCun and Corinna Cortes",
        source="LeCun, Bottou, Bengio and Haffner, Proceedings of the IEEE, 1998",
        opener=_SHEET,
    ),
    DatasetRecord(
        name="textures",
        title="Textures",
        description="Crops of eight photographed surfaces, from brick and gravel to tissue and stars.",
        note="The same pattern from edge to edge and no object: a channel that responds tends to do so everywhere.",
        kind="textures",
        size=500,
        shape=(64, 64),
        classes=("brick", "foliage", "grass", "gravel", "petals", "stars", "tissue", "wood"),
        licence="CC0 and public domain; foliage and petals CC BY 2.0; tissue no known restrictions",
        source="Cut from sample photographs of scikit-image 0.26 and scikit-learn 1.9",
        opener=_SHEET,
    ),
    DatasetRecord(
        name="uniform-noise",
        title="Uniform noise",
        description="Every colour value of every pixel drawn at random, all values equally likely.",
        note="Nothing to recognise anywhere: activations tend to spread evenly, without a peak.",
        kind="noise",
        size=500,
        shape=(32, 32),
        licence="CC0",
        source=_NOISE_SOURCE,
        opener=_UNIFORM,
    ),
    DatasetRecord(
        name="gaussian-noise",
        title="Gaussian noise",
        description="Every colour value of every pixel drawn from a normal distribution, mean ½ and deviation 1, "
        "and clipped to what a pixel can hold.",
        note="Harsher noise, most values at either end: a check that the score does not depend on contrast.",
        kind="noise",
        size=500,
        shape=(32, 32),
        licence="CC0",
        source=_NOISE_SOURCE,
        opener=_GAUSSIAN,
    ),
    DatasetRecord(
        name="imagenet-bank",
        title="ImageNet reference",
        description="1,000 photographs with ImageNet classes, kept as activations of EfficientNet-Lite0 only.",
        note="Photographs of ImageNet's classes, with which the score of an uploaded image is compared.",
        role="precomputed",
        size=1000,
        licence="CC BY 2.0 (the photographs, which are not shipped)",
        source="NIPS 2017 adversarial examples challenge, development set",
        trained=True,
        images_shipped=False,
    ),
    DatasetRecord(
        name="photos",
        title="Sample photographs",
        description="Twelve free pictures to try, some of ImageNet's classes and some of none.",
        note="Pick a cat or a cup, then a retina or a field of galaxies, and compare the scores.",
        role="samples",
        size=12,
        licence="CC0, public domain and CC BY 2.0, given for each picture",
        source="Sample photographs of scikit-image 0.26 and scikit-learn 1.9",
        opener=_PHOTOS,
    ),
)
