"""Other people's words before they reach a terminal or a log: no line of their own, no colour, no turning round."""

from __future__ import annotations

import re

# Control characters of both sets, separators of lines, marks that turn the order round, halves of surrogate pairs.
_POWERS = "\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
# Compiled when the first text asks for it: what is printable, as nearly all is, never does.
_HARM = f"[{_POWERS}]"
_LINES = rf"(?![\n\t])[{_POWERS}]"


def harmless(text: str) -> str:
    """`text` as one line that does nothing; what would is written as its escape."""
    return text if text.isprintable() else re.sub(_HARM, _written, text)


def harmless_lines(text: str) -> str:
    """The same of a text of several lines, such as a traceback; each is set in, as no line of a log is."""
    return "".join(f"  {line}" for line in re.sub(_LINES, _written, text).splitlines(keepends=True))


def harmless_json(text: str) -> str:
    """The same of JSON, which has written the first set of control characters already, and stays JSON."""
    return text if text.isprintable() else re.sub(_HARM, lambda found: f"\\u{ord(found[0]):04x}", text)


def _written(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
