"""What an entry is run on: a study of the app, or data that the command line was pointed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from nap_core import datasets
from nap_core.analysis import layers
from nap_core.errors import UserError
from nap_core.extraction import ExtractionPlan, ExtractionStep, sites_of
from nap_core.methods import EvaluationData, ScoringContext
from nap_core.models import LoadedModel
from nap_core.paper.layout import heading_of
from nap_core.paper.spec import BY_DATASET, HEADINGS, PAPER_IMAGES, Entry, Setting
from nap_core.storage import allowed_folders
from nap_core.storage.progress import RunCallbacks


@dataclass(frozen=True, eq=False)
class ReproductionInput:
    """A network and the images on which entries are run.

    The OOD datasets of ``data`` have their catalogue names, or the paper's headings where they come from a data root.
    """

    data: EvaluationData

    @cached_property
    def model(self) -> LoadedModel:
        """The network. Raises UserError where there is none."""
        return self.data.context.network("An experiment of the paper")

    @property
    def trained_on(self) -> str:
        """What the network was trained on, as the papers call it."""
        return self.data.context.trained_on

    @cached_property
    def headings(self) -> Mapping[str, str]:
        """The paper's heading of every OOD dataset, empty where the paper has none."""
        return {name: _heading(name) for name in self.data.ood}

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """What every OOD dataset is called."""
        return {name: datasets.title(name) for name in self.data.ood}

    def at_layers(self, callbacks: RunCallbacks) -> dict[str, EvaluationData]:
        """The data at each layer of Figure 5, by the name that Table 7 would give the layer, the penultimate one last.

        Raises UserError for a Transformer, and where only activations are there.
        """
        model, context, parts = layers.as_it_comes(self.model), self.data.context, self.data.parts
        images = {name: part.images for name, part in parts.items() if part.images is not None}
        if model.reads_attention or len(images) < len(parts):
            raise UserError(
                f"{model.title} cannot be read at earlier layers here: it takes a CNN and the images themselves."
            )
        names = layers.short_names(model, layers.suggested(model))
        # The stages of other networks face a DenseNet's transitions.
        names = {layer: f"t{name[1:]}" if name[:1] == "s" else name for layer, name in names.items()}
        sites = sites_of(model, list(names))
        steps = [
            ExtractionStep(tuple(sites.values()), one, len(parts[name].activations)) for name, one in images.items()
        ]
        contexts = {
            names[layer]: ScoringContext(site, self.trained_on, store=context.store) for layer, site in sites.items()
        }
        plan = ExtractionPlan(steps, context.device)
        return layers.run_plan(plan, self.data.id_name, images, contexts, callbacks)

    def setting(self, entry: Entry) -> Setting | None:
        """The paper's setting to stand beside; see ``Entry.setting_for``."""
        return entry.setting_for(self.trained_on, self.model.architecture.name, self.model.reads_attention)

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
            unlike = f"{self.model.title} is trained on {self.trained_on or 'other data'}"
            if first.trained_on == self.trained_on:
                unlike = f"{self.model.title} is a {'Transformer' if self.model.reads_attention else 'CNN'}"
            return [
                f"The paper has this for {first.network.title}, trained on {first.trained_on}. {unlike}: the paper's "
                "figures are shown for orientation, without differences."
            ]
        said = []
        if setting.network.architecture != self.model.architecture.name:
            said.append(
                f"The paper's network is {setting.network.title}, this one is {self.model.title}: "
                "differences are those of the networks as well."
            )
        fewer = [
            f"{heading} {len(self.data.ood[name].activations):,} of {PAPER_IMAGES[heading]:,}"
            for name, heading in self.headings.items()
            if heading in setting.headings and len(self.data.ood[name].activations) < PAPER_IMAGES[heading]
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


def _heading(name: str) -> str:
    if name in HEADINGS.values():
        return name
    return HEADINGS.get(name) or (heading_of(name) if allowed_folders.is_own(name) else "")
