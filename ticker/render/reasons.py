"""Why a number or a source is as it is: the slugs of logs and metrics, said to a reader of the page."""

from __future__ import annotations

from collections.abc import Mapping

from ticker.render.cldr import Locale

_ENGLISH = {
    "timeout": "no answer in time",
    "dns": "its name has no address",
    "tls": "its certificate is not right",
    "connect": "no connection",
    "http_4xx": "it refuses the request",
    "http_5xx": "an error at its side",
    "rate_limited": "it asks to be left alone for a while",
    "blocked": "another page instead of the data",
    "size": "the answer is too large",
    "encoding": "the answer is in another encoding",
    "parse": "the answer cannot be read",
    "schema": "the answer has another form",
    "unit": "another unit",
    "range": "beyond what is believable",
    "move": "a jump that nobody has confirmed yet",
    "future": "dated in the future",
    "frozen": "nothing new has come",
    "disagree": "the sources disagree",
}
_RUSSIAN = {
    "timeout": "не ответил вовремя",
    "dns": "у имени нет адреса",
    "tls": "сертификат не подходит",
    "connect": "нет соединения",
    "http_4xx": "отклоняет запрос",
    "http_5xx": "ошибка на его стороне",
    "rate_limited": "просит пока не спрашивать",
    "blocked": "вместо данных другая страница",
    "size": "ответ слишком велик",
    "encoding": "ответ в другой кодировке",
    "parse": "ответ не читается",
    "schema": "ответ другого вида",
    "unit": "другая единица",
    "range": "вне правдоподобных пределов",
    "move": "скачок, никем ещё не подтверждённый",
    "future": "дата в будущем",
    "frozen": "нового не приходит",
    "disagree": "источники расходятся",
}
_SAID: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "ru": _RUSSIAN}


def reasons_for(locale: Locale) -> Mapping[str, str]:
    """What each slug means, in the reader's language, else in English."""
    return _SAID.get(locale.language, _ENGLISH)
