"""The JSON that the world sees, as types: what writes it is checked against them, and the schemas come out of them.

Only type checkers and the OpenAPI document import them: no answer waits for pydantic.
"""

from ticker.render.models.catalogue import WireInstrument, WireInstruments, WireSource, WireSources
from ticker.render.models.conversion import WireConversion, WireLeg
from ticker.render.models.other import WireAlive, WireHistory, WirePoint, WireProblem
from ticker.render.models.quotes import WireAgreement, WireDisplay, WireQuote, WireQuotes
from ticker.render.models.readiness import WireReadiness, WireReadyInstrument, WireReadySource
from ticker.render.models.timing import WireCadence, WireCalendar

__all__ = [
    "WireAgreement",
    "WireAlive",
    "WireCadence",
    "WireCalendar",
    "WireConversion",
    "WireDisplay",
    "WireHistory",
    "WireInstrument",
    "WireInstruments",
    "WireLeg",
    "WirePoint",
    "WireProblem",
    "WireQuote",
    "WireQuotes",
    "WireReadiness",
    "WireReadyInstrument",
    "WireReadySource",
    "WireSource",
    "WireSources",
]
