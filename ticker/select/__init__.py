"""Which candidate speaks for an instrument: preference, agreement between sources, holding what nobody confirms.

Pure and without memory of its own: what must be remembered from one choice to the next comes in as a `Memory` and goes
out in the `Choice`. Read `question` (what a choice depends on), `agreement` (who says the same), `choose` (the
decision, top to bottom), `publish` (the quote that follows).
"""

from ticker.select.choose import choose
from ticker.select.cross import Check, contradicted
from ticker.select.publish import publish
from ticker.select.question import Choice, Memory, Question

__all__ = ["Check", "Choice", "Memory", "Question", "choose", "contradicted", "publish"]
