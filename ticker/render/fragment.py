"""The fragment: the header alone, as HTML. What a site asks for first waits for no template language.

Safe by how it is made, as a template with autoescape is: a text that is not said to be markup is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticker.render.html import Links


_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})


@dataclass(frozen=True, slots=True)
class Row:
    """One instrument as the templates see it: text only, already in the reader's language."""

    symbol: str
    label: str
    name: str
    status: str
    reason: str | None
    price: str | None
    value: str | None
    age: str | None
    when: str | None
    as_of: str | None
    attribution: str | None
    change: str | None = None
    direction: str | None = None

    @property
    def note(self) -> str:
        """Where the number is from and of when, as a tooltip."""
        return ", ".join(filter(None, (self.attribution, self.when))) or self.status


class Html(str):
    """A text that is markup already: elements make it, and nobody else."""

    __slots__ = ()


def element(name: str, attributes: Iterable[tuple[str, str]] = (), *children: str) -> Html:
    """An element with its attributes and what is in it; a child that is no Html is text."""
    told = "".join([f' {key}="{value.translate(_ESCAPES)}"' for key, value in attributes])
    inner = "".join([each if isinstance(each, Html) else each.translate(_ESCAPES) for each in children])
    return Html(f"<{name}{told}>{inner}</{name}>")


def image(attributes: Iterable[tuple[str, str]]) -> Html:
    """A picture, which has nothing in it and no end."""
    return Html(element("img", attributes).removesuffix("</img>"))


def fragment(rows: Iterable[Row], about: dict[str, str], links: Links, dash: str, demo: str | None) -> str:
    """The list of `rows`, right without script and without style; `about` are its attributes, its style among them."""
    style = about.get("data-style", "plain")
    items = [_item(row, style, links, dash) for row in rows]
    if demo:
        items.append(element("li", [("data-status", "demo")], element("em", (), demo)))
    lines = [each for item in items for each in (item, Html("\n"))]
    return element("ul", [("class", "market-ticker"), *about.items()], "\n", *lines)


def _item(row: Row, style: str, links: Links, dash: str) -> Html:
    told = [("data-symbol", row.symbol), ("data-status", row.status)]
    if style != "plain" and row.direction:
        told.append(("data-direction", row.direction))
    drawn = [_picture(row, links)] if style == "sparkline" and links.pictures else []
    return element("li", told, element("abbr", [("title", row.name)], row.label), *_number(row, style, dash), *drawn)


def _number(row: Row, style: str, dash: str) -> list[str]:
    """What is known of it; a dash where nothing is."""
    if row.price is None:
        return [element("span", [("title", row.note)], dash)]
    told: list[str] = [element("data", [("value", row.value or ""), ("title", row.note)], row.price)]
    if style != "plain" and row.change:
        told += [" ", element("small", (), row.change)]
    if row.age:
        told += [" ", element("time", [("datetime", row.as_of or "")], row.age)]
    return told


def _picture(row: Row, links: Links) -> Html:
    source = f"{links.base}/sparkline/{row.symbol}.svg"
    return image([("src", source), ("alt", row.name), ("width", "64"), ("height", "20"), ("loading", "lazy")])
