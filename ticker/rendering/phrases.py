"""What the service says to readers in words of its own; whatever CLDR has a word for is left to CLDR.

The fragment speaks the languages that the page offers; any other language gets English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from babel import Locale

from ticker.calendars import Calendar, Session
from ticker.settings.models import SourceSettings

# In this order: the direction of a change as it is spoken; no number; tomorrow's number that no second source has
# confirmed; a number that an editor holds; the ends of a line; the badge of a demo.
_KEYS = ("up", "down", "flat", "unavailable", "unconfirmed", "edited", "lowest", "highest", "demo")
_FRAGMENT: dict[str, str] = {
    "en": "up|down|unchanged|no data|unconfirmed|set by the editors|lowest|highest|demo",
    "ru": "рост|снижение|без изменений|нет данных|не подтверждено|указано редакцией|минимум|максимум|демо",
    "ar": "صعود|هبوط|دون تغيير|لا توجد بيانات|غير مؤكد|حدده المحررون|الأدنى|الأعلى|تجريبي",
    "de": "gestiegen|gefallen|unverändert|keine Daten|unbestätigt|von der Redaktion gesetzt|Tief|Hoch|Demo",
    "es": "sube|baja|sin cambios|sin datos|sin confirmar|fijado por la redacción|mínimo|máximo|demo",
    "fa": "افزایش|کاهش|بدون تغییر|بدون داده|تأییدنشده|تعیین‌شده توسط تحریریه|کمترین|بیشترین|نمایشی",
    "fr": "en hausse|en baisse|inchangé|aucune donnée|non confirmé|fixé par la rédaction|plus bas|plus haut|démo",
    "he": "עלייה|ירידה|ללא שינוי|אין נתונים|לא מאושר|נקבע בידי המערכת|שפל|שיא|הדגמה",
    "hi": "बढ़त|गिरावट|कोई बदलाव नहीं|डेटा नहीं|अपुष्ट|संपादकों द्वारा तय|न्यूनतम|अधिकतम|डेमो",
    "it": "in rialzo|in ribasso|invariato|nessun dato|non confermato|impostato dalla redazione|minimo|massimo|demo",
    "ja": "上昇|下落|変わらず|データなし|未確認|編集部による設定|最低|最高|デモ",
    "kk": "өсті|төмендеді|өзгеріссіз|дерек жоқ|расталмаған|редакция белгілеген|ең төмені|ең жоғарысы|демо",
    "ko": "상승|하락|변동 없음|데이터 없음|미확인|편집부 지정|최저|최고|데모",
    "pl": "wzrost|spadek|bez zmian|brak danych|niepotwierdzone|ustawione przez redakcję|minimum|maksimum|demo",
    "pt": "em alta|em baixa|inalterado|sem dados|não confirmado|definido pela redação|mínima|máxima|demo",
    "tr": "yükseldi|düştü|değişmedi|veri yok|doğrulanmadı|editörler belirledi|en düşük|en yüksek|demo",
    "uk": "зростання|зниження|без змін|немає даних|не підтверджено|вказано редакцією|мінімум|максимум|демо",
    "zh": "上涨|下跌|持平|暂无数据|未经确认|由编辑设定|最低|最高|演示",
}
# The slugs of logs and metrics, said to a reader: why a number or a source is as it is.
_REASONS: dict[str, Mapping[str, str]] = {
    "en": {
        "timeout": "no answer in time",
        "dns": "its name has no address",
        "tls": "its certificate is not valid",
        "connect": "no connection",
        "http_4xx": "it refuses the request",
        "http_5xx": "an error on its side",
        "rate_limited": "it asks to be left alone for a while",
        "blocked": "another page instead of the data",
        "size": "the answer is too large",
        "encoding": "the answer is in another encoding",
        "parse": "the answer cannot be read",
        "schema": "the answer has another structure",
        "unit": "another unit",
        "range": "beyond what is believable",
        "move": "a jump that nobody has confirmed yet",
        "future": "dated in the future",
        "frozen": "nothing new has come",
        "disagree": "the sources disagree",
    },
    "ru": {
        "timeout": "не ответил вовремя",
        "dns": "не найден адрес сервера",
        "tls": "сертификат недействителен",
        "connect": "нет соединения",
        "http_4xx": "отклоняет запрос",
        "http_5xx": "ошибка на стороне источника",
        "rate_limited": "просит обращаться реже",
        "blocked": "вместо данных пришла другая страница",
        "size": "ответ слишком велик",
        "encoding": "ответ в другой кодировке",
        "parse": "ответ не удаётся прочитать",
        "schema": "изменилась структура ответа",
        "unit": "другая единица измерения",
        "range": "значение неправдоподобно",
        "move": "скачок пока никем не подтверждён",
        "future": "дата из будущего",
        "frozen": "новых данных не поступает",
        "disagree": "источники расходятся",
    },
}
# When a source publishes and how often it is asked.
_TIMES: dict[str, Mapping[str, str]] = {
    "en": {
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
    },
    "ru": {
        "every": "раз в {span}",
        "cron": "по расписанию cron {lines} ({zone})",
        "budget": "{asked}, не более {budget} запросов в час",
        "publication": "таблица в {at}",
        "session": "торги с {opens} до {closes}",
        "delay": ", с задержкой {span}",
        "calendar": "{what} ({zone}), {days}; опозданием считается задержка более {grace}",
        "holidays": ", кроме праздников {holidays}",
        "days": "пн вт ср чт пт сб вс",
        "day": "дн.",
        "hour": "ч",
        "minute": "мин",
        "second": "с",
    },
}


def fragment_phrases(locale: Locale) -> Mapping[str, str]:
    """The fragment's own words: `up`, `down`, `flat`, `unavailable`, `unconfirmed`, `edited` and so on."""
    return dict(zip(_KEYS, _FRAGMENT.get(locale.language, _FRAGMENT["en"]).split("|"), strict=True))


def speaks(locale: Locale) -> bool:
    """Whether reasons can be told in the reader's own language."""
    return locale.language in _REASONS


def reasons(locale: Locale) -> Mapping[str, str]:
    """What each reason's slug means, in the reader's language, else in English."""
    return _REASONS.get(locale.language, _REASONS["en"])


def cadence_text(source: SourceSettings, locale: Locale) -> str:
    """How often a source is asked, in a sentence; in English where we have not the language's words."""
    words, schedule = _TIMES.get(locale.language, _TIMES["en"]), source.schedule
    lines = words["cron"].format(lines=" | ".join(schedule.cron), zone=schedule.zone)
    asked = words["every"].format(span=_span(schedule.every, words)) if schedule.every else lines
    return words["budget"].format(asked=asked, budget=source.budget)


def calendar_text(calendar: Calendar, day: date, locale: Locale) -> str:
    """When a number appears and when it is late, in a sentence; in English where we have not the language's words.

    A market's hours are those of its timetable on `day`.
    """
    words = _TIMES.get(locale.language, _TIMES["en"])
    names = dict(zip(_TIMES["en"]["days"].split(), words["days"].split(), strict=True))
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


def _span(span: timedelta, words: Mapping[str, str]) -> str:
    seconds = span.total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {words[unit]}"
    return f"{seconds:g} {words['second']}"
