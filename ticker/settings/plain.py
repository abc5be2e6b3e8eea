"""Settings as plain values, written as the configuration writes them: for a person, and to compare."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ticker.settings.model import Part
from ticker.settings.secret import Secret
from ticker.settings.types import written


def plain(value: object) -> object:
    """Tables as dictionaries, durations as 10s, times as 16:00:00; a secret is not told."""
    if isinstance(value, Part):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, timedelta):
        return written(value)
    if isinstance(value, time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | ZoneInfo | Secret) else value
