"""Numbers of bytes as text."""

from __future__ import annotations

_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def in_words(size: int) -> str:
    """ "1.4 GB", "860 MB", "23 kB", "999 bytes": at most one decimal, none from 10 on."""
    for unit, name in _UNITS:
        if size >= unit:
            number = size / unit
            return f"{number:,.0f} {name}" if number >= 9.95 else f"{number:.1f} {name}"
    return f"{size} bytes"
