"""Datasets of encoded images with a list, a table or labels beside them."""

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from nap_core.datasets import ImageDataset
from nap_core.datasets.images import presentation_order
from nap_core.datasets.user_data.formats import contents, open_path, parts_of
from nap_core.datasets.user_data.opening import Opening
from nap_core.datasets.user_data.options import Options
from nap_core.errors import UserError

COUNT = 6
NAMES = ("cat", "dog", "owl")


def encoded(level: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (5, 4), (level, level, level)).save(file, kind)
    return file.getvalue()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """data/images/<class>/<number>.png, of which the number is the grey level and number % 3 the class."""
    for index in range(COUNT):
        file = tmp_path / "data" / "images" / NAMES[index % 3] / f"{index}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(index))
    return tmp_path / "data"


def classes_by_level(dataset: ImageDataset) -> dict[int, str]:
    """The class of each image by its grey level; "" for unknown."""
    levels = [int(np.asarray(dataset.image(index))[0, 0, 0]) for index in range(len(dataset))]
    names = [dataset.classes[label] if label >= 0 else "" for label in dataset.labels]
    return dict(zip(levels, names, strict=True))


BY_NAME = {index: NAMES[index % 3] for index in range(COUNT)}
BY_NUMBER = {index: str(index % 3) for index in range(COUNT)}


def line(index: int) -> str:
    return f"{NAMES[index % 3]}/{index}.png"


@pytest.mark.parametrize("place", ["images/list.txt", "list.txt", "lists/mine.lst"])
def test_a_list_starts_near_the_images(images: Path, place: str) -> None:
    path = images / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line(index)} {index % 3}\n" for index in range(COUNT)))
    assert classes_by_level(open_path(path)) == BY_NUMBER
    assert (contents(path, Options()).size, contents(path, Options()).classes) == (COUNT, ("0", "1", "2"))


def test_lists_of_other_kinds(images: Path) -> None:
    path = images / "list.txt"
    path.write_text("# a comment\n" + "".join(f"/images/{line(index)}\t{NAMES[index % 3]}\n" for index in range(COUNT)))
    assert classes_by_level(open_path(path)) == BY_NAME
    path.write_text("".join(f"images/{line(index)} -1\n" for index in range(COUNT)))
    assert set(open_path(path).labels.tolist()) == {-1}
    path.write_text("".join(f"images/{line(index)}\n" for index in range(COUNT)))
    assert set(open_path(path).labels.tolist()) == {-1}
    path.write_text(f"images/{line(0)} 0\nimages/gone.png 1\nimages/{line(0)} 0\n")
    dataset = open_path(path)
    assert len(dataset) == 1
    assert [one.count for one in dataset.passed_over] == [1, 1]
    path.write_text("images/gone.png 1\n")
    with pytest.raises(UserError, match=r"None of the images.*gone\.png"):
        open_path(path)
    path.write_text("Notes on these images\n")
    with pytest.raises(UserError, match="no dataset of a format"):
        open_path(path)


def test_a_list_opens_nothing_outside_the_allowed_folders(images: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(encoded(99))
    path = images / "list.txt"
    path.write_text(f"images/{line(0)} 0\n../secret.png 1\n{tmp_path / 'secret.png'} 1\n")
    assert set(classes_by_level(open_path(path))) == {0, 99}
    allowed = open_path(path, how=Opening(allowed=(images,)))
    assert set(classes_by_level(allowed)) == {0} and allowed.passed_over[0].count == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("path,label\n{path},{number}\n", BY_NUMBER),
        ("\ufefffile;width;ClassId\n{path};9;{number}\n", BY_NUMBER),
        ("id,author,breed\n{stem},me,{name}\n", BY_NAME),
        ("{path},{name}\n", BY_NAME),
        ("author,filename\nme,{path}\n", dict.fromkeys(range(COUNT), "")),
        ('path,label\n"{path}","{name}"\n', BY_NAME),
    ],
)
def test_tables(images: Path, text: str, expected: dict[int, str]) -> None:
    *head, row = text.splitlines()
    rows = [
        row.format(path=line(index), stem=line(index).removesuffix(".png"), number=index % 3, name=NAMES[index % 3])
        for index in range(COUNT)
    ]
    path = images / "table.csv"
    path.write_text("\n".join([*head, *rows]), encoding="utf-8")
    assert classes_by_level(open_path(path)) == expected
    assert contents(path, Options()).size == COUNT


def test_a_table_has_columns_or_splits_to_choose_from(images: Path) -> None:
    path = images / "table.csv"
    head = "file,label,kind,split\n"
    rows = [
        f"{line(index)},{index % 3},{NAMES[index % 3]},{'train' if index < 4 else 'val'}\n" for index in range(COUNT)
    ]
    path.write_text(head.replace(",split", "") + "".join(row.rpartition(",")[0] + "\n" for row in rows))
    assert classes_by_level(open_path(path)) == BY_NUMBER
    assert classes_by_level(open_path(path, Options("kind"))) == BY_NAME
    path.write_text(head + "".join(rows))
    os.utime(path, (1, 1))
    with pytest.raises(UserError, match=r"table\.csv:train, table\.csv:val"):
        open_path(path)
    assert classes_by_level(open_path(path, Options("val"))) == {4: "1", 5: "2"}


def test_tiny_imagenet_as_it_is_unpacked(tmp_path: Path) -> None:
    root = tmp_path / "tiny-imagenet-200"
    ids = ("n01443537", "n01629819")
    for index in range(4):
        train = root / "train" / ids[index % 2] / "images" / f"{index}.JPEG"
        val, test = root / "val" / "images" / f"val_{index}.JPEG", root / "test" / "images" / f"test_{index}.JPEG"
        for level, file in ((index, train), (10 + index, val), (20 + index, test)):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(encoded(level))
        (root / "train" / ids[index % 2] / f"{ids[index % 2]}_boxes.txt").write_text("")
    lines = "".join(f"val_{index}.JPEG\t{ids[index // 2]}\t0\t0\t9\t9\n" for index in range(4))
    (root / "val" / "val_annotations.txt").write_text(lines + "val_9.JPEG\tn01443537\t0\t0\t9\t9\n")
    (root / "wnids.txt").write_text("\n".join(ids))
    with pytest.raises(UserError, match=r":train.*:val.*:test"):
        open_path(root)
    val = {10: ids[0], 11: ids[0], 12: ids[1], 13: ids[1]}
    assert classes_by_level(open_path(root, Options("val"))) == classes_by_level(open_path(root / "val")) == val
    assert open_path(root / "val").passed_over[0].files == ("images/val_9.JPEG",)
    assert classes_by_level(open_path(root, Options("train"))) == {index: ids[index % 2] for index in range(4)}
    assert classes_by_level(open_path(root, Options("test"))) == {20 + index: "" for index in range(4)}


def shard(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def test_webdataset_shards(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "train", "test")):
        files = {}
        for index in range(2 * number, 2 * number + 2):
            files[f"{index:04d}.png"] = encoded(index)
            files[f"{index:04d}.cls"] = str(index % 3).encode()
        shard(tmp_path / "set" / f"{split}-{number:06d}.tar", files | {"notes.md": b"no image"})
    assert parts_of(tmp_path / "set").names == ("test", "train")
    assert classes_by_level(open_path(tmp_path / "set")) == {4: "1", 5: "2"}
    train = open_path(tmp_path / "set", Options("train"))
    assert classes_by_level(train) == {0: "0", 1: "1", 2: "2", 3: "0"}
    assert [(one.kind, one.count) for one in train.passed_over] == [("ending in .md", 2)]
    one = open_path(tmp_path / "set" / "train-000001.tar", how=Opening(cache=tmp_path / "kept"))
    assert classes_by_level(one) == {2: "2", 3: "0"}
    assert contents(tmp_path / "set", Options("train")).size == 4


def test_shards_with_descriptions_folders_and_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    about = {f"{index}.json": json.dumps({"label": NAMES[index % 3]}).encode() for index in range(COUNT)}
    shard(path, about | {f"{index}.jpg": encoded(index) for index in range(COUNT)})
    assert classes_by_level(open_path(path)) == BY_NAME
    shard(tmp_path / "b.tar", {f"set/{line(index)}": encoded(index) for index in range(COUNT)})
    assert classes_by_level(open_path(tmp_path / "b.tar")) == BY_NAME
    shard(tmp_path / "c.tar", {f"{index}.png": encoded(index) for index in range(3)} | {"x.png": b"no image"})
    dataset = open_path(tmp_path / "c.tar")
    assert classes_by_level(dataset) == {0: "", 1: "", 2: ""}
    assert [file for file, _ in dataset.unreadable] == ["c.tar/x.png"]
    shard(tmp_path / "d.tar", {"readme.md": b"no image"})
    with pytest.raises(UserError, match="no dataset of a format"):
        open_path(tmp_path / "d.tar")


def table(rows: range, names: tuple[str, ...] = ()) -> pa.Table:
    cells = [{"bytes": encoded(index), "path": None} for index in rows]
    found = pa.table({"image": cells, "label": [index % 3 for index in rows], "note": ["x" for _ in rows]})
    if not names:
        return found
    features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
    return found.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def test_parquet_of_the_hub(tmp_path: Path) -> None:
    data = tmp_path / "set" / "data"
    data.mkdir(parents=True)
    pq.write_table(table(range(3), NAMES), data / "train-00000-of-00002.parquet", row_group_size=2)
    pq.write_table(table(range(3, COUNT), NAMES), data / "train-00001-of-00002.parquet")
    pq.write_table(table(range(2), NAMES), data / "test-00000-of-00001.parquet")
    assert classes_by_level(open_path(tmp_path / "set", Options("train"))) == BY_NAME
    assert classes_by_level(open_path(tmp_path / "set")) == {0: "cat", 1: "dog"}
    assert contents(tmp_path / "set", Options("train")).classes == NAMES
    pq.write_table(table(range(COUNT)), tmp_path / "plain.parquet")
    assert classes_by_level(open_path(tmp_path / "plain.parquet")) == BY_NUMBER
    pq.write_table(pa.table({"text": ["no image"]}), tmp_path / "text.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "plain.parquet").read_bytes()[:200])
    for name in ("text.parquet", "cut.parquet"):
        with pytest.raises(UserError, match="no dataset of a format"):
            open_path(tmp_path / name)


def test_a_folder_with_images_beside_a_shard_is_a_folder(images: Path) -> None:
    shard(images / "more.tar", {"0.png": encoded(50)})
    dataset = open_path(images / "images")
    assert classes_by_level(dataset) == BY_NAME
    assert set(open_path(images).classes) == {"images"}


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"), (b"\n<!DOCTYPE html><p>", "web page")],
)
@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.tar", "a.parquet", "a.csv"])
def test_what_stands_for_a_file_is_named(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=what):
        open_path(tmp_path / name)


def test_the_order_is_that_of_presentation(images: Path) -> None:
    path = images / "list.txt"
    path.write_text("".join(f"images/{line(index)} {index % 3}\n" for index in range(COUNT)))
    assert list(classes_by_level(open_path(path))) == presentation_order(COUNT).tolist()
