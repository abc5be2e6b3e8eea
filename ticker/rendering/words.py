"""The page's own words, in the languages it speaks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from babel import Locale

from ticker.calendars import Calendar
from ticker.calendars.session import Session
from ticker.settings.models import SourceSettings

_ENGLISH = {
    "lang": "en",
    "title": "Market ticker",
    "demo": "Demo",
    "demo_note": "This is a demo: every number on this page is invented and moves every two seconds.",
    "skip": "Skip to content",
    "page_language": "Language of this page",
    "to_now": "Numbers",
    "to_embed": "Embed",
    "api": "API",
    "promise": "The honest number.",
    "lede": "A few market numbers for the header of a page: never a wrong one, never a silently old one, "
    "never a missing page. What is not known is shown as not known.",
    "preview": "Preview",
    "specimen": "The header of a news site, live",
    "paper": "The Morning Courier",
    "try": "Make it yours",
    "symbols": "Instruments",
    "at_least_one": "At least one instrument has to stay selected.",
    "none_chosen": "No instrument was selected, so all of them are shown.",
    "language": "Language of the widget",
    "style": "Style",
    "plain": "Plain",
    "change": "With change",
    "sparkline": "With sparkline",
    "upcoming": "With the next rate",
    "theme": "Theme",
    "auto": "Auto",
    "light": "Light",
    "dark": "Dark",
    "size": "Size",
    "small": "Small",
    "normal": "Normal",
    "large": "Large",
    "colours": "Change in",
    "text": "Text colour",
    "signal": "Green and red",
    "apply": "Apply",
    "embed": "Put it on your page",
    "embed_note": "From no script at all to a live element. The code follows the choices above.",
    "element": "Custom element",
    "where_page": "In the page:",
    "where_head": "In the head of the page:",
    "where_css": "In the site’s style sheet:",
    "where_nginx": "In nginx’s server { }. config/nginx/ has the same with a cache that outlives the service:",
    "where_apache": "In the virtual host; copy config/apache/market-ticker.conf there and put in this service’s "
    "address:",
    "where_varnish": "In the site’s VCL, after its first line. Copy config/varnish/market-ticker.vcl there and put in "
    "this service’s address:",
    "where_npm": "In a copy of the ticker’s repository; the package then stands in your project:",
    "where_jsx": "Ticker.jsx:",
    "where_vite": "vite.config.js:",
    "where_sfc": "Ticker.vue:",
    "where_plugin": "The plugin is part of the ticker’s repository. Copy it and activate it:",
    "where_settings": "In Settings, Market ticker, the address of the service:",
    "where_post": "In a post or a page (there is a block and a widget, too):",
    "where_template": "In a template of the theme:",
    "where_glance": "glance.yml, under widgets:",
    "where_homepage": "services.yaml:",
    "where_terminal": "In a terminal:",
    "copy": "Copy",
    "copied": "Copied",
    "copy_yourself": "Press Ctrl+C",
    "now": "The numbers, and whose they are",
    "then": "The numbers as they stood on {day}",
    "on_day": "On the day",
    "show": "Show",
    "back_to_now": "Back to now",
    "as_of": "As of",
    "source": "Source",
    "status": "Status",
    "next_update": "Next expected",
    "upcoming_rate": "Published, in force from {day}",
    "unconfirmed": "not confirmed by a second source yet",
    "edited": "Held by the editors",
    "fallback": "fallback",
    "period": "Period",
    "1w": "1 week",
    "1m": "1 month",
    "1y": "1 year",
    "5y": "5 years",
    "all": "All",
    "legend": "How the line is drawn",
    "own": "the instrument’s own source",
    "fallback_line": "a fallback",
    "stale_line": "out of date",
    "readout": "Read the line",
    "no_history": "There is no history yet.",
    "no_store": "The history cannot be read just now.",
    "evidence": "Why this number?",
    "corrections": "Corrections",
    "corrections_note": "What stood here wrong, late or not at all, and what an editor changed. The whole record:",
    "no_corrections": "Nothing is on record.",
    "kind_wrong": "wrong",
    "kind_late": "late",
    "kind_missing": "missing",
    "kind_edited": "edited",
    "kind": "What",
    "since": "From, UTC",
    "until": "To, UTC",
    "still": "still",
    "shown": "Shown",
    "right": "Right",
    "converter": "Converter",
    "amount": "Amount",
    "from": "From",
    "to": "To",
    "convert": "Convert",
    "at_rates": "by the numbers of {day}",
    "unknown_result": "A number on the way is not known.",
    "bad_amount": "The amount is not a number this converter can read.",
    "sources": "Sources",
    "sources_summary": "{up} of {all} answer",
    "feeds": "Feeds",
    "state": "State",
    "last": "Last success, UTC",
    "terms": "Terms",
    "up": "answers",
    "down": "fails",
    "waiting": "not asked yet",
    "fresh": "fresh",
    "stale": "out of date",
    "unavailable": "no data",
    "privacy": "Privacy",
    "privacy_note": "Ready to be pasted into the privacy notice of a site that loads the widget by script, iframe or "
    "htmx. Where a server puts the fragment into the page (SSI, ESI, WordPress without “keep current”), the reader’s "
    "browser asks this service for a style sheet at most.",
    "privacy_text": "The market numbers on this page come from {host}. To load them, your browser sends that server "
    "what "
    "it sends with any request: your IP address, its name and version, and your preferred languages; not the address "
    "of "
    "the page you are reading. The market ticker sets no cookies, stores nothing on your device, and keeps no record "
    "of "
    "who asked.",
    "this_service": "the market ticker service",
    "everything": "Everything on this page is also at",
    "not_found": "There is no such page",
    "wrong": "This cannot be shown",
    "to_page": "To the page of the ticker",
    "card_line": "The honest number",
}
_RUSSIAN = {
    "lang": "ru",
    "title": "Котировки",
    "demo": "Демо",
    "demo_note": "Это демонстрация: все числа на странице выдуманы и меняются каждые две секунды.",
    "skip": "Перейти к содержанию",
    "page_language": "Язык страницы",
    "to_now": "Числа",
    "to_embed": "Встроить",
    "api": "API",
    "promise": "Честное число.",
    "lede": "Несколько рыночных чисел для шапки сайта. Ни одного неверного, ни одного молча устаревшего, "
    "и страница никогда не ломается. Чего мы не знаем, того не показываем.",
    "preview": "Предпросмотр",
    "specimen": "Шапка новостного сайта, вживую",
    "paper": "Утренний вестник",
    "try": "Настройте под себя",
    "symbols": "Инструменты",
    "at_least_one": "Хотя бы один инструмент должен остаться выбранным.",
    "none_chosen": "Ни один инструмент не был выбран, поэтому показаны все.",
    "language": "Язык виджета",
    "style": "Вид",
    "plain": "Простой",
    "change": "С изменением",
    "sparkline": "С графиком",
    "upcoming": "Со следующим курсом",
    "theme": "Тема",
    "auto": "Авто",
    "light": "Светлая",
    "dark": "Тёмная",
    "size": "Размер",
    "small": "Мелкий",
    "normal": "Обычный",
    "large": "Крупный",
    "colours": "Цвет изменения",
    "text": "Как у текста",
    "signal": "Зелёный и красный",
    "apply": "Применить",
    "embed": "Разместите у себя",
    "embed_note": "От варианта совсем без скриптов до живого элемента. Код учитывает выбранное выше.",
    "element": "Собственный элемент HTML",
    "where_page": "На странице:",
    "where_head": "В head страницы:",
    "where_css": "В таблице стилей сайта:",
    "where_nginx": "В блоке server { } nginx. В config/nginx/ то же самое, но с кэшем, который переживёт службу:",
    "where_apache": "В виртуальном хосте; скопируйте туда config/apache/market-ticker.conf и впишите адрес службы:",
    "where_varnish": "В VCL сайта, после первой строки. Скопируйте туда config/varnish/market-ticker.vcl и впишите "
    "адрес службы:",
    "where_npm": "В копии репозитория службы; готовый пакет установите в свой проект:",
    "where_jsx": "Ticker.jsx:",
    "where_vite": "vite.config.js:",
    "where_sfc": "Ticker.vue:",
    "where_plugin": "Плагин лежит в репозитории службы. Скопируйте и активируйте его:",
    "where_settings": "В разделе «Настройки → Market ticker» укажите адрес службы:",
    "where_post": "В записи или на странице (есть также блок и виджет):",
    "where_template": "В шаблоне темы:",
    "where_glance": "glance.yml, в разделе widgets:",
    "where_homepage": "services.yaml:",
    "where_terminal": "В терминале:",
    "copy": "Копировать",
    "copied": "Скопировано",
    "copy_yourself": "Нажмите Ctrl+C",
    "now": "Числа и их источники",
    "then": "Числа на {day}",
    "on_day": "На дату",
    "show": "Показать",
    "back_to_now": "Вернуться к текущим",
    "as_of": "На момент",
    "source": "Источник",
    "status": "Состояние",
    "next_update": "Следующее обновление",
    "upcoming_rate": "Опубликовано, действует с {day}",
    "unconfirmed": "пока не подтверждено вторым источником",
    "edited": "Задано редакцией",
    "fallback": "запасной источник",
    "period": "Период",
    "1w": "Неделя",
    "1m": "Месяц",
    "1y": "Год",
    "5y": "5 лет",
    "all": "Всё время",
    "legend": "Как нарисована линия",
    "own": "основной источник",
    "fallback_line": "запасной источник",
    "stale_line": "устаревшее значение",
    "readout": "Значения по датам",
    "no_history": "Истории пока нет.",
    "no_store": "Сейчас историю прочитать не удаётся.",
    "evidence": "Почему именно это число?",
    "corrections": "Исправления",
    "corrections_note": "Что было показано неверно, с опозданием или не было показано вовсе и что изменила редакция. "
    "Все записи:",
    "no_corrections": "Записей нет.",
    "kind_wrong": "неверно",
    "kind_late": "с опозданием",
    "kind_missing": "не было числа",
    "kind_edited": "изменено редакцией",
    "kind": "Что",
    "since": "С, UTC",
    "until": "По, UTC",
    "still": "до сих пор",
    "shown": "Показано",
    "right": "Верно",
    "converter": "Конвертер",
    "amount": "Сумма",
    "from": "Из",
    "to": "В",
    "convert": "Пересчитать",
    "at_rates": "по данным на {day}",
    "unknown_result": "Для пересчёта не хватает данных.",
    "bad_amount": "Не удалось прочитать сумму.",
    "sources": "Источники",
    "sources_summary": "отвечают {up} из {all}",
    "feeds": "Что даёт",
    "state": "Состояние",
    "last": "Последний ответ, UTC",
    "terms": "Условия",
    "up": "отвечает",
    "down": "не отвечает",
    "waiting": "ещё не опрошен",
    "fresh": "актуально",
    "stale": "устарело",
    "unavailable": "нет данных",
    "privacy": "Конфиденциальность",
    "privacy_note": "Готовый абзац для политики конфиденциальности сайта, который загружает виджет скриптом, через "
    "iframe "
    "или htmx. Если фрагмент вставляет сервер (SSI, ESI, WordPress без обновления в браузере), браузер читателя "
    "запрашивает у службы разве что таблицу стилей.",
    "privacy_text": "Рыночные данные на этой странице предоставляет {host}. Чтобы их загрузить, браузер отправляет "
    "этому "
    "серверу то же, что и при любом запросе: ваш IP-адрес, своё название и версию, предпочитаемые языки. Адрес "
    "страницы, "
    "которую вы читаете, не передаётся. Служба котировок не использует cookie, ничего не сохраняет на вашем "
    "устройстве и "
    "не ведёт записей о том, кто к ней обращался.",
    "this_service": "служба котировок",
    "everything": "Всё, что есть на этой странице, доступно и по адресам",
    "not_found": "Такой страницы нет",
    "wrong": "Это показать не удалось",
    "to_page": "На страницу котировок",
    "card_line": "Честное число",
}
_WORDS: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "ru": _RUSSIAN}


def words_for(locale: Locale) -> Mapping[str, str]:
    """The page's words in the reader's language, else in English; `lang` says which it is."""
    return _WORDS.get(locale.language, _ENGLISH)


def page_language(lang: str) -> str:
    """The tag in which the page itself is written for a reader of `lang`: that tag where we have its words."""
    return lang if lang.partition("-")[0] in _WORDS else "en"


# What the service says to readers in words of its own; whatever CLDR has a word for is left to CLDR.
#
# The fragment speaks the languages that the page offers; any other language gets English.


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
