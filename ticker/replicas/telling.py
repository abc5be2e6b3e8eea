"""How the sources fare, as the leader tells it: a text out of their health, and back.

What was asked of each in the last hour travels along: whoever polls next goes on within the same budget.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ticker.quotes import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ticker.health import Health

_MOMENTS = ("last_success", "last_failure", "next_poll", "retry_at")
_PLAIN = ("in_a_row", "accepted", "detail")
# Requests are told by the minute: an hour of a busy source is sixty numbers.
_MINUTE = 60


def told(health: Mapping[str, Health], asked: Callable[[str], Sequence[datetime]]) -> str:
    """Each source as it fares, with when it was asked."""
    return json.dumps({source: _told(each, asked(source)) for source, each in health.items()})


def heard(text: str, health: Mapping[str, Health]) -> dict[str, list[datetime]]:
    """Make `health` what `text` tells of it; when each source was asked. A text that cannot be read tells nothing."""
    try:
        tree = json.loads(text)
        return {source: _heard(tree[source], each) for source, each in health.items() if source in tree}
    except (ValueError, KeyError, TypeError, OverflowError):
        return {}


def _told(health: Health, asked: Sequence[datetime]) -> dict[str, object]:
    minutes = Counter(int(moment.timestamp()) // _MINUTE for moment in asked)
    moments = {name: getattr(health, name) for name in _MOMENTS}
    return {
        **{name: getattr(health, name) for name in _PLAIN},
        **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
        "reason": None if health.reason is None else str(health.reason),
        "asked": sorted(minutes.items()),
    }


def _heard(tree: Any, health: Health) -> list[datetime]:  # noqa: ANN401 - read from a store
    values = {name: tree[name] for name in _PLAIN}
    values |= {name: None if tree[name] is None else datetime.fromisoformat(tree[name]) for name in _MOMENTS}
    values["reason"] = None if tree["reason"] is None else Reason(tree["reason"])
    # At the end of its minute: a budget is rather spent a little longer than a little too soon.
    asked = [
        moment
        for minute, count in tree["asked"]
        for moment in [datetime.fromtimestamp((minute + 1) * _MINUTE, UTC)] * count
    ]
    for name, value in values.items():
        setattr(health, name, value)
    return asked
