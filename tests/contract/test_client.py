"""A client that a tool of others generates from the OpenAPI document talks to the service."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tests.support.programs import missing
from tests.support.project_files import ROOT
from tests.support.running_service import serving
from tests.support.upstream import Upstream

# In an environment of its own: it asks for an older typer than ours.
TOOL = "openapi-python-client==0.29.1"
RUN = ("sh", str(ROOT / ".ci" / "uv"), "run", "--quiet", "--isolated", "--no-project", "--with", TOOL)
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from market_client import Client
from market_client.api.catalogues import get_instruments, get_sources
from market_client.api.history import get_history
from market_client.api.quotes import convert, get_quote, get_quotes, get_quotes_csv
from market_client.models import Problem

with Client(base_url=sys.argv[2]) as client:
    board = get_quotes.sync(client=client)
    print(*(quote.symbol for quote in board.quotes), board.status.value)
    quote = get_quote.sync("USD", client=client, lang="ru")
    print(quote.price, quote.name, quote.previous_as_of.isoformat())
    euros = convert.sync(client=client, amount="100", from_="USD", to="EUR", precision=2)
    print(euros.result, *(leg.symbol for leg in euros.path))
    print(*(point.price for point in get_history.sync("EUR", client=client).points))
    print(*(each.unit for each in get_instruments.sync(client=client).instruments))
    print(*(each.id for each in get_sources.sync(client=client).sources))
    print("OIL,Brent crude oil,BRENT" in get_quotes_csv.sync(client=client, symbols=["OIL"], lang="en"))
    wrong = get_quotes.sync(client=client, symbols=["USD", "XYZ"])
    print(isinstance(wrong, Problem), wrong.status, wrong.parameter, wrong.allowed)
"""
PRINTED = """
USD EUR OIL fresh
100.6798 Доллар США 2024-11-21T00:00:00+03:00
94.91 USD EUR
106.0762
1 USD 1 EUR 1 barrel
cbr cbr_mirror moex yahoo
True
True 400 symbols ['USD', 'EUR', 'OIL']
"""


async def called(*command: str) -> tuple[int, str]:
    """How the command ended, and what it said."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_a_generated_client_gets_quotes_conversions_history_and_problems(tmp_path: Path) -> None:
    """Typed, without a line written by hand."""
    if not shutil.which("sh"):
        missing("no sh here")
    status, said = await called(*RUN, "python", "-c", "import openapi_python_client")
    if status:
        missing(f"{TOOL} cannot be installed here: {said[-300:]}")
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url) as served:
            await served.ready()
            (tmp_path / "openapi.json").write_bytes(served.service.openapi())
            where = ("--path", str(tmp_path / "openapi.json"), "--output-path", str(tmp_path / "market_client"))
            status, said = await called(*RUN, "openapi-python-client", "generate", *where, "--meta", "none")
            assert status == 0, said
            url = str(served.client.make_url("/")).rstrip("/")
            status, said = await called(*RUN, "python", "-c", PROGRAM, str(tmp_path), url)
            assert said == PRINTED.lstrip()
            assert status == 0
