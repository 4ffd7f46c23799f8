"""The datasets that can be fetched: where from, what of, and what is known of them before they are here.

Addresses, file names and MD5 sums are those that torchvision 0.29 and pytorch-ood 0.4 publish in their classes, unless
``source`` says otherwise; tests compare them. Sizes are what the servers have announced, and only shown.
"""

from __future__ import annotations

from nap_core.datasets.catalogue import DatasetRecord, Kind, Role
from nap_core.datasets.library import imagenet, lsun, pictures
from nap_core.datasets.library.arrays import cifar, idx, svhn
from nap_core.datasets.library.entry import Entry, File, Unpacking

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_DIGITS = (
    "0 - zero",
    "1 - one",
    "2 - two",
    "3 - three",
    "4 - four",
    "5 - five",
    "6 - six",
    "7 - seven",
    "8 - eight",
    "9 - nine",
)
_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_UNSTATED = "No licence stated; published for research, to be cited"
_ODIN = "Liang, Li and Srikant (ODIN), ICLR 2018; address and MD5 as in pytorch-ood"
_MOS = (
    "Selected by Huang and Li (MOS), CVPR 2021, and linked from github.com/deeplearning-wisc/large_scale_ood; they "
    "publish no checksum: the MD5 is the one that github.com/edadaltocg/detectors states"
)


def _record(
    name: str,
    title: str,
    description: str,
    note: str,
    source: str,
    *,
    size: int,
    role: Role = "ood",
    kind: Kind = "photographs",
    shape: tuple[int, int] | None = None,
    classes: tuple[str, ...] = (),
    licence: str = _UNSTATED,
) -> DatasetRecord:
    return DatasetRecord(name, title, description, note, kind, role, size, shape, classes, licence, source)


def _cifar(number: int, classes: tuple[str, ...], file: File, batches: tuple[str, ...], test: str) -> tuple[Entry, ...]:
    labels, names = (
        ("labels", ("batches.meta", "label_names"))
        if number == 10
        else (
            "fine_labels",
            ("meta", "fine_label_names"),
        )
    )
    source = (
        "Krizhevsky, Learning multiple layers of features from tiny images, 2009; address and MD5 as in torchvision"
    )
    return (
        Entry(
            _record(
                f"cifar{number}-test",
                f"CIFAR-{number} test set (10,000)",
                f"Small photographs of {number} classes: the complete test set.",
                "What a CIFAR network knows, all of it; the bundled sample is a thousand of these."
                if number == 10
                else "Near to CIFAR-10: other classes, the same kind of picture. The hardest of the usual OOD sets.",
                source,
                size=10_000,
                role="id",
                shape=(32, 32),
                classes=classes,
            ),
            f"cifar{number}",
            (file,),
            cifar(file.name, (test,), labels, names),
        ),
        Entry(
            _record(
                f"cifar{number}-train",
                f"CIFAR-{number} training set (50,000)",
                f"Small photographs of {number} classes: the complete training set.",
                "Training images from which methods estimate thresholds, means and neighbours; they are never scored.",
                source,
                size=50_000,
                role="fit",
                shape=(32, 32),
                classes=classes,
            ),
            f"cifar{number}",
            (file,),
            cifar(file.name, batches, labels, names),
        ),
    )


def _mnist(
    name: str,
    title: str,
    what: str,
    base: str,
    files: tuple[tuple[str, int], tuple[str, int]],
    classes: tuple[str, ...],
    *,
    kind: Kind,
    licence: str,
    source: str,
) -> Entry:
    names = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    return Entry(
        _record(
            f"{name}-test",
            f"{title} test set (10,000)",
            f"{what}: the complete test set.",
            "Bright strokes or shapes on black: far from photographs, yet not easy for a prior that looks for peaks.",
            f"{source}; address and MD5 as in torchvision",
            size=10_000,
            role="id",
            kind=kind,
            shape=(28, 28),
            classes=classes,
            licence=licence,
        ),
        name,
        tuple(File(file, base + file, f"md5:{md5}", size) for file, (md5, size) in zip(names, files, strict=True)),
        idx(names[0], names[1], classes),
    )


def _odin(name: str, title: str, archive: str, url: str, md5: str, what: str) -> Entry:
    stem = archive.removesuffix(".tar.gz")
    return Entry(
        _record(
            name,
            title,
            what,
            "One of the archives on which the field compares CIFAR networks since ODIN.",
            _ODIN,
            size=10_000,
            shape=(32, 32),
        ),
        name,
        (File(archive, url, f"md5:{md5}"),),
        pictures.flat(stem),
        (Unpacking(archive, stem),),
    )


def _mos(name: str, title: str, md5: str, what: str) -> Entry:
    stem = {"inaturalist": "iNaturalist", "sun": "SUN", "places": "Places"}[name]
    return Entry(
        _record(
            name,
            title,
            what,
            "One of the four OOD datasets on which the field compares ImageNet networks.",
            _MOS,
            size=10_000,
        ),
        name,
        (
            File(
                f"{stem}.tar.gz",
                f"http://pages.cs.wisc.edu/~huangrui/imagenet_ood_dataset/{stem}.tar.gz",
                f"md5:{md5}",
            ),
        ),
        pictures.flat(stem),
        (Unpacking(f"{stem}.tar.gz", stem),),
    )


_FLOWERS = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
_PLACES = "http://data.csail.mit.edu/places/places365/"
_DROPBOX = "https://www.dropbox.com/s/raw/"

_ENTRIES = (
    *_cifar(
        10,
        CIFAR10_CLASSES,
        File(
            "cifar-10-python.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "md5:c58f30108f718f92721af3b95e74349a",
            170_498_071,
        ),
        tuple(f"data_batch_{number}" for number in range(1, 6)),
        "test_batch",
    ),
    *_cifar(
        100,
        (),
        File(
            "cifar-100-python.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            "md5:eb9058c3a382ffc7106e4002c42a8d85",
            169_001_437,
        ),
        ("train",),
        "test",
    ),
    Entry(
        _record(
            "svhn-test",
            "SVHN",
            "House numbers in street photographs, cropped to single digits: the complete test set.",
            "Photographs of something else altogether, often blurred: the usual first OOD dataset of CIFAR networks.",
            "Netzer and others, Reading digits in natural images, 2011; address and MD5 as in torchvision",
            size=26_032,
            role="id",
            shape=(32, 32),
            classes=tuple("0123456789"),
        ),
        "svhn",
        (
            File(
                "test_32x32.mat",
                "http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
                "md5:eb5a983be6a315427106f1b164d9cef3",
                64_275_384,
            ),
        ),
        svhn("test_32x32.mat"),
    ),
    Entry(
        _record(
            "dtd",
            "Describable Textures",
            "Photographed textures in 47 classes, 120 of each: all three splits, as OOD benchmarks use them.",
            "Patterns from edge to edge and no object: a channel that answers tends to do so everywhere.",
            "Cimpoi and others, Describing textures in the wild, CVPR 2014; address and MD5 as in torchvision",
            size=5_640,
            kind="textures",
        ),
        "dtd",
        (
            File(
                "dtd-r1.0.1.tar.gz",
                "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz",
                "md5:fff73e5086ae6bdbea199a49dfb8a4c1",
                625_239_812,
            ),
        ),
        pictures.class_folders("dtd-r1.0.1/dtd/images"),
        (Unpacking("dtd-r1.0.1.tar.gz", "dtd-r1.0.1"),),
    ),
    Entry(
        _record(
            "places365-val",
            "Places365",
            "Photographs of 365 kinds of scenes, 256 pixels a side: the complete validation set.",
            "Scenes in place of objects; a few of them show what a network knows, which no list leaves out here.",
            "Zhou and others, Places, IEEE TPAMI 2018; address and MD5 as in torchvision",
            size=36_500,
            shape=(256, 256),
            licence="For research and education only, as the Places365 site states; images belong to their authors",
        ),
        "places365",
        (
            File("val_256.tar", f"{_PLACES}val_256.tar", "md5:e27b17d8d44f4af9a78502beb927f808", 525_158_400),
            File(
                "filelist_places365-standard.tar",
                f"{_PLACES}filelist_places365-standard.tar",
                "md5:35a0585fee1fa656440f3ab298f8479c",
            ),
        ),
        pictures.places365,
        (Unpacking("val_256.tar", "val_256"),),
    ),
    _mnist(
        "mnist",
        "MNIST",
        "Handwritten digits, white on black",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        (("9fb629c4189551a2d022fa330f9573f3", 1_648_877), ("ec29112dd5afa0611ce80d1b7f02629c", 4_542)),
        _DIGITS,
        kind="handwriting",
        licence="CC BY-SA 3.0, © Yann LeCun and Corinna Cortes",
        source="LeCun, Bottou, Bengio and Haffner, Proceedings of the IEEE, 1998",
    ),
    _mnist(
        "fashion-mnist",
        "Fashion-MNIST",
        "Grey pictures of clothes, shoes and bags on black",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        (("bef4ecab320f06d8554ea6380940ec79", 4_422_102), ("bb300cfdad3c16e7a12a480ee83cd310", 5_148)),
        _CLOTHES,
        kind="photographs",
        licence="MIT, © 2017 Zalando SE",
        source="Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
    ),
    _mnist(
        "kmnist",
        "KMNIST",
        "Handwritten Japanese characters, white on black",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        (("5c965bf0a639b31b8f53240b1b52f4d7", 3_041_136), ("7320c461ea6c1c855c0b718fb2a4b134", 5_120)),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        kind="handwriting",
        licence="CC BY-SA 4.0, CODH",
        source="Clanuwat and others, Deep learning for classical Japanese literature, 2018",
    ),
    Entry(
        _record(
            "eurosat",
            "EuroSAT",
            "Satellite pictures of ten kinds of land use in Europe, in colour.",
            "The world from above: fields, rivers and roofs, nothing at eye level.",
            "Helber and others, EuroSAT, IEEE JSTARS 2019; address and MD5 as in torchvision",
            size=27_000,
            role="id",
            shape=(64, 64),
            licence="MIT, © Patrick Helber",
        ),
        "eurosat",
        (
            File(
                "EuroSAT.zip",
                "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
                "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
                "md5:c8fa014336c82ac7804f0398fcb19387",
                94_280_567,
            ),
        ),
        pictures.class_folders("EuroSAT/2750"),
        (Unpacking("EuroSAT.zip", "EuroSAT"),),
    ),
    Entry(
        _record(
            "flowers102-test",
            "Flowers-102",
            "Photographs of 102 kinds of flowers common in the United Kingdom.",
            "Near to ImageNet: natural photographs of objects, most of which it has no class for.",
            "Nilsback and Zisserman, ICVGIP 2008; address and MD5 as in torchvision",
            size=6_149,
            role="id",
        ),
        "flowers102",
        (
            File("102flowers.tgz", f"{_FLOWERS}102flowers.tgz", "md5:52808999861908f626f3c1f4e79d11fa", 344_862_509),
            File("imagelabels.mat", f"{_FLOWERS}imagelabels.mat", "md5:e0620be6f572b9609742df49c70aed4d", 502),
            File("setid.mat", f"{_FLOWERS}setid.mat", "md5:a5357ecc9cb78c4bef273ce3793fc85c", 14_989),
        ),
        pictures.flowers102,
        (Unpacking("102flowers.tgz", "102flowers"),),
    ),
    Entry(
        _record(
            "food101-test",
            "Food-101",
            "Photographs of 101 dishes, 250 of each.",
            "What is on the plate: colourful, close up, some of it known to ImageNet (pizza, ice cream).",
            "Bossard, Guillaumin and Van Gool, Food-101, ECCV 2014; address and MD5 as in torchvision",
            size=25_250,
            role="id",
        ),
        "food101",
        (
            File(
                "food-101.tar.gz",
                "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
                "md5:85eeb15f3717b99a5da872d97d918f87",
                4_996_278_331,
            ),
        ),
        pictures.food101,
        (Unpacking("food-101.tar.gz", "food-101"),),
    ),
    Entry(
        _record(
            "lsun-val",
            "LSUN",
            "Photographs of ten kinds of rooms and buildings, 300 of each.",
            "Scenes at full size; the archives LSUN-Crop and LSUN-Resize are small cuttings of the same collection.",
            "Yu and others, LSUN, arXiv:1506.03365; addresses as in github.com/fyu/lsun, which publishes no checksums",
            size=3_000,
            classes=lsun.CATEGORIES,
        ),
        "lsun",
        tuple(
            File(f"{category}_val_lmdb.zip", f"http://dl.yf.io/lsun/scenes/{category}_val_lmdb.zip")
            for category in lsun.CATEGORIES
        ),
        lsun.read,
        tuple(Unpacking(f"{category}_val_lmdb.zip", f"{category}_val_lmdb") for category in lsun.CATEGORIES),
        package="lmdb",
    ),
    Entry(
        _record(
            "imagenet-val",
            "ImageNet validation set",
            "Photographs of the 1,000 classes of ILSVRC 2012, 50 of each.",
            "What ImageNet networks know. It is given to registered people only, so you put it there yourself: the two "
            "archives, or a folder “val” with a folder for each class.",
            "Russakovsky and others, IJCV 2015; file names and MD5 as in torchvision",
            size=50_000,
            role="id",
            licence="For non-commercial research and education, as its terms of access state",
        ),
        "imagenet",
        tuple(
            File(name, "https://image-net.org/challenges/LSVRC/2012/2012-downloads.php", md5, size, by_hand=True)
            for name, md5, size in (
                (imagenet.ARCHIVE, "md5:29b22e2961454d5413ddabcf34fc5622", 6_744_924_160),
                (imagenet.DEVKIT, "md5:fa75699e90414af021442c21a62c3abf", 2_568_145),
            )
        ),
        imagenet.read,
        (Unpacking(imagenet.ARCHIVE, imagenet.FOLDER, imagenet.by_class, needs=(imagenet.DEVKIT,)),),
    ),
    _odin(
        "lsun-crop",
        "LSUN-Crop",
        "LSUN.tar.gz",
        f"{_DROPBOX}fhtsw1m3qxlwj6h/LSUN.tar.gz",
        "458a0a0ab8e5f1cb4516d7400568e460",
        "Random cuttings of LSUN's test set, 32 pixels a side.",
    ),
    _odin(
        "lsun-resize",
        "LSUN-Resize",
        "LSUN_resize.tar.gz",
        f"{_DROPBOX}moqh2wh8696c3yl/LSUN_resize.tar.gz",
        "278b7b31c8cb7e804a1465a8ce03a2dc",
        "LSUN's test set, scaled down to 32 pixels a side.",
    ),
    _odin(
        "tinyimagenet-crop",
        "TinyImageNet-Crop",
        "Imagenet.tar.gz",
        f"{_DROPBOX}avgm2u562itwpkl/Imagenet.tar.gz",
        "7c0827e4246c3718a5ee076e999e52e5",
        "Random cuttings of Tiny ImageNet's test set, 32 pixels a side.",
    ),
    _odin(
        "tinyimagenet-resize",
        "TinyImageNet-Resize",
        "Imagenet_resize.tar.gz",
        f"{_DROPBOX}kp3my3412u5k9rl/Imagenet_resize.tar.gz",
        "0f9ff11d45babf2eff5fe12281d1ac31",
        "Tiny ImageNet's test set, scaled down to 32 pixels a side.",
    ),
    Entry(
        _record(
            "isun",
            "iSUN",
            "Photographs of scenes from SUN, scaled down to 32 pixels a side.",
            "One of the archives on which the field compares CIFAR networks since ODIN.",
            "Xu and others, TurkerGaze, 2015; the archive of ODIN's authors (github.com/facebookresearch/odin), who "
            "publish no checksum: the MD5 is the one that github.com/edadaltocg/detectors states",
            size=8_925,
            shape=(32, 32),
        ),
        "isun",
        (
            File(
                "iSUN.tar.gz",
                f"{_DROPBOX}ssz7qxfqae0cca5/iSUN.tar.gz",
                "md5:be77b0f2c26fda898afac5f99645ee70",
            ),
        ),
        pictures.flat("iSUN"),
        (Unpacking("iSUN.tar.gz", "iSUN"),),
    ),
    Entry(
        _record(
            "tinyimagenet-val",
            "Tiny ImageNet",
            "Small photographs of 200 of ImageNet's classes.",
            "Near to CIFAR: objects and animals, some of them CIFAR's own, which no list leaves out here.",
            "Stanford's CS231n; address and MD5 as in pytorch-ood",
            size=10_000,
            shape=(64, 64),
        ),
        "tiny-imagenet",
        (
            File(
                "tiny-imagenet-200.zip",
                "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
                "md5:90528d7ca1a48142e341f4ef8d21d0de",
                248_100_043,
            ),
        ),
        pictures.tiny_imagenet,
        (Unpacking("tiny-imagenet-200.zip", "tiny-imagenet-200", pictures.tiny_imagenet_wanted),),
    ),
    _mos(
        "inaturalist",
        "iNaturalist subset",
        "5be6ea8aa027d7b631916427b32cb335",
        "Photographs of 110 kinds of plants that ImageNet has no class for.",
    ),
    _mos(
        "sun",
        "SUN subset",
        "8469c3ada62211477954ec1be53b12d0",
        "Photographs of 50 kinds of scenes that ImageNet has no class for.",
    ),
    _mos(
        "places",
        "Places subset",
        "b5cb5eba2754ae2a28beea8718db699a",
        "Photographs of 50 kinds of places that ImageNet has no class for.",
    ),
)

ENTRIES: dict[str, Entry] = {entry.record.name: entry for entry in _ENTRIES}
