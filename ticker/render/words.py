"""The page's own words, in the languages it speaks; the widget speaks every language through CLDR, but for one word."""

from __future__ import annotations

from collections.abc import Mapping

from ticker.render.cldr import Locale

_ENGLISH = {
    "lang": "en",
    "title": "Market ticker",
    "demo": "Demo",
    "demo_note": "This is a demo: every number on this page is invented and moves every two seconds.",
    "skip": "Skip to the content",
    "to_embed": "Embed",
    "api": "API",
    "promise": "The honest number.",
    "lede": "A few market numbers for the header of a page: never a wrong one, never a silently old one, "
    "never a missing page. What is not known is shown as unknown.",
    "specimen": "The header of a news site, live",
    "paper": "The Morning Courier",
    "sections": "World,Politics,Business,Science,Culture,Sport",
    "try": "Make it yours",
    "symbols": "Instruments",
    "language": "Language",
    "style": "Style",
    "plain": "Plain",
    "change": "With change",
    "sparkline": "With sparkline",
    "theme": "Theme",
    "auto": "Auto",
    "light": "Light",
    "dark": "Dark",
    "apply": "Apply",
    "embed": "Put it on a page",
    "element": "Custom element",
    "wordpress": "WordPress shortcode",
    "embed_note": "Nine ways, from no script at all to a live element. The code follows the choices above.",
    "copy": "Copy",
    "copied": "Copied",
    "now": "What is shown, and whose it is",
    "instrument": "Instrument",
    "price": "Price",
    "as_of": "As of",
    "source": "Source",
    "status": "Status",
    "history": "History",
    "sources": "Sources",
    "feeds": "Feeds",
    "state": "State",
    "last": "Last success, UTC",
    "terms": "Terms",
    "up": "answers",
    "down": "fails",
    "waiting": "not asked yet",
    "fresh": "fresh",
    "stale": "stale",
    "unavailable": "unavailable",
    "everything": "Everything on this page is also at",
}
_RUSSIAN = {
    "lang": "ru",
    "title": "Котировки",
    "demo": "Демо",
    "demo_note": "Это демонстрация: все числа на странице выдуманы и меняются каждые две секунды.",
    "skip": "К содержанию",
    "to_embed": "Встроить",
    "api": "API",
    "promise": "Честное число.",
    "lede": "Несколько рыночных чисел для шапки сайта: ни одного неверного, ни одного молча устаревшего, "
    "и страница никогда не ломается. Неизвестное показано как неизвестное.",
    "specimen": "Шапка новостного сайта, вживую",
    "paper": "Утренний вестник",
    "sections": "Мир,Политика,Экономика,Наука,Культура,Спорт",
    "try": "Настройте под себя",
    "symbols": "Инструменты",
    "language": "Язык",
    "style": "Вид",
    "plain": "Простой",
    "change": "С изменением",
    "sparkline": "С графиком",
    "theme": "Тема",
    "auto": "Авто",
    "light": "Светлая",
    "dark": "Тёмная",
    "apply": "Применить",
    "embed": "Поставьте на страницу",
    "element": "Пользовательский элемент",
    "wordpress": "Шорткод WordPress",
    "embed_note": "Девять способов, от полного отсутствия скриптов до живого элемента. Код следует выбору выше.",
    "copy": "Копировать",
    "copied": "Скопировано",
    "now": "Что показано и чьё это",
    "instrument": "Инструмент",
    "price": "Цена",
    "as_of": "На момент",
    "source": "Источник",
    "status": "Состояние",
    "history": "История",
    "sources": "Источники",
    "feeds": "Что даёт",
    "state": "Состояние",
    "last": "Последний успех, UTC",
    "terms": "Условия",
    "up": "отвечает",
    "down": "не отвечает",
    "waiting": "ещё не спрошен",
    "fresh": "свежее",
    "stale": "устарело",
    "unavailable": "нет данных",
    "everything": "Всё, что есть на странице, есть и здесь:",
}
# The one word of the widget that CLDR has not; elsewhere it is understood as it is.
_DEMO = {
    "ar": "تجريبي",
    "fa": "نمایشی",
    "fr": "démo",
    "he": "הדגמה",
    "hi": "डेमो",
    "ja": "デモ",
    "kk": "демо",
    "ko": "데모",
    "ru": "демо",
    "uk": "демо",
    "zh": "演示",
}
_WORDS: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "ru": _RUSSIAN}


def words_for(locale: Locale) -> Mapping[str, str]:
    """The page's words in the reader's language, else in English; `lang` says which it is."""
    return _WORDS.get(locale.language, _ENGLISH)


def demo_in(locale: Locale) -> str:
    """What the widget of a demo calls itself."""
    return _DEMO.get(locale.language, "demo")
