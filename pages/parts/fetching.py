"""What has to be downloaded before a study can run: said before the click, and how to do without a network."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nap_core import datasets
from nap_core.datasets import hugging_face
from nap_core.downloads import Download, megabytes
from nap_core.progress import Progress


def described(missing: Sequence[Download]) -> str:
    """How much it is and where from: "235 MB from www.cs.toronto.edu and ufldl.stanford.edu"."""
    hosts = list(dict.fromkeys(one.host for one in missing))
    listed = hosts[0] if len(hosts) == 1 else f"{', '.join(hosts[:-1])} and {hosts[-1]}"
    return f"{amount(missing)} from {listed}"


def amount(missing: Sequence[Download]) -> str:
    """How much it is, as far as anybody has published it."""
    known, unknown = sum(one.size or 0 for one in missing), sum(one.size is None for one in missing)
    files = f"{unknown} file{'s' if unknown > 1 else ''} of unpublished size"
    return " and ".join(part for part in (megabytes(known) if known else "", files if unknown else "") if part)


def mark(name: str) -> str:
    """What a list of datasets adds to a title: what is still to be downloaded, nothing for what is here."""
    missing = datasets.missing_downloads(name)
    if not missing:
        return " · to download" if hugging_face.is_hub(name) and not datasets.prepared(name) else ""
    if any(one.by_hand for one in missing):
        return " · to be put there by you"
    known = sum(one.size or 0 for one in missing)
    return f" · {megabytes(known)} to download" if known else " · to download"


def told(missing: Sequence[Download]) -> bool:
    """Say what will be downloaded, and which file to put where without a network.

    True when all of it can be: what is given to registered people only has to be put there first.
    """
    by_hand = [one for one in missing if one.by_hand]
    if by_hand:
        steps = "\n".join(f"- {one.instruction}" for one in by_hand)
        st.warning(f"Given only to people who agree to its terms, so this is yours to do:\n{steps}")
    fetched = [one for one in missing if not one.by_hand]
    if fetched:
        lines = "  \n".join(f":material/download: {one.title}: {described([one])}" for one in fetched)
        st.markdown(f"To be downloaded first, {amount(fetched)} in all:  \n{lines}")
        with st.expander("No network here?", icon=":material/wifi_off:"):
            st.markdown("\n".join(f"- {one.instruction[0].upper()}{one.instruction[1:]}" for one in fetched))
    return not by_hand


def progress_text(now: Progress) -> str:
    """How far a download or an archive is: "Downloading CIFAR-10 …: 34 MB of 170 MB · 5.2 MB/s · about 26 s left"."""
    verb = "Downloading" if now.unit == "bytes" else "Unpacking"
    if not now.done:
        return f"{verb} {now.dataset} …"
    size = f"{megabytes(now.done)} of {megabytes(now.total)}" if now.total else megabytes(now.done)
    left = f" · about {now.seconds_left:.0f} s left" if now.total and now.seconds_left else ""
    return f"{verb} {now.dataset}: {size} · {now.images_per_second / 1e6:.1f} MB/s{left}"
