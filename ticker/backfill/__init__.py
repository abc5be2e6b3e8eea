"""Filling history from the sources' archives: polite, interruptible, and the same rows however often it is run.

Each instrument is asked of its most preferred source that has an archive, and of the next one where that fails. An
answer's rows and the note that its request is done are kept in one transaction, so a run that was cut goes on there.
"""

from ticker.backfill.jobs import Job, Tally
from ticker.backfill.run import Backfill

__all__ = ["Backfill", "Job", "Tally"]
