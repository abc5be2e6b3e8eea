"""What the service says in words of its own, from `languages/`: one TOML file a language, read when it is first spoken.

They are TOML and not gettext: the words have short names, none has a plural, and nothing has to be compiled. Whatever
CLDR has a word for is left to CLDR. A language that lacks a table gets the English one.
"""

from __future__ import annotations

import pkgutil
import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

from babel import Locale

from ticker.calendars import Calendar
from ticker.calendars.session import Session
from ticker.settings.models import SourceSettings

# The languages of the fragment's words, in the order in which the page offers them.
LANGUAGES = ("en", "ru", "ar", "de", "es", "fa", "fr", "he", "hi", "it", "ja", "kk", "ko", "pl", "pt", "tr", "uk", "zh")
# The languages of everything else: the page, the reference of the API, reasons and timetables.
PAGE_LANGUAGES = ("en", "ru")

Words = Mapping[str, str]


@lru_cache(maxsize=32)
def _tables(language: str) -> Mapping[str, Words]:
    text = pkgutil.get_data("ticker.rendering", f"languages/{language}.toml") if language in LANGUAGES else None
    return tomllib.loads(text.decode()) if text else {}


def _table(name: str, locale: Locale) -> Words:
    return _tables(locale.language).get(name) or _tables("en")[name]


def words_for(locale: Locale) -> Words:
    """The page's words in the reader's language, else in English; `lang` says which it is."""
    return _table("page", locale)


def page_language(lang: str) -> str:
    """The tag in which the page itself is written for a reader of `lang`: that tag where there are words for it."""
    return lang if lang.partition("-")[0] in PAGE_LANGUAGES else "en"


def reference_words(lang: str) -> Words:
    """What the API's page says in the page language `lang`, by the English of it; empty for English."""
    return _tables(lang).get("reference", {})


def fragment_phrases(locale: Locale) -> Words:
    """The fragment's own words: `up`, `down`, `flat`, `unavailable`, `unconfirmed`, `edited` and so on."""
    return _table("fragment", locale)


def speaks(locale: Locale) -> bool:
    """Whether reasons can be told in the reader's own language."""
    return locale.language in PAGE_LANGUAGES


def reasons(locale: Locale) -> Words:
    """What each reason's slug means, in the reader's language, else in English."""
    return _table("reasons", locale)


def cadence_text(source: SourceSettings, locale: Locale) -> str:
    """How often a source is asked, in a sentence; in English where we have not the language's words."""
    words, schedule = _table("times", locale), source.schedule
    lines = words["cron"].format(lines=" | ".join(schedule.cron), zone=schedule.zone)
    asked = words["every"].format(span=_span(schedule.every, words)) if schedule.every else lines
    return words["budget"].format(asked=asked, budget=source.budget)


def calendar_text(calendar: Calendar, day: date, locale: Locale) -> str:
    """When a number appears and when it is late, in a sentence; in English where we have not the language's words.

    A market's hours are those of its timetable on `day`.
    """
    words = _table("times", locale)
    names = dict(zip(_tables("en")["times"]["days"].split(), words["days"].split(), strict=True))
    if isinstance(calendar, Session):
        (first, opens, closes), *others = trading_hours(calendar, day)
        what = words["session"].format(opens=opens, closes=closes)
        what += words["delay"].format(span=_span(calendar.delay, words)) if calendar.delay else ""
        days = ", ".join([first, *(f"{days} {opens}–{closes}" for days, opens, closes in others)])
    else:
        what, days = words["publication"].format(at=f"{calendar.at:%H:%M}"), calendar.days
    days = re.sub("|".join(names), lambda found: names[found[0]], days)
    days += words["holidays"].format(holidays=calendar.holidays) if calendar.holidays else ""
    return words["calendar"].format(what=what, zone=calendar.zone, days=days, grace=_span(calendar.grace, words))


def trading_hours(market: Session, day: date) -> list[tuple[str, str, str]]:
    """Days, opening and close of the week whose timetable holds on `day`; pauses within a day are left out."""
    found: dict[str, tuple[str, str]] = {}
    for each in market.timetable(day).sessions:
        opens, _ = found.get(each.days, (f"{each.opens:%H:%M}", ""))
        found[each.days] = opens, f"{each.closes:%H:%M}"
    return [(days, *hours) for days, hours in found.items()]


def _span(span: timedelta, words: Words) -> str:
    seconds = span.total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {words[unit]}"
    return f"{seconds:g} {words['second']}"
