"""Downloads: resumable, checked, and renamed to their final name when they are complete.

A partial download is ``FILE.part``, with a JSON file that identifies the version on the server. A lock keeps two
processes from writing the same part.
"""

from nap_core.storage.downloads.record import Download
from nap_core.storage.downloads.transfer import fetch

__all__ = ["Download", "fetch"]
