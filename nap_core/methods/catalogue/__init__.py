"""The catalogue of methods: one record each. Pages, the command line, README tables and tests are made from it."""

from __future__ import annotations

from nap_core.methods.catalogue import features, images, logits, priors, shaping
from nap_core.methods.spec import MethodRecord

# What pytorch-ood offers for classification and the catalogue leaves out, with the reason.
LEFT_OUT: dict[str, str] = {
    "MCM": "it scores image embeddings of CLIP against text prompts, which a classifier does not have",
    "WeightedEBO": "its class weights are learned together with the network",
}

RECORDS: dict[str, MethodRecord] = {
    record.name: record for family in (priors, logits, shaping, features, images) for record in family.RECORDS
}
