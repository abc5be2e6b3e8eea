"""`ticker mcp`: a running service's numbers for agents, by the Model Context Protocol over standard input and output.

Every answer is the service's own, whole: a number never comes without its date, its source and its status, so that
whoever repeats it can say how old it is. The tools say so too, since an agent reads their descriptions first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import quote as quoted

import aiohttp
import msgspec
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from ticker import __version__

_INSTRUCTIONS = """
Market numbers as their publishers give them. Never repeat a number without its date (as_of), its source and its
status: "fresh" is as new as its source's calendar allows, "stale" is older than that, "unavailable" has no price, and
then there is no number to give. "demo": true means that every number is invented.
""".strip()
_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
_TIMEOUT = aiohttp.ClientTimeout(total=15)
_MOST_BYTES = 4_000_000
# Digits come out as they came in.
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")

Symbol = Annotated[str, Field(description="An instrument, as USD, EUR or OIL; quotes without symbols names them all.")]
At = Annotated[
    str | None,
    Field(description="A date (2024-11-22) or an RFC 3339 time: what was shown then; left out, what is shown now."),
]


class Agent:
    """The tools over one service."""

    def __init__(self, url: str) -> None:
        self._url = url

    def server(self) -> MCPServer:
        """The server of the protocol, with the four tools."""
        server = MCPServer("market-ticker", instructions=_INSTRUCTIONS, version=__version__, log_level="WARNING")
        for tool in (self.quotes, self.convert, self.history, self.evidence):
            server.add_tool(tool, annotations=_READS)
        return server

    async def quotes(
        self,
        symbols: Annotated[list[str] | None, Field(description="Instruments; left out, all of them.")] = None,
        at: At = None,
        lang: Annotated[str | None, Field(description="Language of names and of display, as en or ru.")] = None,
    ) -> CallToolResult:
        """Today's numbers (or those of a day), each with as_of, source, status, and what else is known of it."""
        wanted = ",".join(symbols) if symbols else None
        return _told(await self._ask("/v1/quotes", symbols=wanted, at=at, lang=lang))

    async def convert(
        self,
        amount: Annotated[str, Field(description="A decimal number, as 100 or 0.5.")],
        base: Annotated[str, Field(description="What is converted, as USD or BRENT.")],
        target: Annotated[str, Field(description="Into what, as RUB.")],
        at: At = None,
    ) -> CallToolResult:
        """Convert an amount at the shown rates: result, rate, worst status, oldest as_of, the path with sources."""
        answer = await self._ask("/v1/convert", **{"amount": amount, "from": base, "to": target, "at": at})
        sources = dict.fromkeys(step["source"] for step in answer["path"])
        return _told({**answer, "source": ", ".join(name for name in sources if name)})

    async def history(
        self,
        symbol: Symbol,
        first: Annotated[str | None, Field(description="The first day or moment; left out, the oldest.")] = None,
        last: Annotated[str | None, Field(description="The last day or moment; left out, the newest.")] = None,
        interval: Annotated[
            Literal["raw", "1h", "1d", "1w", "1mo"], Field(description="Each stretch is told by its last price.")
        ] = "1d",
        limit: Annotated[int, Field(ge=1, le=1000, description="The newest so many rows.")] = 30,
    ) -> CallToolResult:
        """The numbers of the past, newest first, each row with its as_of and source; and how it stands now."""
        path = f"/v1/quotes/{quoted(symbol, safe='')}"
        found = await self._ask(
            f"{path}/history", **{"from": first, "to": last, "interval": interval, "limit": limit, "order": "desc"}
        )
        now = await self._ask(path)
        return _told({**found, "now": {name: now[name] for name in ("price", "as_of", "source", "status", "reason")}})

    async def evidence(self, symbol: Symbol, at: At = None) -> CallToolResult:
        """Why a number is shown: every source's newest, the verdict on each with its checks, the rule that decided."""
        return _told(await self._ask(f"/v1/quotes/{quoted(symbol, safe='')}/evidence", at=at))

    async def _ask(self, path: str, **given: str | int | None) -> dict[str, Any]:
        """The service's answer. Raises ToolError with the service's own words where it has none."""
        query = {name: str(value) for name, value in given.items() if value is not None}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.get(
                    f"{self._url}{path}", params=query, headers={"User-Agent": f"market-ticker-mcp/{__version__}"}
                ) as response,
            ):
                body = await response.content.read(_MOST_BYTES)
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            said = str(error) or "no answer in time"
            raise ToolError(f"the ticker at {self._url} cannot be asked: {said}; there is no number to give") from None
        answer = _object(body)
        if answer is None or status >= 400:  # noqa: PLR2004 - where errors begin
            said = (answer or {}).get("detail") or f"status {status}, and no JSON of a ticker"
            raise ToolError(f"{said}; there is no number to give")
        return answer


def _object(body: bytes) -> dict[str, Any] | None:
    """The JSON object of `body`, its decimals exact; None where it is none."""
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        return None


def _told(answer: dict[str, Any]) -> CallToolResult:
    """The answer as text with every digit, and as a structure."""
    text = _ENCODER.encode(answer)
    return CallToolResult(content=[TextContent(text=text.decode())], structured_content=msgspec.json.decode(text))
