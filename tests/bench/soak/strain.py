"""The loads of `strains`: each goes on until it is cancelled, and says nothing twice where that matters."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from tests.bench.soak.readers import QUESTIONS

TURNS = 200
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass
class Reach:
    """The service under strain: where it listens, its process, and what it has answered."""

    port: int
    pid: int
    count: int = 0
    answers: Counter[str] = field(default_factory=Counter)

    async def ask(self, questions: Callable[[int], tuple[str, str]], clients: int = 2) -> None:
        """Ask for the target and fields of each number, on connections that are opened anew every `TURNS` questions."""
        numbers = count()

        async def one() -> None:
            while True:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                with suppress(OSError, EOFError):
                    for _ in range(TURNS):
                        target, fields = questions(next(numbers))
                        writer.write(f"GET {target} HTTP/1.1\r\n{fields or 'Host: x'}\r\n\r\n".encode())
                        head = await reader.readuntil(b"\r\n\r\n")
                        length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                        await reader.readexactly(int(length or 0))
                        self.count += 1
                        self.answers[head[9:12].decode()] += 1
                writer.close()

        await asyncio.gather(*(one() for _ in range(clients)))


def _word(number: int) -> str:
    word = ""
    while number or not word:
        number, letter = divmod(number, 26)
        word += LETTERS[letter]
    return word


async def errors(reach: Reach) -> None:
    """Every answer of every source is faulty, in every way there is; readers ask beside it, slowly."""
    await reach.ask(lambda _: ("/v1/quotes", ""), clients=1)


async def days(reach: Reach) -> None:
    """The soak's own questions, on its clock."""
    await reach.ask(lambda number: (QUESTIONS[number * 37 % len(QUESTIONS)][0], ""))


async def reloads(reach: Reach) -> None:
    """SIGHUP twice a second, and a reader."""

    async def again() -> None:
        while True:
            os.kill(reach.pid, signal.SIGHUP)
            await asyncio.sleep(0.5)

    await asyncio.gather(again(), reach.ask(lambda n: (f"/v1/quotes?lang=en&symbols={('USD', 'EUR')[n % 2]}", "")))


async def streams(reach: Reach) -> None:
    """Listeners who come, hear the first event, and go; some say good-bye, some are just gone."""

    async def one(first: int) -> None:
        for turn in count(first):
            reader, writer = await asyncio.open_connection("127.0.0.1", reach.port)
            with suppress(OSError, EOFError):
                tag = ("en", "ru", "de", "fr")[turn % 4]
                writer.write(f"GET /v1/stream?lang={tag} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                await reader.readuntil(b"\n\n")
                reach.count += 1
            writer.transport.abort() if turn % 2 else writer.close()

    await asyncio.gather(*map(one, range(20)))


async def history(reach: Reach) -> None:
    """Every page of the past, and every moment of it, once."""

    def question(number: int) -> tuple[str, str]:
        minute, hour, day = number % 60, number // 60 % 24, number // 1440 % 28 + 1
        at = f"2024-01-{day:02}T{hour:02}:{minute:02}:{number % 59:02}Z"
        wanted = (
            f"/v1/quotes?at={at}",
            f"/v1/quotes/USD/history?from={at}&limit={number % 999 + 1}&interval={('raw', '1h', '1d')[number % 3]}",
            f"/sparkline/EUR.svg?days={number % 31 + 1}&lang=en",
            f"/v1/convert?amount={number}.{number % 97}&from=USD&to=EUR",
        )
        return wanted[number % len(wanted)], ""

    await reach.ask(question)


async def paths(reach: Reach) -> None:
    """Paths, parameters, symbols and hosts that nobody has ever asked for."""

    def question(number: int) -> tuple[str, str]:
        word = _word(number * 7919)
        wanted = (
            f"/{word}",
            f"/v1/quotes?{word}=1",
            f"/v1/quotes/{word}",
            f"/v1/quotes?at={word}",
            f"/{word}/%41{word}",
        )
        return wanted[number % len(wanted)], f"Host: {word}.example\r\nOrigin: https://{word}.example\r\nX-{word}: 1"

    await reach.ask(question)


async def wishes(reach: Reach) -> None:
    """Known pages with ever new languages, hosts, origins, codings and tags."""
    regions = [a + b for a in LETTERS.upper() for b in LETTERS.upper()]

    def question(number: int) -> tuple[str, str]:
        word, region = _word(number * 7919), regions[number % len(regions)]
        wanted = (
            f"/widget?lang=en-{region}",
            f"/v1/quotes?lang={('ru', 'de', 'ar', 'pt')[number % 4]}-{region}",
            "/widget",
        )
        fields = (
            f"Host: {word}.example", f"Origin: https://{word}.example",
            f"Accept-Language: {word},ru;q=0.{number % 9 + 1}",
            f"Accept: text/html,{word}/*;q=0.5,*/*;q=0.1", f'If-None-Match: "{word}"', f"User-Agent: {word}",
        )  # fmt: skip
        return wanted[number % len(wanted)], "\r\n".join(fields)

    await reach.ask(question)


async def variants(reach: Reach) -> None:
    """Every combination of what may be asked of the board."""

    def question(number: int) -> tuple[str, str]:
        symbols = ("USD", "EUR", "OIL", "USD,EUR", "EUR,USD", "OIL,USD", "USD,EUR,OIL", "OIL,EUR,USD")[number % 8]
        style = ("plain", "change", "sparkline")[number // 8 % 3]
        tag = ("en", "ru", "de", "fr", "es", "it", "pl", "tr", "ja", "zh", "ar", "hi")[number // 24 % 12]
        page = ("/widget", "/", "/frame")[number // 288 % 3]
        return f"{page}?symbols={symbols}&style={style}&lang={tag}", ""

    await reach.ask(question)


async def lanes(reach: Reach) -> None:
    """The same question by the hundred thousand."""
    await reach.ask(lambda _: ("/v1/quotes?lang=en", ""), clients=4)


STRAINS: dict[str, Callable[[Reach], Coroutine[None, None, None]]] = {
    each.__name__: each for each in (errors, days, reloads, streams, history, paths, wishes, variants, lanes)
}
