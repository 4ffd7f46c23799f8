"""Every table and figure of the NAP paper (arXiv:2402.18162): what it asks, what it says, and how it is run again."""

from __future__ import annotations

from nap_core.errors import UserError
from nap_core.published import COUNTERPARTS
from nap_core.reproduction.records import (
    CIFAR10,
    CIFAR100,
    DENSENET121,
    DENSENET_BC,
    MOBILENET,
    RESNET50,
    VGG16,
    VIT,
    Entry,
    PageLink,
    Row,
    Setting,
    imagenet,
)

IDEA, RESULTS, WEIGHT = "The idea", "The main results", "The weight w"
DESIGN, NETWORKS, LIMITS = "The score and its cost", "Layers and networks", "Near-OOD and accuracy"
GROUPS = (IDEA, RESULTS, WEIGHT, DESIGN, NETWORKS, LIMITS)

_BASES = {"NAP-M": "MSP", "NAP-E": "Energy", "NAP-A": "ASH", "NAP-D": "DICE", "NAP-S": "SCALE", "NAP-R": "ReAct"}
_BASES |= {"NAP-K": "KNN"}


def _rows(table: str, names: tuple[str, ...] = ()) -> tuple[Row, ...]:
    """Our methods for the rows of a table, those of ``names`` or all of them; a combination is to beat its base."""
    parts = [part for part in COUNTERPARTS if part.table == table]
    chosen = [next(part for part in parts if part.method == name) for name in names] if names else parts
    return tuple(
        Row(part.method, part.spec, beats=(_BASES[part.method],) if part.method in _BASES else ()) for part in chosen
    )


EVERY_METHOD = _rows("Table 9")
_PRODUCTS = tuple(
    row
    for base in ("MSP", "Energy", "ASH", "DICE", "ReAct", "KNN")
    for plain in _rows("Table 9", (base,))
    for row in (plain, Row(f"{base} x NAP", f"nap+{plain.spec}", 0.5, (base,)))
)
_DESIGNS = (
    Row("Energy (baseline)", "energy"),
    Row("Energy x Variance", "nap-variance+energy", beats=("Energy (baseline)",)),
    Row("Energy x No Square", "nap-no-square+energy", beats=("Energy (baseline)",)),
    Row("Energy x Minus", "nap-minus+energy", beats=("Energy (baseline)",)),
    Row(
        "Energy x NAP",
        "nap+energy",
        beats=("Energy (baseline)", "Energy x Variance", "Energy x No Square", "Energy x Minus"),
    ),
)
_ALL_SPECS = tuple(row.spec for row in EVERY_METHOD)
_COMBINATIONS = tuple(Row(row.printed, row.spec) for row in EVERY_METHOD if row.beats)
_ORDER_SLIP = (
    "The paper prints the rows MSP, NAP-M, DICE, NAP-D, SCALE, NAP-S, KNN and NAP-K in the order SVHN, LSUN-Crop, "
    "LSUN-Resize, iSUN, Textures, Places365, not in that of its header. They stand under their true datasets here."
)
_TABLES_DISAGREE = (
    "Tables 2 and 9 print the averages of Energy (26.55 / 94.67 and 26.59 / 94.63) and DICE (20.83 / 95.24 and 21.79 / "
    "94.97) differently; on CIFAR-100 Tables 2 and 10 differ in ASH with NAP, and in DICE."
)
_LAYERS = tuple(Row(f"NAP({names})", names) for names in ("c1", "t1", "t2", "p"))
_LAYER_PRODUCTS = tuple(Row(f"NAP({names})", names) for names in ("c1,t1,t2,p", "t1,t2,p", "t2,p"))
_WHERE_MAPS = PageLink("Activation maps", "activation_maps")
_SCATTER = PageLink("Max vs mean", "max_vs_mean")


def _scatter(number: int, setting: Setting, asks: str) -> Entry:
    return Entry(
        f"figure-{number}",
        f"Max and mean in {setting.network.title}",
        asks,
        "At the same mean, ID images reach a higher maximum.",
        "Appendix E",
        NETWORKS,
        "picture",
        (setting,),
        links=(_SCATTER,),
    )


_ENTRIES = (
    Entry(
        "figure-1",
        "Same mean, different maximum",
        "Does the peak of a channel tell ID from OOD where its mean does not?",
        "At the same mean, ID images reach a higher maximum.",
        "Section 1",
        IDEA,
        "picture",
        (Setting(DENSENET_BC, "CIFAR-10", ("iSUN",)),),
        links=(PageLink("Figure 1a: Activation maps", "activation_maps"), PageLink("1b: Max vs mean", "max_vs_mean")),
    ),
    Entry(
        "figure-2",
        "Energy, NAP and both together",
        "Do the scores part further when NAP is multiplied in?",
        "Combining NAP with Energy makes the overlap smaller.",
        "Section 1",
        IDEA,
        "methods",
        (CIFAR10, CIFAR100),
        (*_rows("Table 9", ("Energy",)), Row("NAP", "nap"), *_rows("Table 9", ("NAP-E",))),
        table="Table 9",
        links=(PageLink("Score histograms", "score_histograms", ("energy", "nap", "nap+energy")),),
        notes=("The figure prints no numbers; those beside ours are Table 9's, or Table 10's.",),
    ),
    Entry(
        "figure-3",
        "Where NAP is read in a network",
        "Which map is it read from?",
        "The last map before global pooling, after its ReLU.",
        "Section 3",
        IDEA,
        "statement",
        links=(_WHERE_MAPS,),
    ),
    Entry(
        "figure-8",
        "More activation maps",
        "What do channels show of known and unknown images?",
        "A few strong neurons on ID images, weak noise on OOD images.",
        "Appendix J",
        IDEA,
        "picture",
        (CIFAR10,),
        links=(_WHERE_MAPS,),
    ),
    Entry(
        "table-1",
        "What each method takes from the penultimate layer",
        "Is the pattern within a channel used by any other method?",
        "Only NAP looks within a channel, before pooling.",
        "Section 2",
        IDEA,
        "statement",
        links=(PageLink("The catalogue of methods", "compare_methods"),),
    ),
    Entry(
        "table-2",
        "CIFAR averages",
        "Does NAP help every method on average?",
        "It makes every method better.",
        "Section 5.1",
        RESULTS,
        "methods",
        (CIFAR10, CIFAR100),
        EVERY_METHOD,
        table="Table 2",
        links=(PageLink("Compare methods", "compare_methods", _ALL_SPECS),),
        notes=(_TABLES_DISAGREE,),
    ),
    Entry(
        "table-9",
        "CIFAR-10, dataset by dataset",
        "Does NAP help every method on every OOD dataset?",
        "It makes every method better.",
        "Appendix G",
        RESULTS,
        "methods",
        (CIFAR10,),
        EVERY_METHOD,
        table="Table 9",
        links=(PageLink("Compare methods", "compare_methods", _ALL_SPECS),),
        notes=(_ORDER_SLIP,),
    ),
    Entry(
        "table-10",
        "CIFAR-100, dataset by dataset",
        "Does NAP help every method where there are 100 classes?",
        "It makes every method better.",
        "Appendix G",
        RESULTS,
        "methods",
        (CIFAR100,),
        EVERY_METHOD,
        table="Table 10",
        links=(PageLink("Compare methods", "compare_methods", _ALL_SPECS),),
        notes=(_ORDER_SLIP,),
    ),
    Entry(
        "table-3",
        "ImageNet-1k",
        "Does NAP help every method on ImageNet?",
        "It makes every method better.",
        "Section 5.2",
        RESULTS,
        "methods",
        (imagenet(MOBILENET),),
        EVERY_METHOD,
        table="Table 3",
        links=(PageLink("Compare methods", "compare_methods", _ALL_SPECS),),
    ),
    Entry(
        "figure-4b",
        "FPR95 over w, on CIFAR (and Figure 4c, on ImageNet)",
        "At which w is NAP better than the method alone?",
        "At every w: NAP improves the baseline across the entire range.",
        "Section 6.2",
        WEIGHT,
        "curves",
        (CIFAR10, CIFAR100, imagenet(MOBILENET)),
        _COMBINATIONS,
        links=(PageLink("w sensitivity", "w_sensitivity", _ALL_SPECS),),
        notes=("The figures print curves and no numbers; what is counted here is what their text says of them.",),
    ),
    Entry(
        "table-4",
        "Without a search for w",
        "Does plain multiplication (w = 0.5) do as well?",
        "Even without the search, NAP helps every method.",
        "Section 6.2",
        WEIGHT,
        "methods",
        (CIFAR10, CIFAR100, imagenet(MOBILENET)),
        _PRODUCTS,
        table="Table 4 (w=0.5, no search)",
        links=(PageLink("w sensitivity", "w_sensitivity", _ALL_SPECS),),
        notes=("The paper multiplies; w = 0.5 is the square root of the product, which orders images alike.",),
    ),
    Entry(
        "table-11",
        "The w that the search finds",
        "Is a w found on distorted ID images good on OOD images?",
        "The search finds the best w without OOD images.",
        "Appendix H",
        WEIGHT,
        "weights",
        (CIFAR10, CIFAR100, imagenet(MOBILENET)),
        _COMBINATIONS,
        links=(PageLink("w sensitivity", "w_sensitivity", _ALL_SPECS),),
    ),
    Entry(
        "figure-4a",
        "What a classifier with OOD labels learns",
        "Is the formula what an MLP would make of maxima and means?",
        "The oracle's score runs along with that of NAP.",
        "Section 6.1",
        DESIGN,
        "oracle",
        (CIFAR10,),
        (Row("Oracle", "oracle"),),
        links=(PageLink("Score designs", "score_designs"),),
        notes=("The figure prints no correlation; one of 0.5 or more is taken for running along here.",),
    ),
    Entry(
        "table-5",
        "NAP alone",
        "How well does NAP do by itself?",
        "NAP alone is better than MSP and Energy.",
        "Section 6.3",
        DESIGN,
        "methods",
        (imagenet(VGG16),),
        (*_rows("Table 9", ("MSP", "Energy")), Row("NAP", "nap", beats=("MSP", "Energy"))),
        table="Table 5",
        links=(PageLink("Compare methods", "compare_methods", ("msp", "energy", "nap")),),
        notes=(
            "Tables 5 and 8 both print NAP alone on VGG16, as 32.78 / 92.18 and 29.23 / 93.46 on average. A VGG has "
            "two candidates for the map that NAP is read from.",
        ),
    ),
    Entry(
        "table-6",
        "Other designs of the score",
        "Why the square of maximum over mean?",
        "Every design helps Energy, and NAP helps it most.",
        "Section 6.4",
        DESIGN,
        "methods",
        (CIFAR10,),
        _DESIGNS,
        table="Table 6",
        links=(
            PageLink("Score designs", "score_designs"),
            PageLink("Compare methods", "compare_methods", tuple(row.spec for row in _DESIGNS)),
        ),
        notes=("The paper does not say which w the other designs had; all have Energy's here.",),
    ),
    Entry(
        "figure-5",
        "Max and mean at four layers",
        "Do ID and OOD images part at earlier layers?",
        "The deeper the layer, the clearer; clearest in the penultimate one.",
        "Appendix C",
        NETWORKS,
        "layers",
        (Setting(DENSENET_BC, "CIFAR-10", ("Places365",)),),
        _LAYERS,
        links=(PageLink("Layers", "layers"),),
        notes=("The figure prints no numbers; what each layer tells apart is counted here.",),
    ),
    Entry(
        "table-7",
        "NAP at other layers, and products of layers",
        "Is there more in earlier layers, or in several together?",
        "The penultimate layer alone is best.",
        "Appendix D",
        NETWORKS,
        "layers",
        (CIFAR10, CIFAR100),
        (*_LAYERS[:3], *_LAYER_PRODUCTS, _LAYERS[3]),
        table="Table 7",
        links=(PageLink("Layers", "layers"),),
        notes=(
            "c1 is the first convolution, t1 and t2 the transitions, p the penultimate map; other networks have "
            "the ends of their stages in place of transitions.",
        ),
    ),
    Entry(
        "table-8",
        "Other networks",
        "Does it hold for other CNNs?",
        "NAP with Energy is better than either alone in every network.",
        "Appendix E",
        NETWORKS,
        "methods",
        (imagenet(VGG16), imagenet(DENSENET121), imagenet(RESNET50)),
        (
            *_rows("Table 9", ("Energy",)),
            Row("NAP", "nap"),
            Row("NAP-E", "nap+energy", beats=("Energy", "NAP")),
        ),
        table="Table 8",
        links=(PageLink("Compare methods", "compare_methods", ("energy", "nap", "nap+energy")),),
        notes=("On VGG16, NAP alone is not what Table 5 prints (32.78 / 92.18).",),
    ),
    _scatter(9, imagenet(MOBILENET, ("iNaturalist",)), "Do the peaks part in MobileNetV2?"),
    _scatter(10, imagenet(RESNET50, ("iNaturalist",)), "Do the peaks part in ResNet-50?"),
    _scatter(11, imagenet(VGG16, ("iNaturalist",)), "Do the peaks part in VGG16?"),
    Entry(
        "figure-7",
        "Where NAP is read in a Transformer",
        "What takes the place of the channels?",
        "The attention of the class token in the last block; NAP is its maximum.",
        "Appendix K",
        NETWORKS,
        "statement",
        (imagenet(VIT),),
        links=(_WHERE_MAPS,),
    ),
    Entry(
        "table-13",
        "A Transformer",
        "Does it hold for ViT-B/16?",
        "NAP makes Energy and MSP better.",
        "Appendix K",
        NETWORKS,
        "methods",
        (imagenet(VIT),),
        _rows("Table 9", ("Energy", "NAP-E", "MSP", "NAP-M")),
        table="Table 13",
        links=(PageLink("Compare methods", "compare_methods", ("energy", "nap+energy", "msp", "nap+msp")),),
    ),
    Entry(
        "table-12",
        "Near-OOD: CIFAR-10 against CIFAR-100",
        "Does it help where the unknown looks like the known?",
        "NAP makes Energy, ReAct and ASH better there too.",
        "Appendix I",
        LIMITS,
        "methods",
        (Setting(DENSENET_BC, "CIFAR-10", ("CIFAR-100",)),),
        _rows("Table 12"),
        table="Table 12",
        links=(PageLink("Compare methods", "compare_methods", tuple(row.spec for row in _rows("Table 12"))),),
        notes=("The paper does not say which w this table has; it is Table 11's here.",),
    ),
    Entry(
        "figure-6",
        "ID accuracy and AUROC",
        "What do the methods cost in accuracy?",
        "The combinations with NAP lie on the Pareto front.",
        "Appendix F",
        LIMITS,
        "accuracy",
        (CIFAR10, CIFAR100),
        EVERY_METHOD,
        table="Table 2",
        links=(PageLink("Compare methods", "compare_methods", _ALL_SPECS),),
        notes=("The figure prints no numbers; the AUROC beside ours is Table 2's.",),
    ),
)

ENTRIES: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def find(text: str) -> Entry:
    """The entry that ``text`` names: "table-9", "Table 9", "9" (a table), "figure-6", "fig 6".

    Raises UserError for anything else.
    """
    word = text.strip().lower().replace(" ", "-").replace("_", "-").replace("fig.", "fig")
    word = word.replace("fig-", "figure-") if word.startswith("fig-") else word
    aliases = {"figure-4c": "figure-4b", "6.5": "section-6.5"}
    found = ENTRIES.get(aliases.get(word, word)) or ENTRIES.get(f"table-{word}")
    if found is None:
        raise UserError(f"The paper has no “{text}”, or nothing can be run of it. There are: {', '.join(ENTRIES)}.")
    return found
