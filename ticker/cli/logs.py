"""Logs: lines for people on a terminal, JSON lines anywhere else; always on standard error, whoever speaks."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from ticker.cli.harmless import harmless, harmless_json, harmless_lines

# On a terminal, by level.
_COLOURS = {"info": "\033[32m", "warning": "\033[33m", "error": "\033[31m", "critical": "\033[31m"}
_PLAIN = "\033[0m"


def logs(level: int = logging.INFO, **own: object) -> None:
    """Set logging up for this process, the libraries' own included: of those from warnings on; `own` fields on each."""
    handler = logging.StreamHandler(sys.stderr)

    def mark(record: logging.LogRecord) -> bool:
        record.fields = {**getattr(record, "fields", {}), **own}
        return True

    if own:
        handler.addFilter(mark)
    handler.setFormatter(_Terminal() if sys.stderr.isatty() else _Lines())
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    logging.getLogger("ticker").setLevel(level)


class _Lines(logging.Formatter):
    """One JSON object a line. A traceback is one of its fields, without the values of variables: keys may be there."""

    def format(self, record: logging.LogRecord) -> str:
        line = _line(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return harmless_json(json.dumps(line, ensure_ascii=False, default=str))


class _Terminal(logging.Formatter):
    """Time, level and event, then the fields; a traceback below. Strangers' words are made to do nothing."""

    def format(self, record: logging.LogRecord) -> str:
        line = _line(record)
        event, level, when = line.pop("event"), line.pop("level"), line.pop("timestamp")
        fields = "".join(f" {name}={harmless(str(value))}" for name, value in line.items())
        text = f"{when} [{_COLOURS.get(level, '')}{level:8}{_PLAIN}] {harmless(event):30}{fields}".rstrip()
        return f"{text}\n{harmless_lines(self.formatException(record.exc_info))}" if record.exc_info else text


def _line(record: logging.LogRecord) -> dict[str, Any]:
    when = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
    fields: dict[str, object] = getattr(record, "fields", {})
    return {**fields, "event": record.getMessage(), "level": record.levelname.lower(), "timestamp": when}
