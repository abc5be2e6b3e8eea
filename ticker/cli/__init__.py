"""The command line: one function a command, with an example in its help. Exit codes: 0 done, 1 failed, 2 bad use."""

import gc
import sys

# What is imported stays: to look through it for garbage again and again is a tenth of a start. A service that has
# started is looked through more often (`lifecycle.settle`).
gc.set_threshold(100_000)

from ticker.cli import quick  # noqa: E402 - the line above is for what this one imports
from ticker.settings import ConfigurationError  # noqa: E402 - the same


def main() -> None:
    """Run the command line; a configuration that cannot be used ends it with exit code 2."""
    try:
        if quick.started(sys.argv[1:]):
            return
        from ticker.cli.commands import app  # noqa: PLC0415 - a service that is started plainly does without

        app()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


__all__ = ["main"]
