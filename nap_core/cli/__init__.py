"""The command line. A mistake is answered with one sentence on stderr and exit status 2.

Only what a command needs is imported, and only when it runs: ``--help`` must not wait for torch.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from nap_core.cli import catalogues, evaluate, extract, layers, reproduce, score
from nap_core.cli.arguments import add_command
from nap_core.cli.hints import HINTS
from nap_core.errors import UserError

USAGE, STOPPED = 2, 130

DESCRIPTION = "See whether an image classifier has met images like these before: the Neural Activation Prior (NAP) and \
the methods it is compared with."
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
    found = argparse.ArgumentParser(
        prog="python -m nap_core",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = found.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (
        *catalogues.COMMANDS,
        layers.COMMAND,
        evaluate.COMMAND,
        score.COMMAND,
        extract.COMMAND,
        reproduce.COMMAND,
    ):
        add_command(commands, command)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit status; argparse leaves with SystemExit where it is not satisfied."""
    args = parser().parse_args(argv)
    try:
        status: int = args.run(args)
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
