"""The command line. A user's mistake gives one sentence on stderr and exit status 2.

``commands`` names the module of each command; it is imported when that command runs, so that help needs no torch.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
from collections.abc import Sequence

from nap_core.cli.arguments import add_command
from nap_core.cli.commands import COMMANDS
from nap_core.cli.hints import HINTS
from nap_core.errors import UserError

USAGE, STOPPED = 2, 130

DESCRIPTION = "Detect images that an image classifier was not trained on: the Neural Activation Prior (NAP) and the \
methods it is compared with."
EPILOG = """\
examples:
  python -m nap_core evaluate --model resnet20-cifar10 --ood textures --ood mnist --limit 200
  python -m nap_core score photo.jpg --model efficientnet-lite0-imagenet
  python -m nap_core methods

`python -m nap_core COMMAND --help` says more. Exit status: 0 done, 1 some images could not be scored, 2 a mistake in
the call, 130 stopped with Ctrl-C.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="python -m nap_core",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        add_command(commands, command)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit status; argparse leaves with SystemExit where it is not satisfied."""
    args = parser().parse_args(argv)
    try:
        status: int = pkgutil.resolve_name(args.run)(args)
        sys.stdout.flush()
    except UserError as error:
        return _said(error.worded(HINTS), USAGE)
    except KeyboardInterrupt:
        return _said("Stopped. What was finished is in the store, and the same command goes on from there.", STOPPED)
    except BrokenPipeError:
        # Whoever read stdout has seen enough (`… | head`). The interpreter must not flush into the pipe at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _said("This machine has too little memory for this. Take fewer images (--limit).", USAGE)
    except OSError as error:
        return _said(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.", USAGE)
    return status


def _said(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status
