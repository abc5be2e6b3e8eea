"""What ops see: one registry an application, filled at scrape time from the board and plain counters.

Nothing on the hot path touches a labelled metric object; labels are bounded by configuration and route patterns.
"""

from ticker.metrics.exposition import Exposition

__all__ = ["Exposition"]
