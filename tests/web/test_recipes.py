"""What the page tells of Grafana and of Sheets, asked as they ask."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.project_files import ROOT
from tests.support.running_service import Served, answered

PAGE = (ROOT / "ticker/web/README.md").read_text(encoding="utf-8").partition("\n## Tables and dashboards\n")[2]
HOST = "https://ticker.example.org"
INFINITY = re.findall(r"^\| [^|]+ \| (JSON|CSV), backend parser \| `([^`]+)` \| (.+) \|$", PAGE, re.MULTILINE)
SHEETS = re.findall(r'^=IMPORTDATA\("([^"]+)"; ","; "en_US"\)$', PAGE, re.MULTILINE)
# As Grafana fills in the range of a panel: milliseconds, and Z.
RANGE = {"${__from:date:iso}": "2024-11-01T00:00:00.000Z"}
AS: Mapping[str, Callable[[str], object]] = {"string": str, "number": Decimal, "timestamp": datetime.fromisoformat}


async def fetched(served: Served, url: str, accept: str) -> str:
    """The body at an address of the page, which must be a success."""
    for macro, value in RANGE.items():
        url = url.replace(macro, value)
    parts = urlsplit(url.removeprefix(HOST))
    response = await served.client.get(f"{parts.path}?{parts.query}", headers={"Accept": accept})
    assert response.status == 200, await response.text()
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    return await response.text()


def rows_of(kind: str, body: str, selector: str) -> list[dict[str, Any]]:
    """The rows as the data source's parser finds them below its root selector."""
    if kind == "CSV":
        return list(csv.DictReader(io.StringIO(body)))
    found = json.loads(body, parse_float=Decimal)
    found = found[selector] if selector else found
    return list(found) if isinstance(found, list) else [found]


@pytest.mark.parametrize(("kind", "url", "told"), INFINITY, ids=["now", "one", "history"])
async def test_grafana_infinity_finds_the_columns(kind: str, url: str, told: str) -> None:
    """Every column is in every row, and is what it is said to be."""
    root = re.match(r"root `(\w+)`;", told)
    columns = re.findall(r"`(\w+)` (string|number|timestamp)", told)
    assert columns
    async with answered() as served:
        rows = rows_of(kind, await fetched(served, url, "*/*"), root[1] if root else "")
    assert rows
    for row in rows:
        for name, of in columns:
            assert AS[of](row[name]), (name, row)


@pytest.mark.parametrize("url", SHEETS, ids=["now", "history"])
async def test_sheets_imports_rows_of_plain_numbers(url: str) -> None:
    """Commas between, points in the numbers, a head over the columns, and date and status beside each price."""
    async with answered() as served:
        rows = list(csv.reader(io.StringIO(await fetched(served, url, "text/csv,*/*;q=0.1"))))
    head, *body = rows
    assert {"price", "as_of", "source"} <= set(head)
    assert body
    assert all(len(row) == len(head) for row in body)
    assert all(re.fullmatch(r"\d+(\.\d+)?", row[head.index("price")]) for row in body)


def test_every_recipe_is_asked() -> None:
    """Three of Grafana and two of Sheets; a line in another form would be passed over."""
    assert (len(INFINITY), len(SHEETS)) == (3, 2)
