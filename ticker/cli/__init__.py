"""The command line: one function a command, with an example in its help. Exit codes: 0 done, 1 failed, 2 bad use."""

import gc

# What is imported stays: to look through it for garbage again and again is a tenth of a start.
gc.set_threshold(10_000)

from ticker.cli.commands import main  # noqa: E402 - the line above is for what this one imports

__all__ = ["main"]
