"""What a study needs from the network is said before the click, fetched after it, and its absence answered."""

import gzip
import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nap_core import datasets, models, studies
from nap_core.datasets import hub, published
from nap_core.datasets.published import catalogue
from nap_core.datasets.user_data import uploads
from nap_core.storage.activation_store import Store
from nap_core.storage.downloads import Download, transfer
from nap_core.studies import benchmarks
from nap_core.studies.study import Study, default_study
from pages.components.study import downloads, workspace
from tests.conftest import Publish
from tests.file_server import FileServer
from tests.pages.conftest import OpenPage
from tests.small_archives import noise, picture, zipped

KMNIST = Study("resnet20-cifar10", "cifar10", ("kmnist-test", "mnist"), 6)


def idx(values: np.ndarray) -> bytes:
    return gzip.compress(
        struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape) + values.tobytes(), mtime=0
    )


@pytest.fixture
def kmnist(publish: Publish) -> Study:
    """A study that meets a dataset which is on a server and not here."""
    images, labels = idx(noise(8, (28, 28))), idx(np.arange(8, dtype=np.uint8))
    publish("kmnist-test", {"t10k-images-idx3-ubyte.gz": images, "t10k-labels-idx1-ubyte.gz": labels})
    return KMNIST


def texts(app: AppTest) -> str:
    elements = (*app.main.markdown, *app.main.caption, *app.main.error, *app.main.warning, *app.main.info)
    return "\n".join(element.value for element in elements)


def run_to_the_end(app: AppTest, study: Study) -> AppTest:
    app.button(key="run-main").click().run()
    job = workspace.jobs().get(study)
    assert job is not None
    job.wait(120)
    app.run()
    assert not app.exception
    return app


def test_nothing_is_fetched_before_the_click_and_the_page_says_what_will_be(
    open_page: OpenPage, kmnist: Study, file_server: FileServer, store_root: Path
) -> None:
    app = open_page("score_histograms", kmnist)
    said = texts(app)
    assert "To be downloaded first" in said
    assert "KMNIST test set (10,000), t10k-images-idx3-ubyte.gz: 6." in said
    assert app.button(key="run-main").label == "Download and run this study (18 images)"
    assert any("6.3 kB from `127.0.0.1`" in one.value for one in app.sidebar.caption)
    assert file_server.requests == []
    app = run_to_the_end(app, kmnist)
    assert file_server.requests == [None, None]
    assert not app.error
    assert "run-main" not in [button.key for button in app.button]
    # Everything is here now: another visitor finds it at once.
    assert "run-main" not in [button.key for button in open_page("home", kmnist).button]


def test_no_network_says_which_file_to_put_where(
    open_page: OpenPage, kmnist: Study, store_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    entry = catalogue.RECORDS["kmnist-test"]
    closed = tuple(replace(file, url=f"http://127.0.0.1:9/{file.name}") for file in entry.files)
    monkeypatch.setitem(catalogue.RECORDS, "kmnist-test", replace(entry, files=closed))
    app = open_page("max_vs_mean", kmnist)
    place = published.folder() / "kmnist"
    line = (
        f"Download http://127.0.0.1:9/{entry.files[0].name} elsewhere and put it as {entry.files[0].name} into {place}"
    )
    assert line in texts(app)  # before the click, under “No network here?”
    app = run_to_the_end(app, kmnist)
    assert any("There is no connection to 127.0.0.1." in one.value and line in one.value for one in app.main.error)
    assert app.button(key="run-main").label.startswith("Go on")


def test_what_is_given_to_registered_people_only_is_left_to_them(open_page: OpenPage, library: Path) -> None:
    chosen = Study("efficientnet-lite0-imagenet", "imagenet-val", ("textures",), 10)
    app = open_page("compare_methods", chosen)
    assert "put it as ILSVRC2012_img_val.tar into" in app.main.warning[0].value
    assert app.button(key="run-main").disabled


@pytest.fixture
def fetched_model(
    tmp_path: Path, file_server: FileServer, monkeypatch: pytest.MonkeyPatch, store_root: Path
) -> models.ModelRecord:
    """A model of the catalogue whose weights are on a server and not here."""
    bundled = models.RECORDS["resnet20-cifar10"]
    content = bundled.weights().read_bytes()
    file_server.files["weights.safetensors"] = content
    path = tmp_path / "weights" / "weights.safetensors"
    weights = Download(
        file_server.url("weights.safetensors"),
        path,
        "Fetched ResNet-20, weights",
        len(content),
        f"sha256-prefix:{hashlib.sha256(content).hexdigest()[:8]}",
    )
    record = replace(
        bundled, name="fetched", title="Fetched ResNet-20", weights=lambda: path, downloads=lambda: (weights,)
    )
    monkeypatch.setitem(models.RECORDS, "fetched", record)
    return record


@pytest.mark.parametrize("page", ["home", "activation_maps", "w_sensitivity", "score_image", "compare_methods"])
def test_pages_wait_for_weights_that_are_not_here(
    open_page: OpenPage, fetched_model: models.ModelRecord, file_server: FileServer, page: str
) -> None:
    chosen = replace(default_study("fetched"), images=10)
    app = open_page(page, chosen, **({"network": "fetched"} if page == "score_image" else {}))
    assert not app.exception
    assert "Fetched ResNet-20, weights" in texts(app)
    assert app.button(key="run-main").label.startswith("Download and run")
    assert file_server.requests == []


def test_weights_are_fetched_before_the_model_is_loaded(
    open_page: OpenPage, fetched_model: models.ModelRecord, file_server: FileServer
) -> None:
    chosen = Study("fetched", "cifar10", ("mnist",), 5)
    assert studies.missing_images(chosen, Store()) == {"cifar10": 5, "mnist": 5}
    app = run_to_the_end(open_page("max_vs_mean", chosen), chosen)
    assert not app.error
    assert file_server.requests == [None]


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((170_498_071,), "170 MB"),
        ((1_648_877, 4_542), "1.7 MB"),
        ((None,), "a file of unpublished size"),
        ((None, None), "2 files of unpublished size"),
        ((525_158_400, None, None), "525 MB and 2 files of unpublished size"),
    ],
)
def test_amounts_in_words(sizes: tuple[int | None, ...], said: str) -> None:
    assert downloads.amount([Download("http://a.b/c", Path("c"), "C", size) for size in sizes]) == said


def _dialog() -> None:
    import streamlit as st

    from nap_core.studies.study import Study
    from pages.components.study import change_study

    change_study.draw(st.session_state.get("test-study") or Study("resnet20-cifar10", "cifar10", ("mnist",), 50))


def dialog(study: Study | None = None) -> AppTest:
    app = AppTest.from_function(_dialog, default_timeout=60)
    if study:
        app.session_state["test-study"] = study
    app.run()
    assert not app.exception
    return app


def test_the_dialog_offers_the_library_after_the_bundled_and_says_what_is_to_download(library: Path) -> None:
    offered = dialog().selectbox(key="id-resnet20-cifar10-").options
    assert offered[0] == "CIFAR-10"
    assert "CIFAR-10 test set (10,000) · 170 MB to download" in offered
    assert "ImageNet validation set · to be put there by you" in offered
    met = dialog().multiselect(key="ood-resnet20-cifar10--cifar10").options
    assert met.index("Textures") < met.index("SVHN · 64 MB to download")
    assert "iSUN · to download" in met
    assert not any("training set" in one for one in met)


def test_a_benchmark_fills_in_the_study(library: Path) -> None:
    app = dialog()
    app.selectbox(key="benchmark-resnet20-cifar10").set_value("cifar10-paper").run()
    assert not app.exception
    assert app.selectbox(key="id-resnet20-cifar10-cifar10-paper").value == "cifar10-test"
    ood = app.multiselect(key="ood-resnet20-cifar10-cifar10-paper-cifar10-test").value
    assert tuple(ood) == benchmarks.RECORDS["cifar10-paper"].ood_datasets
    assert app.selectbox(key="fit-resnet20-cifar10-cifar10-paper").value == "cifar10-train"
    assert app.select_slider[0].value == 10_000
    said = texts(app)
    assert "arXiv:2402.18162, Table 9" in said
    assert "CIFAR-10 test set (10,000): 170 MB from `www.cs.toronto.edu`" in said
    assert said.count("kriz/cifar-10-python.tar.gz") == 1  # the training set is in the same file
    label = "Download, use and run this study"
    [button] = [one for one in app.button if one.label == label]
    assert not button.disabled


def test_the_dialog_opens_on_the_benchmark_that_the_study_is(library: Path) -> None:
    app = dialog(benchmarks.study_of("openood-cifar10", "resnet20-cifar10"))
    assert app.selectbox(key="benchmark-resnet20-cifar10").value == "openood-cifar10"


def test_a_link_may_take_any_dataset_for_the_known_one(library: Path) -> None:
    app = dialog(Study("resnet20-cifar10", "dtd", ("hf:birds/garden", "mnist"), 20))
    assert app.selectbox(key="id-resnet20-cifar10-").value == "dtd"
    assert "hf:birds/garden" in app.multiselect(key="ood-resnet20-cifar10--dtd").value


def test_only_benchmarks_of_what_the_model_knows_are_offered(library: Path) -> None:
    app = dialog(default_study("efficientnet-lite0-imagenet"))
    offered = app.selectbox(key="benchmark-efficientnet-lite0-imagenet").options
    assert offered == ["none: the datasets below", "ImageNet-1k (paper)"]


def test_an_archive_is_unpacked_and_removed_again(library: Path, data_root: Path) -> None:
    app = dialog()
    archive = zipped({"wren/1.png": picture(), "owl/2.png": picture("blue")})
    app.file_uploader(key="own-images-zip-0").set_value([("birds.zip", archive, "application/zip")])
    app.run()
    app.button(key="own-images-add").click().run()
    assert not app.exception
    assert "birds: 2 images in 2 classes" in app.success[0].value
    assert "birds" in app.selectbox(key="id-resnet20-cifar10-").options
    app.button(key="own-images-remove-own:birds").click().run()
    assert "birds was removed" in app.success[0].value
    assert "birds" not in app.selectbox(key="id-resnet20-cifar10-").options
    assert uploads.names() == ()


def test_a_name_of_the_hub_is_offered(library: Path) -> None:
    app = dialog()
    app.text_input(key="own-images-hub").set_value("birds/garden:test").run()
    assert "birds/garden, test · to download" in app.selectbox(key="id-resnet20-cifar10-").options
    app.text_input(key="own-images-hub").set_value("birds").run()
    assert "Write it as hf:owner/name" in app.error[0].value
    assert hub.names() == ()


@pytest.mark.usefixtures("library", "store_root")
def test_a_dataset_of_the_hub_is_told_before_the_click(open_page: OpenPage) -> None:
    app = open_page("compare_methods", Study("resnet20-cifar10", "cifar10", ("hf:birds/garden:test",), 10))
    assert "birds/garden, test: from `huggingface.co`" in texts(app)
    assert app.button(key="run-main").label == "Download and run this study (20 images)"


def test_every_benchmark_can_be_a_study(library: Path) -> None:
    for name, one in benchmarks.RECORDS.items():
        if one.trained_on != "CIFAR-100":  # no bundled model knows it
            model = next(model for model, record in models.RECORDS.items() if record.trained_on == one.trained_on)
            assert name in benchmarks.of_model(model)
            chosen = benchmarks.study_of(name, model)
            assert Study.from_query(chosen.to_query()) == chosen
        assert all(datasets.find(dataset) for dataset in (one.id_dataset, *one.ood_datasets))
        assert one.note.endswith(".")
