"""A study of ImageNet's size: 50,000 images and 4 × 10,000, 2,048 channels, 1,000 classes, within 4 GB of memory.

Run by itself as a script it is the child whose memory is limited; ``table`` starts it and reads its output.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the child limits its memory before it imports anything that takes some
    from nap_core.analysis.evaluation import MethodScores
    from nap_core.methods import EvaluationData
    from nap_core.studies.study import Study

GIGABYTES = 4
METHODS = ("nap", "energy", "nap+energy", "msp", "ash-s", "react", "dice", "mahalanobis", "nap+knn")
KNN_ROWS = 1_000
"""Images of each dataset that KNN scores: each is compared with all 50,000 of the fit split, whatever the memory."""


def table() -> list[str]:
    """What the child measured."""
    from documents import table as markdown

    with tempfile.TemporaryDirectory(prefix="nap-scale-") as folder:
        command = [sys.executable, str(Path(__file__)), folder]
        environment = {**os.environ, "NAP_STORE": folder}
        child = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    records = [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")]
    about, store, *work = records
    limited = (
        f"in a process whose data may not exceed {GIGABYTES} GB (`RLIMIT_DATA`)"
        if about["limited"]
        else "without a limit, which this system does not know"
    )
    peak = max(one["peak"] for one in (store, *work))
    rows = [
        [one["what"], f"{one['seconds']:.1f}", f"{one['processor']:.1f}", f"{one['peak']:.2f}"]
        for one in (store, *work)
    ]
    return [
        f"Made-up activations of a ResNet-50: 50,000 ID images, 4 × 10,000 OOD images, 50,000 of a fit split, 2,048 "
        f"channels, 1,000 classes, {limited}. At no time did it hold more than **{peak:.2f} GB** of its own; what is "
        "read from the store is mapped and counts as the system's cache.",
        "",
        f"The store keeps them in half precision: predicted {store['predicted']:,} bytes, on disk "
        f"**{store['real']:,}** ({store['real'] / store['single']:.0%} of single precision).",
        "",
        *markdown(["work", "seconds here", "of it the processor's", "most memory of its own, GB"], rows),
        "",
        f"What pages ask for is listed by page, as it is computed the first time. KNN scores {KNN_ROWS:,} images of "
        "each dataset here.",
    ]


class Peak:
    """The most anonymous memory of this process since the last reading, sampled every 10 milliseconds."""

    def __init__(self) -> None:
        self._most = 0.0
        if Path("/proc/self/status").exists():
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            status = Path("/proc/self/status").read_text()
            kilobytes = int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])
            self._most = max(self._most, kilobytes / 1e6)
            time.sleep(0.01)

    def take(self) -> float:
        """Gigabytes."""
        most, self._most = self._most, 0.0
        return most


@contextmanager
def measured(peak: Peak, what: str) -> Iterator[dict[str, object]]:
    """Print the seconds and the peak memory of the block as one line of JSON."""
    gc.collect()
    peak.take()
    started, processor = time.perf_counter(), time.process_time()
    more: dict[str, object] = {}
    yield more
    spent, busy = time.perf_counter() - started, time.process_time() - processor
    time.sleep(0.02)
    line = {"what": what, "seconds": spent, "processor": busy, "peak": peak.take(), **more}
    print(json.dumps(line), flush=True)


def limit_memory() -> bool:
    """Let every allocation beyond the limit fail; False where the system has no such limit."""
    try:
        import resource
    except ImportError:
        return False
    resource.setrlimit(resource.RLIMIT_DATA, (GIGABYTES * 10**9,) * 2)
    return True


def measure(folder: Path) -> None:
    """All of it: the store, the study, methods, and what pages compute."""
    print(json.dumps({"limited": limit_memory()}), flush=True)
    import synthetic

    from nap_core import methods, studies
    from nap_core.analysis import evaluation
    from nap_core.methods import EvaluationData, ImageSet
    from nap_core.runs.disk_usage import storage
    from nap_core.storage.activation_store import Manifest, Store, StoreKey

    def first(data: EvaluationData, rows: int) -> EvaluationData:
        id_set, *ood_sets = (ImageSet(one.activations.head(rows)) for one in data.parts.values())
        return EvaluationData(data.id_name, id_set, dict(zip(data.ood, ood_sets, strict=True)), data.context)

    peak, store = Peak(), Store(folder)
    wanted = synthetic.register()
    with measured(peak, "writing the store, shards and then one of each dataset") as more:
        said = storage(wanted, store).size
        sizes = synthetic.fill(store)
        real = {name: size for name, (_, size) in sizes.items() if name != synthetic.FIT}
        single = Manifest(StoreKey("", "", "", ""), "", synthetic.CHANNELS, synthetic.CLASSES)
        more |= {"predicted": said, "real": sum(real.values())}
        more["single"] = sum(single.size(synthetic.ROWS[name]) for name in real)
    with measured(peak, "opening the study"):
        data = studies.run(wanted, store)
    for name in METHODS:
        with measured(peak, f"method: {methods.title(name)}, scores and figures"):
            evaluation.evaluate(first(data, KNN_ROWS) if name.endswith("knn") else data, [name])
    for what, work in pages(wanted, data).items():
        with measured(peak, f"page: {what}"):
            work()


def pages(study: Study, data: EvaluationData) -> dict[str, Callable[[], object]]:
    """What each page computes when it is opened for the first time, by the page's name."""
    from nap_core import methods
    from nap_core.analysis import evaluation
    from nap_core.analysis.bootstrap import intervals
    from nap_core.analysis.channels import ranking, separability
    from nap_core.analysis.channels.max_mean_points import images_collected, points_of
    from nap_core.analysis.comparison import compare_images, disagreement, rank_correlation, scoreboard
    from nap_core.figures import colours
    from nap_core.figures.compare_methods import fpr_curves, roc_curves
    from nap_core.figures.max_vs_mean import scatter
    from nap_core.figures.score_histograms import histograms

    names = study.datasets
    titles, hues = dict(zip(names, names, strict=True)), colours(study.id_dataset, study.ood_datasets)

    def scores() -> list[MethodScores]:
        return [evaluation.method_scores(data, name) for name in methods.STANDARD]

    def scattered() -> object:
        counts = images_collected([data.of(name) for name in names])
        parts = [points_of(name, data.of(name), images=count) for name, count in zip(names, counts, strict=True)]
        return scatter(parts, scores()[0], titles, hues)

    def compared() -> object:
        rows = scores()
        results = evaluation.evaluate(data)
        curves = [draw(rows, study.ood_datasets, "nap", titles) for draw in (roc_curves, fpr_curves)]
        images = disagreement(compare_images(rows[0], rows[2], study.id_dataset))
        return scoreboard(results, "auroc"), curves, images, rank_correlation(rows)

    def one_channel() -> object:
        both = data.id.activations, data.of(study.ood_datasets[0])
        pair = ranking.same_mean_pair(*both, 7), ranking.matched_peaks(*both, 7)
        return pair, [data.of(name).ratio(channels=[7]) for name in names]

    return {
        "Home and Score histograms": lambda: histograms(scores(), study.id_dataset, titles, hues),
        "Max vs mean, the scatter": scattered,
        "Max vs mean, the ranking of channels": lambda: separability.ratio_auroc(
            data.id.activations, [data.of(name) for name in data.ood]
        ),
        "w sensitivity, one combination": lambda: evaluation.weight_curve(data, "nap+energy"),
        "Compare methods, five methods": compared,
        "Compare methods, the bootstrap intervals of one": lambda: intervals(scores()[0]),
        "Activation maps, one channel": one_channel,
    }


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).parent)]
    measure(Path(sys.argv[1]))
