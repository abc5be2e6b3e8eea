"""When a source publishes and how often it is asked, in a sentence of the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from ticker.facts import CadenceFacts, CalendarFacts
from ticker.render.cldr import Locale

_ENGLISH = {
    "every": "every {span}",
    "cron": "cron {lines} ({zone})",
    "budget": "{asked}, at most {budget} requests an hour",
    "publication": "a table at {at}",
    "session": "trading {opens} to {closes}",
    "delay": ", delayed {span}",
    "calendar": "{what} ({zone}), {days}; late after {grace}",
    "holidays": " except holidays {holidays}",
    "days": "mon tue wed thu fri sat sun",
    "day": "days",
    "hour": "h",
    "minute": "min",
    "second": "s",
}
_RUSSIAN = {
    "every": "раз в {span}",
    "cron": "по cron {lines} ({zone})",
    "budget": "{asked}, запросов в час не больше {budget}",
    "publication": "таблица в {at}",
    "session": "торги с {opens} до {closes}",
    "delay": ", с задержкой {span}",
    "calendar": "{what} ({zone}), {days}; опаздывает через {grace}",
    "holidays": ", кроме праздников {holidays}",
    "days": "пн вт ср чт пт сб вс",
    "day": "дн.",
    "hour": "ч",
    "minute": "мин",
    "second": "с",
}
_WORDS: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "ru": _RUSSIAN}


def cadence(facts: CadenceFacts, locale: Locale) -> str:
    """How often a source is asked; in English where we have not the language's words."""
    words = _words(locale)
    lines = words["cron"].format(lines=" | ".join(facts.cron), zone=facts.zone)
    asked = words["every"].format(span=_span(facts.every, words)) if facts.every else lines
    return words["budget"].format(asked=asked, budget=facts.budget)


def calendar(facts: CalendarFacts, locale: Locale) -> str:
    """When a number appears and when it is late; in English where we have not the language's words."""
    words = _words(locale)
    delay = words["delay"].format(span=_span(facts.delay, words)) if facts.delay else ""
    holidays = words["holidays"].format(holidays=facts.holidays) if facts.holidays else ""
    names = dict(zip(_ENGLISH["days"].split(), words["days"].split(), strict=True))
    days = re.sub("|".join(names), lambda found: names[found[0]], facts.days)
    what = words[facts.kind].format(**facts.hours) + delay
    grace = _span(facts.grace, words)
    return words["calendar"].format(what=what, zone=facts.zone, days=days + holidays, grace=grace)


def _words(locale: Locale) -> Mapping[str, str]:
    return _WORDS.get(locale.language, _ENGLISH)


def _span(span: timedelta, words: Mapping[str, str]) -> str:
    seconds = span.total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {words[unit]}"
    return f"{seconds:g} {words['second']}"
