"""Logs: lines for people on a terminal, JSON lines anywhere else; always on standard error, whoever speaks."""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING

import structlog

from ticker.cli.harmless import harmless, harmless_json, harmless_lines

if TYPE_CHECKING:
    from typing import TextIO


def logs(level: int = logging.INFO) -> None:
    """Set logging up for this process, the libraries' own included."""
    shared: list[structlog.types.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = _last(terminal=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    _libraries(level, shared, last)


def _last(*, terminal: bool) -> list[structlog.types.Processor]:
    if terminal:
        return [_tame, structlog.dev.ConsoleRenderer(exception_formatter=_traceback)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
        lambda _logger, _method, text: harmless_json(str(text)),
    ]


def _tame(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """What is told may be an upstream's or a reader's words; the renderer would write them as they are."""
    return {key: harmless(value) if isinstance(value, str) else value for key, value in event.items()}


def _traceback(out: TextIO, error: structlog.typing.ExcInfo) -> None:
    """Plain: the pretty formatter prints every local variable, a key to a source among them."""
    text = io.StringIO()
    structlog.dev.plain_traceback(text, error)
    out.write(harmless_lines(text.getvalue()))


def _libraries(level: int, shared: list[structlog.types.Processor], last: list[structlog.types.Processor]) -> None:
    """What libraries log goes the same way; from warnings on, for their information is not ours."""
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, *last])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
