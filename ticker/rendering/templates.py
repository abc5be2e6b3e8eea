"""The templates: Jinja2 with autoescape, so that no text is ever markup; what ends in `.txt` is plain text."""

from __future__ import annotations

from datetime import UTC

from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from ticker.rendering import locales
from ticker.rendering.schemas import stamp, utc

_ENVIRONMENT = Environment(
    loader=PackageLoader("ticker.rendering"),
    autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)


def fill(template: str, locale: Locale, **values: object) -> str:
    """A template filled in for readers of `locale`; it writes numbers and moments itself."""
    return _ENVIRONMENT.get_template(template).render(
        lang=locales.tag_of(locale),
        dir=locales.direction_of(locale),
        dash=locales.DASH,
        locale=locale,
        locales=locales,
        stamp=stamp,
        utc=utc,
        UTC=UTC,
        **values,
    )
