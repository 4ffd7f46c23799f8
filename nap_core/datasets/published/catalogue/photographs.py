"""Datasets of photographs: textures, scenes, land, flowers, dishes, rooms, and the objects of ImageNet."""

from __future__ import annotations

from nap_core.datasets.published import imagenet, lsun, pictures
from nap_core.datasets.published.spec import File, PublishedRecord, Unpacking, packed

_FLOWERS = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
_PLACES = "http://data.csail.mit.edu/places/places365/"

ENTRIES: tuple[PublishedRecord, ...] = (
    PublishedRecord(
        "dtd",
        "Describable Textures",
        "Photographed textures in 47 classes, 120 of each: all three splits, as OOD benchmarks use them.",
        "Patterns from edge to edge and no object: a channel that responds tends to do so everywhere.",
        "Cimpoi and others, Describing textures in the wild, CVPR 2014; address and MD5 as in torchvision",
        size=5_640,
        kind="textures",
        folder="dtd",
        read=pictures.class_folders("dtd-r1.0.1/dtd/images"),
        **packed(
            "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz",
            "md5:fff73e5086ae6bdbea199a49dfb8a4c1",
            625_239_812,
        ),
    ),
    PublishedRecord(
        "places365-val",
        "Places365",
        "Photographs of 365 kinds of scenes, 256 pixels a side: the complete validation set.",
        "Scenes in place of objects; a few of them show a network's classes, which no list leaves out here.",
        "Zhou and others, Places, IEEE TPAMI 2018; address and MD5 as in torchvision",
        size=36_500,
        shape=(256, 256),
        licence="For research and education only, as the Places365 site states; images belong to their authors",
        folder="places365",
        files=(
            File("val_256.tar", f"{_PLACES}val_256.tar", "md5:e27b17d8d44f4af9a78502beb927f808", 525_158_400),
            File(
                "filelist_places365-standard.tar",
                f"{_PLACES}filelist_places365-standard.tar",
                "md5:35a0585fee1fa656440f3ab298f8479c",
            ),
        ),
        read=pictures.places365,
        unpackings=(Unpacking("val_256.tar", "val_256"),),
    ),
    PublishedRecord(
        "eurosat",
        "EuroSAT",
        "Satellite pictures of ten kinds of land use in Europe, in colour.",
        "The world from above: fields, rivers and roofs, nothing at eye level.",
        "Helber and others, EuroSAT, IEEE JSTARS 2019; address and MD5 as in torchvision",
        size=27_000,
        role="id",
        shape=(64, 64),
        licence="MIT, © Patrick Helber",
        folder="eurosat",
        read=pictures.class_folders("EuroSAT/2750"),
        **packed(
            "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
            "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
            "md5:c8fa014336c82ac7804f0398fcb19387",
            94_280_567,
        ),
    ),
    PublishedRecord(
        "flowers102-test",
        "Flowers-102",
        "Photographs of 102 kinds of flowers common in the United Kingdom.",
        "Near to ImageNet: natural photographs of objects, most of which it has no class for.",
        "Nilsback and Zisserman, ICVGIP 2008; address and MD5 as in torchvision",
        size=6_149,
        role="id",
        folder="flowers102",
        files=(
            File("102flowers.tgz", f"{_FLOWERS}102flowers.tgz", "md5:52808999861908f626f3c1f4e79d11fa", 344_862_509),
            File("imagelabels.mat", f"{_FLOWERS}imagelabels.mat", "md5:e0620be6f572b9609742df49c70aed4d", 502),
            File("setid.mat", f"{_FLOWERS}setid.mat", "md5:a5357ecc9cb78c4bef273ce3793fc85c", 14_989),
        ),
        read=pictures.flowers102,
        unpackings=(Unpacking("102flowers.tgz", "102flowers"),),
    ),
    PublishedRecord(
        "food101-test",
        "Food-101",
        "Photographs of 101 dishes, 250 of each.",
        "What is on the plate: colourful, close up, some of it of ImageNet's classes (pizza, ice cream).",
        "Bossard, Guillaumin and Van Gool, Food-101, ECCV 2014; address and MD5 as in torchvision",
        size=25_250,
        role="id",
        folder="food101",
        read=pictures.food101,
        **packed(
            "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
            "md5:85eeb15f3717b99a5da872d97d918f87",
            4_996_278_331,
        ),
    ),
    PublishedRecord(
        "lsun-val",
        "LSUN",
        "Photographs of ten kinds of rooms and buildings, 300 of each.",
        "Scenes at full size; the archives LSUN-Crop and LSUN-Resize are small cuttings of the same collection.",
        "Yu and others, LSUN, arXiv:1506.03365; addresses as in github.com/fyu/lsun, which publishes no checksums",
        size=3_000,
        classes=lsun.CATEGORIES,
        folder="lsun",
        files=tuple(
            File(f"{category}_val_lmdb.zip", f"http://dl.yf.io/lsun/scenes/{category}_val_lmdb.zip")
            for category in lsun.CATEGORIES
        ),
        read=lsun.read,
        unpackings=tuple(Unpacking(f"{category}_val_lmdb.zip", f"{category}_val_lmdb") for category in lsun.CATEGORIES),
        package="lmdb",
    ),
    PublishedRecord(
        "imagenet-val",
        "ImageNet validation set",
        "Photographs of the 1,000 classes of ILSVRC 2012, 50 of each.",
        "Images of an ImageNet network's classes, given to registered people only, so you put them there yourself: the "
        "two archives, or a folder “val” with a folder for each class.",
        "Russakovsky and others, IJCV 2015; file names and MD5 as in torchvision",
        size=50_000,
        role="id",
        licence="For non-commercial research and education, as its terms of access state",
        folder="imagenet",
        files=tuple(
            File(name, "https://image-net.org/challenges/LSVRC/2012/2012-downloads.php", md5, size, by_hand=True)
            for name, md5, size in (
                (imagenet.ARCHIVE, "md5:29b22e2961454d5413ddabcf34fc5622", 6_744_924_160),
                (imagenet.DEVKIT, "md5:fa75699e90414af021442c21a62c3abf", 2_568_145),
            )
        ),
        read=imagenet.read,
        unpackings=(Unpacking(imagenet.ARCHIVE, imagenet.FOLDER, imagenet.by_class, needs=(imagenet.DEVKIT,)),),
    ),
)
