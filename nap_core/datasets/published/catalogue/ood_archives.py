"""The archives on which papers on OOD detection compare: ODIN's, MOS's, iSUN and Tiny ImageNet."""

from __future__ import annotations

from nap_core.datasets.published import pictures
from nap_core.datasets.published.spec import PublishedRecord, packed, stem

_ODIN = "Liang, Li and Srikant (ODIN), ICLR 2018; address and MD5 as in pytorch-ood"
_MOS = (
    "Selected by Huang and Li (MOS), CVPR 2021, and linked from github.com/deeplearning-wisc/large_scale_ood; they "
    "publish no checksum: the MD5 is the one that github.com/edadaltocg/detectors states"
)


_DROPBOX = "https://www.dropbox.com/s/raw/"


def _odin(
    name: str, title: str, url: str, md5: str, what: str, source: str = _ODIN, size: int = 10_000
) -> PublishedRecord:
    return PublishedRecord(
        name,
        title,
        what,
        "One of the archives on which the field compares CIFAR networks since ODIN.",
        source,
        size=size,
        shape=(32, 32),
        folder=name,
        read=pictures.flat(stem(url.rpartition("/")[2])),
        **packed(url, f"md5:{md5}"),
    )


def _mos(name: str, title: str, folder: str, md5: str, what: str) -> PublishedRecord:
    return PublishedRecord(
        name,
        title,
        what,
        "One of the four OOD datasets on which the field compares ImageNet networks.",
        _MOS,
        size=10_000,
        folder=name,
        read=pictures.flat(folder),
        **packed(f"http://pages.cs.wisc.edu/~huangrui/imagenet_ood_dataset/{folder}.tar.gz", f"md5:{md5}"),
    )


ENTRIES: tuple[PublishedRecord, ...] = (
    _odin(
        "lsun-crop",
        "LSUN-Crop",
        f"{_DROPBOX}fhtsw1m3qxlwj6h/LSUN.tar.gz",
        "458a0a0ab8e5f1cb4516d7400568e460",
        "Random cuttings of LSUN's test set, 32 pixels a side.",
    ),
    _odin(
        "lsun-resize",
        "LSUN-Resize",
        f"{_DROPBOX}moqh2wh8696c3yl/LSUN_resize.tar.gz",
        "278b7b31c8cb7e804a1465a8ce03a2dc",
        "LSUN's test set, scaled down to 32 pixels a side.",
    ),
    _odin(
        "tinyimagenet-crop",
        "TinyImageNet-Crop",
        f"{_DROPBOX}avgm2u562itwpkl/Imagenet.tar.gz",
        "7c0827e4246c3718a5ee076e999e52e5",
        "Random cuttings of Tiny ImageNet's test set, 32 pixels a side.",
    ),
    _odin(
        "tinyimagenet-resize",
        "TinyImageNet-Resize",
        f"{_DROPBOX}kp3my3412u5k9rl/Imagenet_resize.tar.gz",
        "0f9ff11d45babf2eff5fe12281d1ac31",
        "Tiny ImageNet's test set, scaled down to 32 pixels a side.",
    ),
    _odin(
        "isun",
        "iSUN",
        f"{_DROPBOX}ssz7qxfqae0cca5/iSUN.tar.gz",
        "be77b0f2c26fda898afac5f99645ee70",
        "Photographs of scenes from SUN, scaled down to 32 pixels a side.",
        "Xu and others, TurkerGaze, 2015; the archive of ODIN's authors (github.com/facebookresearch/odin), who "
        "publish no checksum: the MD5 is the one that github.com/edadaltocg/detectors states",
        8_925,
    ),
    PublishedRecord(
        "tinyimagenet-val",
        "Tiny ImageNet",
        "Small photographs of 200 of ImageNet's classes.",
        "Near to CIFAR: objects and animals, some of them CIFAR's own, which no list leaves out here.",
        "Stanford's CS231n; address and MD5 as in pytorch-ood",
        size=10_000,
        shape=(64, 64),
        folder="tiny-imagenet",
        read=pictures.tiny_imagenet,
        **packed(
            "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            "md5:90528d7ca1a48142e341f4ef8d21d0de",
            248_100_043,
            pictures.tiny_imagenet_wanted,
        ),
    ),
    _mos(
        "inaturalist",
        "iNaturalist subset",
        "iNaturalist",
        "5be6ea8aa027d7b631916427b32cb335",
        "Photographs of 110 kinds of plants that ImageNet has no class for.",
    ),
    _mos(
        "sun",
        "SUN subset",
        "SUN",
        "8469c3ada62211477954ec1be53b12d0",
        "Photographs of 50 kinds of scenes that ImageNet has no class for.",
    ),
    _mos(
        "places",
        "Places subset",
        "Places",
        "b5cb5eba2754ae2a28beea8718db699a",
        "Photographs of 50 kinds of places that ImageNet has no class for.",
    ),
)
