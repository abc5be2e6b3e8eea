"""The one composer: settings become values, values become parts, parts are joined, started and closed here.

`composing` builds a service, `service` is what it builds and how it runs, `contexts` what its web half is handed;
`recordings` and `archives`, taken from there, are what else can be made of the same parts.
"""

from ticker.app.composing import compose
from ticker.app.service import Service
from ticker.configured import idle, instruments, used
from ticker.web import Bounds, Listener

__all__ = [
    "Bounds",
    "Listener",
    "Service",
    "compose",
    "idle",
    "instruments",
    "used",
]
