"""Settings become values: instruments, feeds, calendars, plans. Nothing is joined or started here; `app` does that."""
