"""What an entry is run on: a study of the app, or data that the command line was pointed to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nap_core import datasets, models
from nap_core.analysis import layers, weight_search
from nap_core.analysis.evaluation import EvaluationData
from nap_core.corruptions import weight_search_images
from nap_core.errors import UserError
from nap_core.extraction import extract_layers
from nap_core.methods import ImageSet, ScoringContext
from nap_core.models import LoadedModel
from nap_core.models.loaded_model import with_layer
from nap_core.paper.layout import heading_of
from nap_core.paper.spec import BY_DATASET, HEADINGS, PAPER_IMAGES, Entry, Setting
from nap_core.storage import allowed_folders
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import RunCallbacks
from nap_core.studies.study import StudyActivations


@dataclass(frozen=True, eq=False)
class ReproductionInput:
    """A network and the images that it is asked about.

    ``headings`` has, for every OOD dataset of ``cases``, the paper's heading for it, empty where the paper has none;
    ``titles`` is what each is called. ``architecture`` is its catalogue name. ``pseudo`` gives the activations of the
    distorted ID images, ``at`` the cases at each layer of Figure 5, by the name that Table 7 would give the layer, the
    penultimate one last; both raise UserError where these cannot be had.
    """

    cases: EvaluationData
    headings: Mapping[str, str]
    titles: Mapping[str, str]
    trained_on: str
    network: str
    architecture: str
    transformer: bool
    pseudo: Callable[[RunCallbacks], ImageSet]
    at: Callable[[RunCallbacks], dict[str, EvaluationData]]

    @classmethod
    def of(cls, found: StudyActivations, store: Store, device: str | None = None) -> ReproductionInput:
        """A study whose activations are there."""
        study = found.study
        record, model = models.find(study.model), study.network()

        def pseudo(callbacks: RunCallbacks) -> ImageSet:
            return ImageSet(weight_search.extraction_plan(study, device).run(store, callbacks)[0])

        def at(callbacks: RunCallbacks) -> dict[str, EvaluationData]:
            model = layers.network_of(study)
            wanted = layers.suggested(model)
            found = layers.run_layers(study, store, wanted, device=device, callbacks=callbacks)
            return _as_in_table_7(model, found)

        return cls(
            EvaluationData.of(found),
            {
                name: HEADINGS.get(name) or (heading_of(name) if allowed_folders.is_own(name) else "")
                for name in found.ood
            },
            {name: datasets.title(name) for name in found.ood},
            study.trained_on,
            record.title,
            record.architecture,
            model.reads_attention,
            pseudo,
            at,
        )

    @classmethod
    def of_cases(cls, data: EvaluationData, model: LoadedModel, trained_on: str) -> ReproductionInput:
        """Images whose OOD datasets are called by the paper's headings."""
        store, device = data.context.store, data.context.device

        def pseudo(callbacks: RunCallbacks) -> ImageSet:
            if data.id.images is None:
                raise UserError("The ID images are not there, so they cannot be distorted: w cannot be searched.")
            limit = min(weight_search_images.IMAGES, len(data.id.activations))
            return weight_search_images.extracted(model, data.id.images, limit, store, device, callbacks).pseudo

        def at(callbacks: RunCallbacks) -> dict[str, EvaluationData]:
            wanted = layers.suggested(model)
            parts = {data.id_name: data.id, **data.ood}
            read = {name: _layers_of(part, model, wanted, data.context, callbacks) for name, part in parts.items()}
            found = {
                layer: EvaluationData(
                    data.id_name,
                    read[data.id_name][layer],
                    {name: read[name][layer] for name in data.ood},
                    ScoringContext(
                        with_layer(model, layer) if layer else model, trained_on, store=store, device=device
                    ),
                )
                for layer in wanted
            }
            return _as_in_table_7(model, found)

        same = {name: name for name in data.ood}
        architecture = model.architecture.name
        return cls(data, same, same, trained_on, model.title, architecture, model.reads_attention, pseudo, at)

    def setting(self, entry: Entry) -> Setting | None:
        """The paper's setting to stand beside; see ``Entry.setting_for``."""
        return entry.setting_for(self.trained_on, self.architecture, self.transformer)

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
            unlike = f"{self.network} knows {self.trained_on or 'other data'}"
            if first.trained_on == self.trained_on:
                unlike = f"{self.network} is a {'Transformer' if self.transformer else 'CNN'}"
            return [
                f"The paper has this for {first.network.title}, which knows {first.trained_on}. {unlike}: the paper's "
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


def _layers_of(
    image_set: ImageSet, model: LoadedModel, wanted: Sequence[str], context: ScoringContext, callbacks: RunCallbacks
) -> dict[str, ImageSet]:
    """The same images at each layer, in one pass."""
    if image_set.images is None or model.reads_attention:
        raise UserError(
            f"{model.title} cannot be read at earlier layers here: it takes a CNN and the images themselves."
        )
    found = extract_layers(
        model,
        image_set.images,
        wanted,
        limit=len(image_set.activations),
        store=context.store,
        device=context.device,
        callbacks=callbacks,
    )
    return {layer: ImageSet(one, image_set.images) for layer, one in found.items()}


def _as_in_table_7(model: LoadedModel, found: Mapping[str, EvaluationData]) -> dict[str, EvaluationData]:
    """By the short names of the layers; the stages of other networks face a DenseNet's transitions."""
    short = layers.short_names(model, list(found))
    return {(f"t{name[1:]}" if name[:1] == "s" else name): found[layer] for layer, name in short.items()}
