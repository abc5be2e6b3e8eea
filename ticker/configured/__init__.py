"""Settings become values: instruments, feeds, calendars, plans. Nothing is joined or started here; `app` does that."""

from ticker.configured.calendars import overrides_of, zone_of
from ticker.configured.feeds import feeds_of, idle, used
from ticker.configured.instruments import checks_of, instruments
from ticker.configured.plans import plans_of

__all__ = ["checks_of", "feeds_of", "idle", "instruments", "overrides_of", "plans_of", "used", "zone_of"]
