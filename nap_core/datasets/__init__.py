"""Datasets of images by name: bundled, published, from the Hugging Face Hub, and a user's own."""

from __future__ import annotations

from nap_core.datasets import hub, published
from nap_core.datasets.bundled.sample_photos import PHOTOS, Photo, SamplePhotos
from nap_core.datasets.catalogue import RECORDS
from nap_core.datasets.decoding import decode
from nap_core.datasets.images import ArrayImages, ImageDataset
from nap_core.datasets.sources import find, load, missing_downloads, names, prepare, prepared, title
from nap_core.datasets.spec import DatasetRecord
from nap_core.datasets.user_data import registry
from nap_core.datasets.user_data.folders import FolderImages, from_folder
from nap_core.datasets.user_data.formats import open_path
from nap_core.datasets.user_data.npz import from_npz
from nap_core.datasets.user_data.options import Options

__all__ = [
    "PHOTOS",
    "RECORDS",
    "ArrayImages",
    "DatasetRecord",
    "FolderImages",
    "ImageDataset",
    "Options",
    "Photo",
    "SamplePhotos",
    "decode",
    "find",
    "from_folder",
    "from_npz",
    "hub",
    "load",
    "missing_downloads",
    "names",
    "open_path",
    "prepare",
    "prepared",
    "published",
    "registry",
    "title",
]
