"""`python -m ticker` is the command `ticker`."""

from ticker.cli import main

main()
