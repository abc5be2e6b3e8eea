"""Reading the fragment as the contract does."""

from __future__ import annotations

import re


def folded(html: str) -> str:
    """The text of the fragment in `html`: runs of blanks are one, and none stands between a label and its number.

    The label and the number are words apart in the document ("USD 100.68" in a reader view); the contract writes an
    item without the blank: "USD100.68 EUR106.08 OIL73.73".
    """
    items = re.findall(r"<li\b.*?</li>", html, re.DOTALL)
    texts = [" ".join(re.sub(r"<[^>]*>", "", item).split()) for item in items or [html]]
    return " ".join("".join(text.split(" ", 1)) if items else text for text in texts)
