"""The command line: one function a command, with an example in its help. Exit codes: 0 done, 1 failed, 2 bad use."""

from ticker.cli.commands import main

__all__ = ["main"]
