"""The code with which a page takes the ticker in, ready to be copied: one entry a way, from no script to a live one."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import get_data
from typing import Any
from urllib.parse import urlencode

from ticker.rendering.html import Links

# The service's address where none is configured; the page's script puts the one it sees in its place.
NOWHERE = "https://ticker.example"
# What the page offers beside symbols, language and style; the first of each is what a site gets that says nothing.
THEMES = ("auto", "light", "dark")
SIZES = {"normal": "1rem", "small": ".875rem", "large": "1.25rem"}
COLOURS = ("text", "signal")
# What needs no rule of the site's style sheet: a frame has its own look, a dashboard and a program have none.
_LOOKS_OF_THEIR_OWN = {"iframe", "glance", "homepage", "json", "feed"}
# Green and red that keep a contrast of 4.5 on white and on black paper.
UP, DOWN = "light-dark(#15693d, #6fcf97)", "light-dark(#b42318, #ff8f85)"


_WAYS: Mapping[str, Any] = tomllib.loads((get_data("ticker.rendering", "templates/embeds.toml") or b"").decode())


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of code; `where` is the key of the words that say where it is to be pasted."""

    where: str
    code: str


@dataclass(frozen=True, slots=True)
class Embed:
    """One way: its anchor, its name, and its pieces of code."""

    id: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def code(self) -> str:
        """All pieces, one after the other."""
        return "\n".join(block.code for block in self.blocks)


@dataclass(frozen=True, slots=True)
class WidgetChoice:
    """What the reader chose; no symbols means all."""

    symbols: tuple[str, ...] = ()
    lang: str = "en"
    style: str = "plain"
    theme: str = "auto"
    size: str = "normal"
    colours: str = "text"

    @property
    def query(self) -> str:
        """The query of `/widget` for this choice, with its question mark."""
        return _query(symbols=self.symbols, lang=self.lang, style="" if self.style == "plain" else self.style)

    @property
    def quotes_query(self) -> str:
        """The query of `/v1/quotes` and of the stream: numbers have no style."""
        return _query(symbols=self.symbols, lang=self.lang)

    @property
    def frame_query(self) -> str:
        """The query of `/frame`, which has a look of its own."""
        looks = {"theme": self.theme, "size": self.size, "colours": self.colours}
        others = {name: value for name, value in looks.items() if value not in {"normal", "text"}}
        return f"{self.query}&{urlencode(others)}"


def _query(symbols: tuple[str, ...] = (), **others: str) -> str:
    given = {"symbols": ",".join(symbols), **others}
    return "?" + urlencode({name: value for name, value in given.items() if value}, safe=",")


def embeds(
    choice: WidgetChoice, links: Links, labels: Mapping[str, str], title: str = "Market ticker"
) -> tuple[Embed, ...]:
    """The ways for `choice`; `labels` are those of all symbols of the board, in its order, and `title` is a frame's."""
    base = links.base or NOWHERE
    shown = choice.symbols or tuple(labels)
    narrow, wide = frame_heights(choice, len(shown))
    filled = {
        "base": base,
        "query": choice.query,
        "quotes_query": choice.quotes_query,
        "frame_query": choice.frame_query,
        "feed_query": _query(lang=choice.lang),
        "style": f'<link rel="stylesheet" href="{base}/widget.css">',
        "attributes": _attributes(choice),
        "shortcode": _attributes(choice).replace(" variant=", " style="),
        "narrow": str(narrow),
        "wide": str(wide),
        "title": title,
        "fields": "".join(_field(place, labels.get(symbol, symbol)) for place, symbol in enumerate(shown)),
    }
    rules = _rules(choice)
    return tuple(
        Embed(
            name,
            way["title"],
            tuple(Block(where, _fill(code, filled)) for where, code in way["code"].items())
            + ((Block("css", rules),) if rules and name not in _LOOKS_OF_THEIR_OWN else ()),
        )
        for name, way in _WAYS.items()
    )


def frame_heights(choice: WidgetChoice, count: int) -> tuple[int, int]:
    """The height in pixels of a frame of `count` numbers that cuts none off: down to 320 px, and from 720 px on."""
    each, scale = _WIDTHS[choice.style], {"normal": 1.0, "small": 0.875, "large": 1.25}[choice.size]
    narrow, wide = (-(-count // max(1, int((width + 24) / ((each + 24) * scale)))) for width in (300, 700))
    return tuple(round(rows * _ROW * scale) + 16 for rows in (narrow, wide))  # type: ignore[return-value] # of two


# How wide an item of each style gets at most in the languages of the page, and how high a row is, in pixels at 16 a
# letter; the browser's test measures both.
_WIDTHS = {"plain": 130, "change": 190, "sparkline": 272, "upcoming": 260}
_ROW = 52


def _attributes(choice: WidgetChoice) -> str:
    given = {"symbols": ",".join(choice.symbols), "lang": choice.lang, "variant": choice.style}
    return "".join(f' {name}="{value}"' for name, value in given.items() if value and value != "plain")


def _rules(choice: WidgetChoice) -> str:
    """The rule for a site's own style sheet; nothing where nothing was chosen."""
    rules = []
    if choice.theme != "auto":
        rules.append(f"color-scheme: {choice.theme}")
    if choice.size != "normal":
        rules.append(f"font-size: {SIZES[choice.size]}")
    if choice.colours == "signal":
        rules += [f"--ticker-up: {UP}", f"--ticker-down: {DOWN}"]
    lines = "".join(f"  {rule};\n" for rule in rules)
    return f"market-ticker, .market-ticker {{\n{lines}}}\n" if rules else ""


def _field(place: int, label: str) -> str:
    # JSON's strings are YAML's, whatever a label holds.
    shown = json.dumps(label, ensure_ascii=False)
    return f"\n          - field: quotes.{place}.display.price\n            label: {shown}"


def _fill(code: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        code = code.replace("{" + name + "}", value)
    return code
