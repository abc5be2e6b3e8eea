"""The picture that a link to the page unfurls to in messengers and social networks: an SVG, drawn as PNG by resvg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from xml.sax.saxutils import escape

import resvg_py
from babel import Locale

from ticker.quotes import Quote, Snapshot
from ticker.rendering import locales
from ticker.rendering.html import HtmlRenderer, Item
from ticker.rendering.page_words import words_for
from ticker.rendering.representation import PNG, Representation

WIDTH, HEIGHT = 1200, 630
# Rows that are still read where the picture is shown as wide as a hand.
MOST_ROWS = 4
_PAPER, _INK, _SOFT, _LINE, _UP, _DOWN = "#faf8f4", "#1b1a18", "#5f5a52", "#dfd9cd", "#15693d", "#b42318"
# A slim image has no fonts: these come along, cut down to the letters of the page's languages.
_FONTS = [str(files("ticker.rendering").joinpath("fonts", name)) for name in ("card.ttf", "card-serif.ttf")]
_SANS, _SERIF = "DejaVu Sans", "DejaVu Serif"


def card(snapshot: Snapshot, quotes: Sequence[Quote], html: HtmlRenderer, locale: Locale) -> Representation:
    """The card of `quotes`: one large, several in rows; each with its date, since a picture is kept for long."""
    words = words_for(locale)
    items = html.items(quotes[:MOST_ROWS], locale)
    title = words["title"] + (f" ({words['demo']})" if snapshot.demo else "")
    drawn = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{_PAPER}"/>',
        _text(72, 104, title, 34, font=_SERIF, weight=700),
        _text(WIDTH - 72, 104, words["card_line"], 26, colour=_SOFT, anchor="end"),
        f'<path d="M72 136H{WIDTH - 72}" stroke="{_LINE}" stroke-width="2"/>',
        *(_large(items[0], words) if len(items) == 1 else _rows(items, words)),
    ]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(drawn)}</svg>'
    png = resvg_py.svg_to_bytes(svg_string=svg, width=WIDTH, height=HEIGHT, skip_system_fonts=True, font_files=_FONTS)
    return Representation(bytes(png), PNG, snapshot.generated_at)


def _large(item: Item, words: Mapping[str, str]) -> list[str]:
    return [
        _text(72, 210, item.name, 36, colour=_SOFT),
        _text(72, 400, item.price or locales.DASH, 170, font=_SERIF),
        _move(item, 72, 480, 48, "start"),
        _text(72, 560, _told(item, words), 30, colour=_SOFT),
    ]


def _rows(items: Sequence[Item], words: Mapping[str, str]) -> list[str]:
    drawn, step = [], (HEIGHT - 150) / max(len(items), 3)
    for place, item in enumerate(items):
        base = 150 + step * (place + 0.62)
        drawn += [
            _text(72, base, item.label, 46, weight=700),
            _text(690, base, item.price or locales.DASH, 76, font=_SERIF, anchor="end"),
            _move(item, 730, base, 36, "start"),
            _text(WIDTH - 72, base, item.day or "", 24, colour=_SOFT, anchor="end"),
            _text(WIDTH - 72, base + 32, _status(item, words), 24, colour=_DOWN, anchor="end"),
        ]
    return drawn


def _move(item: Item, x: float, y: float, size: int, anchor: str) -> str:
    colour = {"up": _UP, "down": _DOWN}.get(item.direction or "", _SOFT)
    return _text(x, y, item.change or "", size, colour=colour, anchor=anchor)


def _told(item: Item, words: Mapping[str, str]) -> str:
    return ", ".join(filter(None, (item.attribution, item.when, _status(item, words))))


def _status(item: Item, words: Mapping[str, str]) -> str:
    """What has to be said of a number that is not fresh."""
    return "" if item.status == "fresh" else words[item.status]


def _text(
    x: float,
    y: float,
    text: str,
    size: int,
    *,
    colour: str = _INK,
    font: str = _SANS,
    weight: int = 400,
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-family="{font}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
