"""What is asked of the server, and by which name: scripts, commands, a bell. Every wait is bounded by the time-out."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ticker.stores.base import StoreError
from ticker.stores.redis.connection import Client, connected, is_away, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ticker.stores.redis.address import Address

T = TypeVar("T")

NAMES = ("claim", "open", "publish", "raw", "release", "sampled", "standing", "thin", "write")
SCRIPTS = {name: (Path(__file__).parent / "lua" / f"{name}.lua").read_text(encoding="utf-8") for name in NAMES}
# So long nobody waits for a server that did not answer: each question would hold a thread for the whole time-out.
_LEFT_ALONE_SECONDS = 0.5


class Wire:
    """The way to the server at `address`; connected with the first question, by whichever thread."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._client: Client | None = None
        self._making = threading.Lock()
        self._away: tuple[float, StoreError] | None = None

    def key(self, *parts: str) -> str:
        """The name of a key or a channel: in braces what tells a Cluster's slot, the same for all of one service."""
        return ":".join((f"{{{self.address.prefix}}}", *parts))

    def run(self, script: str, keys: Sequence[str], values: Sequence[str | int]) -> Any:  # noqa: ANN401 - what it gives
        """What the script of that name gives."""
        return self.ask(lambda client: client.eval(SCRIPTS[script], len(keys), *keys, *values))

    def ask(self, question: Callable[[Client], T]) -> T:
        """The answer. Raises StoreError, at once where the server has just been away."""
        if self._away is not None and time.monotonic() < self._away[0]:
            raise StoreError(self._away[1].detail, self._away[1].mend)
        try:
            with told(self.address):
                answer = question(self._connected())
        except StoreError as error:
            if is_away(error.__cause__):
                self._away = time.monotonic() + _LEFT_ALONE_SECONDS, error
            raise
        self._away = None
        return answer

    def close(self) -> None:
        """Let go of every connection."""
        with self._making:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _connected(self) -> Client:
        with self._making:
            if self._client is None:
                self._client = connected(self.address)
            return self._client
