"""The past out of the store: the board as it stood, and one instrument's line. Bounded, cached, off the loop.

What speaks for a moment is chosen as it is for now, by time and preference; only numbers that were published or stand
in a source's archive are in the store, so nothing is weighed again.
"""

from ticker.history.lines import INTERVALS, Line, Stretch
from ticker.history.past import History

__all__ = ["INTERVALS", "History", "Line", "Stretch"]
