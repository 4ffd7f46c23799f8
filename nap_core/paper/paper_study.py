"""The paper's own experiment as a study of the app: what of it is here, and what is to be put where."""

from __future__ import annotations

from dataclasses import dataclass

from nap_core import datasets, models
from nap_core.models import user_models
from nap_core.paper.spec import HEADINGS, Network, Setting
from nap_core.storage import byte_size
from nap_core.studies import benchmarks
from nap_core.studies.study import Study

CHECKPOINT = (
    "not in the catalogue: take its checkpoint from `github.com/deeplearning-wisc/dice` (folder `checkpoints`) and add "
    "it to your own models as a DenseNet-BC (depth 100, growth 12)"
)
_BENCHMARKS = {"CIFAR-10": "cifar10-paper", "CIFAR-100": "cifar100-paper", "ImageNet-1k": "imagenet-paper"}


@dataclass(frozen=True)
class Need:
    """A model or dataset of an experiment: its title, its catalogue name, whether it is here, and in words, which are
    Markdown, where it lies or how it comes there."""

    title: str
    name: str
    here: bool
    how: str


def study_of(setting: Setting) -> Study | None:
    """The study of the app that is the paper's experiment; None while its network is not among the models."""
    model = _model(setting)
    if not model:
        return None
    whole = benchmarks.study_of(_BENCHMARKS[setting.trained_on], model)
    ood = tuple(name for name, heading in HEADINGS.items() if heading in setting.headings)
    return Study(model, whole.id_dataset, ood, whole.images, whole.fit_dataset)


def needs(setting: Setting) -> list[Need]:
    """The network and the datasets of a setting, the fit split last. Raises UserError for damaged models."""
    benchmark = benchmarks.RECORDS[_BENCHMARKS[setting.trained_on]]
    ood = [name for name, heading in HEADINGS.items() if heading in setting.headings]
    fit = [benchmark.fit_dataset] if benchmark.fit_dataset else []
    return [_network(setting), *(_dataset(name) for name in (benchmark.id_dataset, *ood, *fit))]


def _model(setting: Setting) -> str:
    """The catalogue name of the network, a checkpoint of the user's own included; empty where there is none."""
    network: Network = setting.network
    if network.model:
        return network.model
    for name in user_models.names():
        record = models.find(name)
        if record.architecture == network.architecture and record.trained_on == setting.trained_on:
            return name
    return ""


def _network(setting: Setting) -> Need:
    name = _model(setting)
    title = f"{setting.network.title}, trained on {setting.trained_on}"
    if not name:
        return Need(title, "", False, CHECKPOINT)
    missing = [one for one in models.find(name).downloads() if not one.present]
    if not missing:
        return Need(title, name, True, "here")
    size = f", {byte_size.in_words(missing[0].size)}" if missing[0].size else ""
    return Need(title, name, False, f"downloaded from `{missing[0].host}` when the study runs{size}")


def _dataset(name: str) -> Need:
    title = datasets.title(name)
    missing = datasets.missing_downloads(name)
    place = datasets.find(name).downloads[0].path.parent
    if not missing:
        return Need(title, name, True, f"in `{place}`")
    by_hand = [one for one in missing if one.by_hand]
    if by_hand:
        files = " and ".join(f"`{one.path.name}`" for one in by_hand)
        return Need(title, name, False, f"given to registered people only: put {files} into `{place}`")
    download_size = sum(one.size or 0 for one in missing)
    size = f"{byte_size.in_words(download_size)} " if download_size else ""
    hosts = " and ".join(dict.fromkeys(f"`{one.host}`" for one in missing))
    return Need(title, name, False, f"{size}downloaded from {hosts} into `{place}` when the study runs")
