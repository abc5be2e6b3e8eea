"""The command line: one function a command, with an example in its help. Exit codes: 0 done, 1 failed, 2 bad use."""

import io
import os
import signal
import sys

# Before anything is opened: where standard error was closed, a reader's connection would take its number and be written
# the log.
if None in (sys.stdin, sys.stdout, sys.stderr):
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))

# The first thing this process does: a reload that comes while it still imports waits for `serve`, and does not end it.
if hasattr(signal, "pthread_sigmask"):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

from ticker.cli.commands import app
from ticker.settings.errors import ConfigurationError


def main() -> None:
    """Run the command line; a configuration that cannot be used ends it with exit code 2, a full disk with 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that the terminal's encoding lacks is written as its escape and ends no command.
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except OSError as error:
        sys.stderr.write(f"ticker: {error}\n")
        sys.exit(1)


__all__ = ["main"]
