"""A sparkline: the line of an instrument as a picture of a word's size, with the same in words.

No script, no style, no colour of its own: `currentColor` where it is part of a page, black in an <img>.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 120, 30, 2


def sparkline(points: Sequence[tuple[datetime, Decimal]], *, title: str, text: str) -> str:
    """The SVG of `points`, oldest first; without any, an empty picture that says so in `text`.

    `title` is what the picture shows, `text` the same for those who do not see it; both are escaped here.
    """
    line = f'<path d="{_path(points)}" {_STROKE}/>' if points else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" preserveAspectRatio="none"><title>{escape(title)}</title><desc>{escape(text)}</desc>{line}</svg>\n'
    )


_STROKE = (
    'fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" vector-effect="non-scaling-stroke"'
)


def _path(points: Sequence[tuple[datetime, Decimal]]) -> str:
    began, lasted = points[0][0], (points[-1][0] - points[0][0]).total_seconds()
    prices = [price for _, price in points]
    lowest, spread = min(prices), max(prices) - min(prices)
    width, height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    places: list[str] = []
    for moment, price in points:
        along = (moment - began).total_seconds() / lasted if lasted else 0.5
        up = float((price - lowest) / spread) if spread else 0.5
        places.append(f"{MARGIN + along * width:.1f} {MARGIN + (1 - up) * height:.1f}")
    # One point is a dash in the middle: a line needs two.
    return f"M{MARGIN} {places[0].split()[1]}h{width}" if len(points) == 1 else "M" + "L".join(places)
