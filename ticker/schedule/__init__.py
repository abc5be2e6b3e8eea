"""When each source is asked, within its budget; the only room that knows APScheduler.

`cadence` is how often, `plan` when next, `budgets` what may still be asked, as one of how many; `alarms` is the
waiting, `polls` what is under way, `timetable` joins them.
"""

from ticker.schedule.cadence import Cadence
from ticker.schedule.plan import Plan
from ticker.schedule.timetable import Timetable

__all__ = ["Cadence", "Plan", "Timetable"]
