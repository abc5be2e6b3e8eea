"""The service with the trio, which no source changes: python -m tests.bench.peers.ours PORT fast|ordinary."""

from __future__ import annotations

import asyncio
import gc
import sys
from datetime import timedelta

import uvloop

from tests.support.served_board import live
from ticker import clock


async def started(port: int, *, fast: bool) -> None:
    """Listen, with a board that stands for an hour."""
    served = live(clock=clock.wall, server__fast_path=fast)
    served.port = port
    served.context.board.expect(clock.wall() + timedelta(hours=1))
    await served.start()


async def serve(port: int, *, fast: bool) -> None:
    """Until it is ended."""
    await started(port, fast=fast)
    gc.freeze()  # as `ticker serve` does once it is up
    await asyncio.Event().wait()


def main() -> None:
    """As the command line says."""
    uvloop.run(serve(int(sys.argv[1]), fast=sys.argv[2] == "fast"))


if __name__ == "__main__":
    main()
