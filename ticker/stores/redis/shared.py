"""What replicas share in Redis: the lease, who is alive, the kept editions, and a bell (pub/sub) for news."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ticker.stores.base import StoreError
from ticker.stores.holder import gone
from ticker.stores.sharing import Edition, Lease

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticker.stores.redis.wire import Wire

# For how many times of its lease's length a replica counts as alive.
_ALIVE = 3
# A subscription whose connection hangs tells nothing, for ever.
_LOOK_SECONDS = 1.0


class SharedKeys:
    """See Shared."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        # A subscription belongs to the thread that waits for it.
        self._hearing = threading.local()
        self._bells: list[Any] = []

    def claim(self, name: str, holder: str, ttl: float) -> Lease:
        """See Shared. A holder whose process is known to be gone from this machine holds nothing any more."""
        lease = self._claim(name, holder, ttl, "")
        dead = lease.holder != holder and gone(lease.holder)
        return self._claim(name, holder, ttl, lease.holder) if dead else lease

    def release(self, name: str, holder: str) -> None:
        """See Shared."""
        self._wire.run("release", self._lease(name), [holder])

    def publish(self, name: str, edition: Edition) -> bool:
        """See Shared."""
        keys = [self._wire.key("lease", name), self._wire.key("editions", name)]
        told: list[str | int] = [
            edition.part,
            edition.version,
            edition.fence,
            edition.text,
            self._wire.key("news", name),
        ]
        return bool(self._wire.run("publish", keys, told))

    def newer(self, name: str, known: Mapping[str, int], patience: float) -> list[Edition]:
        """See Shared. Hears the bell from before it looks, so that nothing comes in between."""
        latest = time.monotonic() + patience
        try:
            bell = self._bell(name) if patience > 0 else None
            found = self._look(name, known) if bell is None or self._may_have_missed(known) else []
            if bell is None or found or not self._rings(bell, latest):
                return found
            return self._look(name, known)
        except StoreError:
            self._hang_up()
            raise

    def shut(self) -> None:
        """Let go of every subscription."""
        while self._bells:
            with suppress(OSError):
                self._bells.pop().close()

    def _claim(self, name: str, holder: str, ttl: float, dead: str) -> Lease:
        told = self._wire.run("claim", self._lease(name), [holder, int(ttl * 1000), _ALIVE, dead])
        owner, fence, replicas, silent = told
        return Lease(owner, fence, replicas, sum(not gone(each) for each in silent))

    def _lease(self, name: str) -> list[str]:
        return [self._wire.key("lease", name), self._wire.key("alive", name)]

    def _look(self, name: str, known: Mapping[str, int]) -> list[Edition]:
        parts = list(known)
        texts = self._wire.ask(lambda client: client.hmget(self._wire.key("editions", name), parts)) if parts else []
        kept = [_edition(part, text) for part, text in zip(parts, texts, strict=True) if text is not None]
        return [edition for edition in kept if edition.version > known[edition.part]]

    def _may_have_missed(self, known: Mapping[str, int]) -> bool:
        """Whether to look though nothing has rung: asked for others than before, or after a while."""
        now, before = time.monotonic(), getattr(self._hearing, "looked", None)
        if before is not None and before[0] == known and now < before[1] + _LOOK_SECONDS:
            return False
        self._hearing.looked = dict(known), now
        return True

    def _bell(self, name: str) -> Any:  # noqa: ANN401 - the library's own
        """This thread's subscription, confirmed by the server."""
        if getattr(self._hearing, "name", None) == name:
            return self._hearing.bell
        self._hang_up()
        bell = self._wire.ask(lambda client: client.pubsub())
        self._bells.append(bell)
        self._hearing.bell = bell
        self._wire.ask(lambda _: bell.subscribe(self._wire.key("news", name)))
        self._rings(bell, time.monotonic() + self._wire.address.timeout)
        self._hearing.name = name
        return bell

    def _rings(self, bell: Any, latest: float) -> bool:  # noqa: ANN401 - the library's own
        """Wait for a message; False where none has come by then."""
        left = max(0.0, latest - time.monotonic())
        return self._wire.ask(lambda _: bell.get_message(timeout=left)) is not None

    def _hang_up(self) -> None:
        bell = getattr(self._hearing, "bell", None)
        if bell is not None and bell in self._bells:
            self._bells.remove(bell)
            with suppress(OSError):
                bell.close()
        self._hearing.name = self._hearing.bell = self._hearing.looked = None


def _edition(part: str, text: str) -> Edition:
    try:
        version, fence, rest = text.split("|", 2)
        return Edition(part, int(version), int(fence), rest)
    except ValueError as error:
        raise StoreError(f"no edition: {text[:80]!r}", "remove what another program wrote there") from error
