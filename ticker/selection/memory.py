"""What one decision leaves to the next: numbers that were believed, numbers in doubt, how markets stand to each other.

An explicit frozen record for each instrument. It is kept in the store beside the snapshot, so that neither a restart
nor another leader takes up what was being held. Pure: to and from text, nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from ticker.quotes import Reason

# A doubt is of no use after so long.
DOUBTS_LAST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A number that was believed for its date; `copied` says that an independent copy carried the same digits.

    `jumped` says that it was a large move itself: the next one may be as well. `contract` is a future's code.
    """

    price: Decimal
    as_of: datetime
    source: str
    copied: bool = False
    jumped: bool = False
    contract: str | None = None

    @property
    def sure(self) -> bool:
        """Whether it was believed without needing what came after it."""
        return self.copied or not self.jumped


@dataclass(frozen=True, slots=True)
class Doubt:
    """A number that was not believed, since when and why; `refuted` by others, so that repeating it proves nothing.

    `off` is how far a market's print was from where another one had it, and `limit` how far it might have been, as
    fractions.
    """

    source: str
    price: Decimal
    as_of: datetime
    since: datetime
    reason: Reason
    refuted: bool = False
    contract: str | None = None
    off: Decimal | None = None
    limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Offset:
    """One market's price over another's, learnt from `pairs` of prints that corroborated each other.

    `spread` is its mean deviation, as a fraction.
    """

    ratio: Decimal
    pairs: int
    as_of: datetime
    spread: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class SelectionMemory:
    """All that is remembered of one instrument. `offsets` are named "source contract/source contract".

    `late` says when a market in session last said nothing new for too long, `retracted` what a source said of a date
    and was not believed in, before it said what is.
    """

    confirmed: tuple[Confirmed, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    offsets: Mapping[str, Offset] = field(default_factory=dict)
    late: Mapping[str, datetime] = field(default_factory=dict)
    retracted: tuple[Doubt, ...] = ()


def encode(memories: Mapping[str, SelectionMemory]) -> str:
    """The memories by symbol as text; prices and moments exactly."""
    return msgspec.json.encode(memories).decode()


def decode(text: str) -> dict[str, SelectionMemory]:
    """The memories of `text`; none where it cannot be read, as one of another version."""
    try:
        return msgspec.json.decode(text, type=dict[str, SelectionMemory])
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        return {}
