"""What has to be downloaded before a study can run: said before the click, and how to do without a network."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nap_core import datasets, studies
from nap_core.datasets import hub
from nap_core.storage import byte_size
from nap_core.storage.downloads import Download
from nap_core.storage.progress import Progress
from nap_core.studies.study import Study


def described(missing: Sequence[Download]) -> str:
    """How much it is and where from, in Markdown: "235 MB from `www.cs.toronto.edu` and `ufldl.stanford.edu`"."""
    hosts = list(dict.fromkeys(f"`{one.host}`" for one in missing))  # as code: no links to bare servers
    listed = hosts[0] if len(hosts) == 1 else f"{', '.join(hosts[:-1])} and {hosts[-1]}"
    return f"{amount(missing)} from {listed}"


def amount(missing: Sequence[Download]) -> str:
    """How much it is, as far as anybody has published it."""
    size, unknown = sum(one.size or 0 for one in missing), sum(one.size is None for one in missing)
    if not size:
        return f"{unknown} files of unpublished size" if unknown > 1 else "a file of unpublished size"
    more = f" and {unknown} file{'s' if unknown > 1 else ''} of unpublished size" if unknown else ""
    return f"{byte_size.in_words(size)}{more}"


def mark(name: str) -> str:
    """What a list of datasets adds to a title: what is still to be downloaded, nothing for what is here."""
    missing = datasets.missing_downloads(name)
    if not missing:
        return " · to download" if hub.owns(name) and not datasets.prepared(name) else ""
    if any(one.by_hand for one in missing):
        return " · to be put there by you"
    size = sum(one.size or 0 for one in missing)
    return f" · {byte_size.in_words(size)} to download" if size else " · to download"


def waits(study: Study) -> bool:
    """Whether anything of a study has still to be downloaded."""
    return bool(studies.missing_downloads(study) or _of_the_hub(study))


def _of_the_hub(study: Study) -> list[str]:
    """The datasets of the Hugging Face Hub that are not here, by their titles; their sizes are unknown before."""
    names = [name for name in studies.needed_datasets(study) if hub.owns(name)]
    return [datasets.title(name) for name in names if not datasets.prepared(name)]


def explain(study: Study) -> bool:
    """Draw what of a study will be downloaded, and which file to put where without a network.

    True when all of it can be downloaded: some files are given to registered people only and placed by hand.
    """
    missing, hub_titles = studies.missing_downloads(study), _of_the_hub(study)
    by_hand = [one for one in missing if one.by_hand]
    if by_hand:
        steps = "\n".join(f"- {one.instruction}" for one in by_hand)
        st.warning(f"Given only to people who agree to its terms, so this is yours to do:\n{steps}")
    fetched = [one for one in missing if not one.by_hand]
    lines = [f":material/download: {one.title}: {described([one])}" for one in fetched]
    lines += [f":material/download: {title}: from `huggingface.co`" for title in hub_titles]
    if lines:
        total = f", {amount(fetched)} in all" if len(fetched) > 1 else ""
        listed = "  \n".join(lines)
        st.markdown(f"To be downloaded first{total}:  \n{listed}")
    if fetched:
        with st.expander("No network here?", icon=":material/wifi_off:"):
            st.markdown("\n".join(f"- {one.instruction[0].upper()}{one.instruction[1:]}" for one in fetched))
    return not by_hand


def progress_text(now: Progress) -> str:
    """How far a download or an archive is: "Downloading CIFAR-10 …: 34 MB of 170 MB · 5.2 MB/s · about 26 s left"."""
    verb = "Downloading" if now.unit == "bytes" else "Unpacking"
    if not now.done:
        return f"{verb} {now.title} …"
    size = (
        f"{byte_size.in_words(now.done)} of {byte_size.in_words(now.total)}"
        if now.total
        else byte_size.in_words(now.done)
    )
    left = f" · about {now.seconds_left:.0f} s left" if now.total and now.seconds_left else ""
    return f"{verb} {now.title}: {size} · {now.speed / 1e6:.1f} MB/s{left}"
