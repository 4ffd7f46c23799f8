"""``python -m nap_core``: the command line."""

import sys

from nap_core.cli import main

for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(errors="replace")  # type: ignore[union-attr] # a terminal without the sign still shows the rest

sys.exit(main())
