"""Datasets are found by the names that the field's code gives them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core.paper import layout


def _image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)


@pytest.mark.parametrize(
    ("place", "heading"),
    [
        ("ood_datasets/iSUN/1.png", "iSUN"),
        ("LSUN/test/1.png", "LSUN-Crop"),
        ("ood_datasets/LSUN_resize/LSUN_resize/1.png", "LSUN-Resize"),
        ("ood_datasets/dtd/images/banded/1.png", "Textures"),
        ("ood_data/iNaturalist/images/1.png", "iNaturalist"),
        ("places365/test_256/1.png", "Places365"),
    ],
)
def test_the_layout_of_the_papers_code(tmp_path: Path, place: str, heading: str) -> None:
    _image(tmp_path / place)
    assert layout.ood(tmp_path, heading) is not None
    others = {"SVHN", "CIFAR-100", "SUN"}
    assert all(layout.ood(tmp_path, other) is None for other in others)


def test_archives_and_id_images(tmp_path: Path) -> None:
    np.savez(tmp_path / "SVHN.npz", images=np.zeros((1, 4, 4, 3), np.uint8))
    _image(tmp_path / "cifar10" / "test" / "cat" / "1.png")
    _image(tmp_path / "cifar10" / "train" / "cat" / "1.png")
    assert layout.ood(tmp_path, "SVHN") == tmp_path / "SVHN.npz"
    assert layout.id_images(tmp_path, "CIFAR-10") == tmp_path / "cifar10" / "test"
    assert layout.trained(tmp_path, "CIFAR-10") == tmp_path / "cifar10" / "train"


def test_a_folder_without_images_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "svhn").mkdir()
    (tmp_path / "svhn" / "test_32x32.mat").write_bytes(b"")
    assert layout.ood(tmp_path, "SVHN") is None


def test_the_users_own_datasets_by_their_names() -> None:
    assert layout.heading_of("own:ood/LSUN_resize") == "LSUN-Resize"
    assert layout.heading_of("own:svhn.npz") == "SVHN"
    assert layout.heading_of("own:ood/svhn:test") == "SVHN"
    assert layout.heading_of("own:birds") == ""
