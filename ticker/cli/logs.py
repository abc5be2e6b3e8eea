"""What the process says of itself: one line an event, on standard error, in one of three formats.

The lines are written by a thread of their own. Where nobody reads the pipe, lines are dropped and counted; no request
ever waits for the log.
"""

import json
import logging
import os
import queue
import re
import select
import sys
import threading
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

# Lines that wait for a reader: a few megabytes.
_CAPACITY = 10_000
# Seconds in which what was said last is still written when the process ends.
_FLUSH_SECONDS = 1.0
_STANDARD_ERROR = 2
_COLOURS = {"info": "\033[32m", "warning": "\033[33m", "error": "\033[31m", "critical": "\033[31m"}
_PLAIN = "\033[0m"
# sd-daemon(3): journald reads the priority of a line from its beginning.
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
# Control characters of both sets, line separators, marks that turn the order of text, halves of surrogate pairs.
_UNSAFE = "\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE_CHARACTERS = re.compile(f"[{_UNSAFE}]")
_UNSAFE_BUT_LINES = re.compile(rf"(?![\n\t])[{_UNSAFE}]")


class LogLevel(StrEnum):
    """The least that is said."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a line is written: for a program, for a person, for systemd's journal."""

    JSON = "json"
    TEXT = "text"
    JOURNALD = "journald"


class LineWriter(logging.Handler):
    """Formats a record where it is made and leaves the writing to a thread that may wait; never the caller."""

    def __init__(self, descriptor: int, capacity: int = _CAPACITY) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._lines: queue.Queue[bytes | None] = queue.Queue(capacity)
        # A daemon: a pipe that nobody reads must not hold the end of the process.
        self._thread = threading.Thread(target=self._write_lines, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line, or drop and count it where too many wait."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a field that cannot be written must not end what it was said of
            self.dropped += 1
            return
        try:
            self._lines.put_nowait(f"{line}\n".encode("utf-8", "backslashreplace"))
        except queue.Full:
            self.dropped += 1

    def flush_and_stop(self, seconds: float = _FLUSH_SECONDS) -> None:
        """Write what waits, for so long at most; lines that come later are queued and never written."""
        try:
            self._lines.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _write_lines(self) -> None:
        reported = 0
        while (line := self._lines.get()) is not None:
            self._write(line)
            if self.dropped > reported:
                dropped, reported = self.dropped - reported, self.dropped
                self._write(self._report(dropped))

    def _write(self, line: bytes) -> None:
        try:
            _write(self._descriptor, line)
        except OSError:  # the reader of the pipe is gone
            self.dropped += 1

    def _report(self, dropped: int) -> bytes:
        report = logging.LogRecord(__name__, logging.WARNING, __file__, 0, "log lines were dropped", None, None)
        report.fields = {"count": dropped}
        return f"{self.format(report)}\n".encode()


def start_logging(level: LogLevel = LogLevel.INFO, log_format: LogFormat | None = None) -> LineWriter:
    """Set logging up for this process, the libraries' own from warnings on. Default: text on a terminal, else JSON."""
    terminal = sys.stderr.isatty()
    chosen = log_format or (LogFormat.TEXT if terminal else LogFormat.JSON)
    writer = LineWriter(_STANDARD_ERROR)
    writer.setFormatter(
        {
            LogFormat.JSON: _JsonFormatter(),
            LogFormat.TEXT: _TextFormatter(colours=terminal),
            LogFormat.JOURNALD: _JournaldFormatter(),
        }[chosen]
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    libraries = logging.INFO if level is LogLevel.DEBUG else max(number, logging.WARNING)
    logging.basicConfig(handlers=[writer], level=libraries, force=True)
    logging.getLogger("ticker").setLevel(number)
    return writer


def stay_silent() -> None:
    """Log nothing: a command that prints its own report says there what went wrong."""
    logging.basicConfig(level=logging.CRITICAL, force=True)
    logging.getLogger("ticker").setLevel(logging.CRITICAL)


def sanitize(text: str) -> str:
    """`text`, somebody else's, as one line that does nothing to a terminal: what would is written as its escape."""
    return text if text.isprintable() else _UNSAFE_CHARACTERS.sub(_escaped, text)


def sanitize_lines(text: str) -> list[str]:
    """The lines of `text`, each indented, as no line of a log is."""
    return [f"  {line}" for line in _UNSAFE_BUT_LINES.sub(_escaped, text).splitlines()]


def sanitize_json(text: str) -> str:
    """JSON that does nothing to a terminal and still says the same; its encoder has escaped the first set already."""
    return text if text.isprintable() else _UNSAFE_CHARACTERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _JsonFormatter(logging.Formatter):
    """One JSON object a line. A traceback is one of its fields, without the values of variables: keys may be there."""

    def format(self, record: logging.LogRecord) -> str:
        line = _fields(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return sanitize_json(json.dumps(line, ensure_ascii=False, default=str))


class _TextFormatter(logging.Formatter):
    """Time, level and event, then the fields; a traceback below."""

    def __init__(self, *, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        line = _fields(record)
        event, level, when = line.pop("event"), line.pop("level"), line.pop("timestamp")
        shown = f"{_COLOURS.get(level, '')}{level:8}{_PLAIN}" if self._colours else f"{level:8}"
        return "\n".join([f"{when} [{shown}] {_told(event, line)}", *_traceback(self, record)])


class _JournaldFormatter(logging.Formatter):
    """As text, without the time, which the journal has; the priority begins every line."""

    def format(self, record: logging.LogRecord) -> str:
        line = _fields(record)
        for known in ("level", "timestamp"):
            del line[known]
        prefix = f"<{_PRIORITIES.get(record.levelno, 6)}>"
        lines = [_told(line.pop("event"), line), *_traceback(self, record)]
        return "\n".join(f"{prefix}{each}" for each in lines)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    when = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
    fields: dict[str, object] = getattr(record, "fields", {})
    return {**fields, "event": record.getMessage(), "level": record.levelname.lower(), "timestamp": when}


def _told(event: str, fields: dict[str, Any]) -> str:
    return " ".join([sanitize(event), *(f"{name}={sanitize(str(value))}" for name, value in fields.items())])


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    return sanitize_lines(formatter.formatException(record.exc_info)) if record.exc_info else []


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _write(descriptor: int, line: bytes) -> None:
    """Write all of `line`, however long its reader takes. Not by `sys.stderr`, whose lock would hold the exit."""
    while line:
        try:
            line = line[os.write(descriptor, line) :]
        except BlockingIOError:  # a terminal that another program has made non-blocking
            select.select([], [descriptor], [], 1.0)
