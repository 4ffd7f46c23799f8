"""Files from the network: resumable, checked, and under their final name only when they are whole.

What has been loaded lies beside its place as ``FILE.part`` until all of it is there and checked, with a small JSON that
says which version of the file it is a part of. A lock keeps two processes from writing the same part.
"""

from nap_core.storage.downloads.record import Download
from nap_core.storage.downloads.transfer import fetch

__all__ = ["Download", "fetch"]
