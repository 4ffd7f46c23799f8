"""What the paper shows of its idea, its main results, and the weight w."""

from __future__ import annotations

from nap_core.paper.catalogue.rows import (
    ALL_SPECS,
    COMBINATIONS,
    EVERY_METHOD,
    IDEA,
    PRODUCTS,
    RESULTS,
    WEIGHT,
    rows_of,
)
from nap_core.paper.spec import CIFAR10, CIFAR100, DENSENET_BC, MOBILENET, Entry, PageLink, Row, Setting, imagenet

_ORDER_SLIP = (
    "The paper prints the rows MSP, NAP-M, DICE, NAP-D, SCALE, NAP-S, KNN and NAP-K in the order SVHN, LSUN-Crop, "
    "LSUN-Resize, iSUN, Textures, Places365, not in that of its header. They stand under their true datasets here."
)
_TABLES_DISAGREE = (
    "Tables 2 and 9 print the averages of Energy (26.55 / 94.67 and 26.59 / 94.63) and DICE (20.83 / 95.24 and 21.79 / "
    "94.97) differently; on CIFAR-100 Tables 2 and 10 differ in ASH with NAP, and in DICE."
)
_WHERE_MAPS = PageLink("Activation maps", "activation_maps")

ENTRIES = (
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
        (*rows_of("Table 9", ("Energy",)), Row("NAP", "nap"), *rows_of("Table 9", ("NAP-E",))),
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
        COMBINATIONS,
        links=(PageLink("w sensitivity", "w_sensitivity", ALL_SPECS),),
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
        PRODUCTS,
        table="Table 4 (w=0.5, no search)",
        links=(PageLink("w sensitivity", "w_sensitivity", ALL_SPECS),),
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
        COMBINATIONS,
        links=(PageLink("w sensitivity", "w_sensitivity", ALL_SPECS),),
        notes=(
            "Once the distorted images are in the store, the w found is what this app's combinations have by default; "
            "the tables here keep to the paper's w.",
        ),
    ),
)
