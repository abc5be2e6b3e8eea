"""The values everything else hands along: frozen, without I/O and without a clock.

Words are those of the contract: a *tick* is one observation in the source's own words, a *candidate* the same
observation in ours, a *quote* what is published, a *snapshot* all quotes at one moment.
"""

from ticker.quotes.failure import SourceError
from ticker.quotes.instrument import Instrument
from ticker.quotes.observed import AnswerDigest, Candidate, Candle, Contract, MarketData, Neighbour, Tick
from ticker.quotes.published import EPOCH, Agreement, Quote, Snapshot
from ticker.quotes.words import PriceType, Reason, Status, worst

__all__ = [
    "EPOCH",
    "Agreement",
    "AnswerDigest",
    "Candidate",
    "Candle",
    "Contract",
    "Instrument",
    "MarketData",
    "Neighbour",
    "PriceType",
    "Quote",
    "Reason",
    "Snapshot",
    "SourceError",
    "Status",
    "Tick",
    "worst",
]
