"""Every locale of CLDR, with its countries, through the service: `python -m tests.sweep.languages [--every N]`.

In each language the fragment, the page and the JSON are asked for: all answer, the number that a program reads is the
same in all, and what was loaded for a language goes again. Exit 1 where anything is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import resource
import sys
from collections.abc import Iterator

import aiohttp
from babel import localedata

from tests.support.served_board import live

# KiB; some thousand answers in a thousand languages, of which sixteen stay loaded.
MAY_GROW = 40 * 1024
EXACT = "100.6798"


def peak() -> int:
    """The most memory that this process has held, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def wrong(session: aiohttp.ClientSession, url: str, tag: str) -> list[str]:
    """What is not right in one language."""
    found = []
    for path in ("widget", "", "v1/quotes"):
        async with session.get(f"{url}/{path}", params={"lang": tag}) as answer:
            text = await answer.text()
        if answer.status != 200:
            found.append(f"{tag} /{path}: {answer.status} {text[:200]}")
        elif path != "v1/quotes" and f'value="{EXACT}"' not in text:
            found.append(f"{tag} /{path}: no {EXACT} in it")
        elif path == "v1/quotes" and str(json.loads(text, parse_float=str)["quotes"][0]["price"]) != EXACT:
            found.append(f"{tag} /{path}: not {EXACT}")
    return found


def tags(every: int) -> Iterator[str]:
    """Each `every`th locale that CLDR has data of, as a tag."""
    yield from (name.replace("_", "-") for name in sorted(localedata.locale_identifiers())[::every])


async def main() -> None:
    """One after the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1, help="each so manieth locale")
    given = parser.parse_args()
    logging.disable()
    found, asked, warm = list[str](), 0, 0
    async with live() as served, aiohttp.ClientSession() as session:
        for tag in tags(given.every):
            found += await wrong(session, served.url, tag)
            asked += 1
            # Sixteen are loaded by then, and every template.
            warm = peak() if asked == 20 else warm
    grown = peak() - warm if warm else 0
    sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.stdout.write(f"{asked} locales, 3 answers each: {len(found)} wrong; memory grew by {grown // 1024} MB\n")
    sys.exit(1 if found or grown > MAY_GROW else 0)


if __name__ == "__main__":
    asyncio.run(main())
