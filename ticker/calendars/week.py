"""The days of the week, as they are written in a configuration."""

from __future__ import annotations

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def days_of(text: str) -> frozenset[int]:
    """The weekdays that "mon-fri" or "sun,tue-thu" names, 0 being Monday. Raises ValueError for anything else."""
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            message = f"{part!r} is not a weekday or a range of them: one of {', '.join(DAYS)}"
            raise ValueError(message)
        start = DAYS.index(first)
        span = (DAYS.index(last or first) - start) % 7
        found.update((start + step) % 7 for step in range(span + 1))
    return frozenset(found)
