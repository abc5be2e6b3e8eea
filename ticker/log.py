"""What happened, in words and fields: `log.info("source is back", source="cbr")`. How it is written, `cli.logs` says.

On the standard library's logging, which every library uses too; one of the libraries for it takes longer to import than
the whole service has to start.
"""

from __future__ import annotations

import logging


class Log:
    """Says what happens in one file."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, **fields: object) -> None:
        """Something an operator may want to know."""
        self._say(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something that may need somebody."""
        self._say(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Something that needs somebody."""
        self._say(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """A fault, with the traceback of the exception that is being handled."""
        self._say(logging.ERROR, event, fields, traceback=True)

    def _say(self, level: int, event: str, fields: dict[str, object], *, traceback: bool = False) -> None:
        # The event is no format: a percent sign in it is one.
        self._logger.log(level, "%s", event, extra={"fields": fields}, exc_info=traceback)
