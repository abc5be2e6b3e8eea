"""The sparklines of an export, drawn anew from history with every export."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ticker.history import Stretch
from ticker.log import Log
from ticker.render.picture import picture_of
from ticker.stores.base import StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from ticker.history import History, Line
    from ticker.quotes import Instrument, Snapshot
    from ticker.render import Representation

log = Log(__name__)

# As `/sparkline/{symbol}.svg` has it without parameters.
_DAYS = timedelta(days=30)


class Pictures:
    """Draws every instrument's last days, titled in `lang`."""

    def __init__(self, history: History, lang: str) -> None:
        self._history = history
        self._lang = lang
        self._last: dict[str, Representation] = {}

    async def of(self, snapshot: Snapshot, now: datetime) -> dict[str, Representation]:
        """The pictures by path; where history cannot be read, those last drawn."""
        try:
            drawn = {quote.symbol: await self._one(quote.instrument, now) for quote in snapshot.quotes}
        except StoreError as error:
            log.warning("history cannot be read, the pictures stay", detail=error.detail)
        else:
            self._last = {f"{at}sparkline/{name}.svg": made for name, made in drawn.items() for at in ("", "now/")}
        return self._last

    async def _one(self, instrument: Instrument, now: datetime) -> Representation:
        def make(line: Line) -> Representation:
            return picture_of(line, instrument, self._lang, now)

        ask = Stretch(instrument.symbol, now - _DAYS, None, "1d")
        return (await self._history.line(ask, make))[1]
