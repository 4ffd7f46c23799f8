"""``python -m nap_core``: the command line."""

import sys

from nap_core.cli import main

sys.exit(main())
