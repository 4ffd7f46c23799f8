"""What an entry is run on: a study of the app, or data that the command line was pointed to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nap_core import datasets, models
from nap_core.analysis import layers, weight_search
from nap_core.analysis.evaluation import Cases
from nap_core.corruptions import weight_search_images
from nap_core.errors import UserError
from nap_core.extraction import extract_layers
from nap_core.methods import Ground, Part, Watch
from nap_core.models import LoadedModel
from nap_core.models.loaded_model import read_at
from nap_core.paper.layout import heading_of
from nap_core.paper.spec import BY_DATASET, HEADINGS, PAPER_IMAGES, Entry, Setting
from nap_core.storage import allowed_folders
from nap_core.storage.activation_store import Store
from nap_core.studies.study import StudyActivations


@dataclass(frozen=True, eq=False)
class Subject:
    """A network and the images that it is asked about.

    ``headings`` has, for every OOD dataset of ``cases``, the paper's heading for it, empty where the paper has none;
    ``titles`` is what each is called. ``architecture`` is its catalogue name. ``pseudo`` gives the activations of the
    distorted ID images, ``at`` the cases at each layer of Figure 5, by the name that Table 7 would give the layer, the
    penultimate one last; both raise UserError where these cannot be had.
    """

    cases: Cases
    headings: Mapping[str, str]
    titles: Mapping[str, str]
    knows: str
    network: str
    architecture: str
    transformer: bool
    pseudo: Callable[[Watch], Part]
    at: Callable[[Watch], dict[str, Cases]]

    @classmethod
    def of(cls, found: StudyActivations, store: Store, device: str | None = None) -> Subject:
        """A study whose activations are there."""
        study = found.study
        record, model = models.find(study.model), study.network()

        def pseudo(watch: Watch) -> Part:
            return weight_search.extracted(study, store, device, watch)

        def at(watch: Watch) -> dict[str, Cases]:
            model = layers.network_of(study)
            wanted = layers.suggested(model)
            found = layers.run_layers(study, store, wanted, device=device, watch=watch)
            return _as_in_table_7(model, found)

        return cls(
            Cases.of(found),
            {
                name: HEADINGS.get(name) or (heading_of(name) if allowed_folders.is_own(name) else "")
                for name in found.ood
            },
            {name: datasets.title(name) for name in found.ood},
            study.knows,
            record.title,
            record.architecture,
            model.reads_attention,
            pseudo,
            at,
        )

    @classmethod
    def of_cases(cls, cases: Cases, model: LoadedModel, knows: str) -> Subject:
        """Images whose OOD datasets are called by the paper's headings."""
        store, device = cases.ground.store, cases.ground.device

        def pseudo(watch: Watch) -> Part:
            if cases.id.images is None:
                raise UserError("The ID images are not there, so they cannot be distorted: w cannot be searched.")
            limit = min(weight_search_images.IMAGES, len(cases.id.activations))
            return weight_search_images.extracted(model, cases.id.images, limit, store, device, watch).pseudo

        def at(watch: Watch) -> dict[str, Cases]:
            wanted = layers.suggested(model)
            parts = {cases.id_name: cases.id, **cases.ood}
            read = {name: _layers_of(part, model, wanted, cases.ground, watch) for name, part in parts.items()}
            found = {
                layer: Cases(
                    cases.id_name,
                    read[cases.id_name][layer],
                    {name: read[name][layer] for name in cases.ood},
                    Ground(read_at(model, layer) if layer else model, knows, store=store, device=device),
                )
                for layer in wanted
            }
            return _as_in_table_7(model, found)

        same = {name: name for name in cases.ood}
        architecture = model.architecture.name
        return cls(cases, same, same, knows, model.title, architecture, model.reads_attention, pseudo, at)

    def setting(self, entry: Entry) -> Setting | None:
        """The paper's setting to stand beside; see ``Entry.setting_for``."""
        return entry.setting_for(self.knows, self.architecture, self.transformer)

    def complete(self, setting: Setting) -> bool:
        """Whether the OOD datasets are just those of ``setting``, so that averages can be compared."""
        return sorted(self.headings.values()) == sorted(setting.headings)

    def remarks(self, entry: Entry) -> list[str]:
        """What keeps this from being the paper's own experiment, a sentence each."""
        setting = self.setting(entry)
        if setting is None:
            if not entry.settings:
                return []
            first = entry.settings[0]
            unlike = f"{self.network} knows {self.knows or 'other data'}"
            if first.knows == self.knows:
                unlike = f"{self.network} is a {'Transformer' if self.transformer else 'CNN'}"
            return [
                f"The paper has this for {first.network.title}, which knows {first.knows}. {unlike}: the paper's "
                "figures are shown for orientation, without differences."
            ]
        said = []
        if setting.network.architecture != self.architecture:
            said.append(
                f"The paper's network is {setting.network.title}, this one is {self.network}: differences are those of "
                "the networks as well."
            )
        fewer = [
            f"{heading} {len(self.cases.ood[name].activations):,} of {PAPER_IMAGES[heading]:,}"
            for name, heading in self.headings.items()
            if heading in setting.headings and len(self.cases.ood[name].activations) < PAPER_IMAGES[heading]
        ]
        if fewer:
            said.append(f"Fewer images than the benchmark has: {', '.join(fewer)}.")
        if entry.kind not in (*BY_DATASET, "accuracy"):
            return said
        absent = [heading for heading in setting.headings if heading not in self.headings.values()]
        other = [self.titles[name] for name, heading in self.headings.items() if heading not in setting.headings]
        if absent:
            said.append(f"The paper has {', '.join(absent)} as well.")
        if other:
            said.append(f"The paper does not have {', '.join(other)} here.")
            called = [title for title in other if title in setting.headings]
            if called:
                said.append(f"What is called {', '.join(called)} in this app is another dataset than the paper's.")
        if absent or other:
            said.append("An average over other datasets than the paper's is not set against its average.")
        return said


def _layers_of(part: Part, model: LoadedModel, wanted: Sequence[str], ground: Ground, watch: Watch) -> dict[str, Part]:
    """The same images at each layer, in one pass."""
    if part.images is None or model.reads_attention:
        raise UserError(
            f"{model.title} cannot be read at earlier layers here: it takes a CNN and the images themselves."
        )
    found = extract_layers(
        model,
        part.images,
        wanted,
        limit=len(part.activations),
        store=ground.store,
        device=ground.device,
        progress=watch.progress,
        should_stop=watch.should_stop,
    )
    return {layer: Part(one, part.images) for layer, one in found.items()}


def _as_in_table_7(model: LoadedModel, found: Mapping[str, Cases]) -> dict[str, Cases]:
    """By the short names of the layers; the stages of other networks face a DenseNet's transitions."""
    short = layers.short_names(model, list(found))
    return {(f"t{name[1:]}" if name[:1] == "s" else name): found[layer] for layer, name in short.items()}
