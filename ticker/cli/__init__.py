"""The command line: one function a command, with an example in its help. Exit codes: 0 done, 1 failed, 2 bad use."""

import gc
import io
import sys

from ticker.settings.errors import ConfigurationError

# What is imported stays: to look through it for garbage again and again is a tenth of a start. A service that has
# started is looked through more often (`lifecycle.settle`).
gc.set_threshold(100_000)


def main() -> None:
    """Run the command line; a configuration that cannot be used ends it with exit code 2, a full disk with 1."""
    try:
        _write_what_can_be()
        from ticker.cli.commands import app  # noqa: PLC0415 - what is wrong with it is told below

        app()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except OSError as error:
        sys.stderr.write(f"ticker: {error}\n")
        sys.exit(1)


def _write_what_can_be() -> None:
    """A letter that the terminal's coding does not have is written as its escape and ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
