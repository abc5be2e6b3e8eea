"""How long a hostile answer of four megabytes keeps the loop from its other work, whichever source gives it.

`uv run python -m tests.bench.holds`. The service's own poller reads each document as each source's answer, while a task
looks at the clock every millisecond; the longest time between two of its looks counts, by document the worst source.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from time import perf_counter

from rich.console import Console
from rich.table import Table

from tests.support.upstream import NOON
from ticker.app import compose
from ticker.fetch import Answer, Call
from ticker.settings.loader import load, shipped

SIZE = 4_000_000
LINES = b"observation_date,DCOILBRENTEU\n"
TABLE = b'<ValCurs Date="22.11.2024">'
VALUTE = b"<Valute><CharCode>USD</CharCode><Nominal>1</Nominal><Value>1,0</Value></Valute>"
DOCUMENTS = {
    "numbers": b"[" + b"1," * (SIZE // 2 - 1) + b"1]",
    "objects": b"[" + b'{"a":1},' * (SIZE // 8 - 1) + b"1]",
    "names": b"{" + b",".join(b'"%06d":1' % each for each in range(SIZE // 12)) + b"}",
    "one long name": b'{"' + b"\\n" * (SIZE // 2 - 4) + b'":1}',
    "rows": LINES + b"2024-11-22,1\n" * (SIZE // 14),
    "ends of lines": LINES + b"a\n" * (SIZE // 2 - 20),
    "tables": TABLE + VALUTE * 6_000 + b"</ValCurs>",
    "tags": b"<a>" * 49_000 + b"b" * (SIZE - 3 * 49_000),
    "attributes": b"<a " + b" ".join(b'a%d="1"' % each for each in range(SIZE // 14)) + b"/>",
    "text": TABLE + b"\n" * (SIZE - 40) + b"</ValCurs>",
}


class Same:
    """Whatever is asked for, the same body."""

    body = b""

    async def get(self, call: Call, /) -> Answer:
        """Answer."""
        return Answer(call.url, 200, {}, self.body)


class Look:
    """The longest time between two looks at the clock since `longest` was set to 0."""

    longest = 0.0

    async def keep(self) -> None:
        """Look every millisecond."""
        last = perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = perf_counter()
            self.longest, last = max(self.longest, now - last), now


async def measure() -> dict[str, tuple[float, str]]:
    """The longest hold of each document, in milliseconds, and whose answer it was."""
    config = load(shipped(), {}, {"store.url": "memory://"}).settings
    poller, same, look = compose(config, upstream="http://upstream", now=lambda: NOON, seed=1).poller, Same(), Look()
    poller._fetcher = same  # type: ignore[assignment]
    looking, found = asyncio.create_task(look.keep()), dict[str, tuple[float, str]]()
    for name, same.body in DOCUMENTS.items():
        for source in poller.feeds:
            look.longest = 0.0
            await poller.poll(source)
            await asyncio.sleep(0.002)
            found[name] = max(found.get(name, (0.0, "")), (look.longest * 1000, source))
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking
    return found


def main() -> None:
    """Measure and print."""
    logging.disable(logging.CRITICAL)
    table = Table("document of 4 MB", "holds the loop, ms", "as the answer of")
    for name, (held, source) in asyncio.run(measure()).items():
        table.add_row(name, f"{held:.0f}", source)
    Console().print(table)


if __name__ == "__main__":
    main()
