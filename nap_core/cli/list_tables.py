"""``reproduce --list``: the tables and figures of the paper."""

from __future__ import annotations

from nap_core.cli import output
from nap_core.paper import ENTRIES


def run() -> None:
    """Print the tables and figures that there are."""
    rows = [
        [entry.name, entry.section, entry.title, "" if entry.measured else "no numbers: see the app"]
        for entry in ENTRIES.values()
    ]
    output.write(output.columns(["TABLE", "in the paper", "what", ""], rows), output.STDOUT)
