"""What the service said in its log while a test listened, as dictionaries."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Listener(logging.Handler):
    def __init__(self, lines: list[dict[str, Any]]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = getattr(record, "fields", {})
        self._lines.append({**fields, "event": record.getMessage(), "log_level": record.levelname.lower()})


@contextmanager
def heard() -> Iterator[list[dict[str, Any]]]:
    """Each line has `event`, `log_level` and its fields."""
    lines: list[dict[str, Any]] = []
    logger, listener = logging.getLogger("ticker"), _Listener(lines)
    before = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(listener)
        logger.setLevel(before)
