"""Logs: lines for people on a terminal, JSON lines anywhere else; always on standard error, whoever speaks."""

from __future__ import annotations

import logging
import sys

import structlog


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
        # The pretty formatter prints every local variable, a key to a source among them.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]


def _libraries(level: int, shared: list[structlog.types.Processor], last: list[structlog.types.Processor]) -> None:
    """What libraries log goes the same way; from warnings on, for their information is not ours."""
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, *last])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
