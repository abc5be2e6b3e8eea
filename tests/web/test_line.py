from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from defusedxml import ElementTree
from yarl import URL

from tests.storage.rows import DAY, FRIDAY, archived, fixing, meant, trade
from tests.support.stored_service import Kept
from tests.web.test_past import LATER, problem, service, serving, week

__all__ = ["service"]
USD = "/v1/quotes/USD/history"


@asynccontextmanager
async def ticking() -> AsyncIterator[Kept]:
    """A service with ten days of oil every five minutes from nine to midnight, Moscow's time."""
    start = FRIDAY + timedelta(hours=9)
    rows = [
        trade(start + day * DAY + step * timedelta(minutes=5), f"{70 + day}.{step:03d}")
        for day in range(10)
        for step in range(180)
    ]
    async with serving([archived(row, LATER - DAY) for row in rows]) as found:
        yield found


async def test_a_line_is_the_publications_oldest_first(service: Kept) -> None:
    """Every point has its own date, kind, source and exact digits."""
    line = await service.get(f"{USD}?from=2024-11-20&to=2024-11-22")
    assert [point["price"] for point in line["points"]] == [99.943, 100.2192, 100.6798]
    assert line["points"][-1] == {
        "as_of": "2024-11-22T00:00:00+03:00",
        "price": 100.6798,
        "price_type": "fixing",
        "source": "cbr",
        "fetched_at": "2025-12-25T21:00:00Z",
        "revision": 0,
    }
    assert (line["symbol"], line["interval"], line["next"]) == ("USD", "raw", None)
    assert line["since"] == "2024-11-19T00:00:00+03:00"


async def test_digits_are_the_sources_own(service: Kept) -> None:
    """99.9430 stays 99.9430 in every format."""
    for name in ("json", "csv", "ndjson"):
        async with service.client.get(f"{USD}?to=2024-11-20&format={name}") as answer:
            assert "99.9430" in await answer.text()


async def test_ends_are_included(service: Kept) -> None:
    """A day as an end is the whole day, a moment is that moment."""
    line = await service.get(f"{USD}?from=2024-11-22&to=2024-11-22")
    assert len(line["points"]) == 1
    line = await service.get(f"{USD}?from=2024-11-22T00:00:00%2B03:00&to=2024-11-22T00:00:00%2B03:00")
    assert len(line["points"]) == 1
    line = await service.get(f"{USD}?from=2024-11-22T00:00:00.000001%2B03:00&to=2024-11-22T20:59:59Z")
    assert line["points"] == []


async def test_the_formats_say_the_same(service: Kept) -> None:
    """JSON, CSV and NDJSON, by `format` and by `Accept`."""
    points = (await service.get(USD))["points"]
    for query, accept, media in (
        ("?format=csv", "*/*", "text/csv"),
        ("", "text/csv", "text/csv"),
        ("", "application/json;q=0.1, text/csv;q=0.9", "text/csv"),
        ("?format=ndjson", "text/csv", "application/x-ndjson"),
        ("", "application/x-ndjson", "application/x-ndjson"),
        ("", "text/html, */*;q=0.1", "application/json"),
    ):
        async with service.client.get(USD + query, headers={"Accept": accept}) as answer:
            assert answer.content_type == media
            assert ("Accept" in answer.headers["Vary"].split(", ")) is not bool(query)
            body = await answer.text()
        if media == "text/csv":
            found = [
                {**row, "price": float(row["price"]), "revision": int(row["revision"])}
                for row in csv.DictReader(io.StringIO(body))
            ]
        else:
            found = json.loads(body)["points"] if media.endswith("/json") else list(map(json.loads, body.splitlines()))
        assert found == points


async def test_pages_join_to_the_whole() -> None:
    """Following `next` gives every row once, whatever the limit, and the Link header leads the same way."""
    async with ticking() as service:
        for interval, count in (("raw", 1800), ("1h", 150), ("1d", 10)):
            path = f"/v1/quotes/OIL/history?interval={interval}"
            whole = (await service.get(f"{path}&limit=5000"))["points"]
            assert len(whole) == count
            found, onward = [], f"{path}&limit={count // 3 + 1}"
            while onward:
                async with service.client.get(onward) as answer:
                    page = await answer.json()
                    link = answer.links.get("next")
                found += page["points"]
                assert (link is None) is (page["next"] is None)
                onward = str(URL(link["url"]).relative()) if link else ""
            assert found == whole


async def test_pages_stay_whole_while_rows_are_added() -> None:
    """What is written between two pages, before the cursor, at it, after it or as a correction, gives nothing twice."""
    async with ticking() as service:
        path, store = "/v1/quotes/OIL/history?limit=100", service.service.store_writer.store
        before = await service.get(path)
        last = before["points"][-1]["as_of"]
        start = FRIDAY + timedelta(hours=9)
        store.write(meant([archived(trade(start - DAY, "60"), LATER), trade(start + 20 * DAY, "90")]), {})
        store.write(meant([archived(trade(start + 99 * timedelta(minutes=5), "61"), LATER)]), {})
        page, told = before, [point["as_of"] for point in before["points"]]
        while page["next"] is not None:
            page = await service.get(f"{path}&cursor={page['next']}")
            told += [point["as_of"] for point in page["points"]]
        assert told == sorted(set(told))
        assert told.count(last) == 1
        assert len(told) == 1800 + 1


async def test_an_hour_and_a_day_are_told_by_their_last_price() -> None:
    """The day ends at the market's own midnight."""
    async with ticking() as service:
        days = await service.get("/v1/quotes/OIL/history?interval=1d&from=2024-11-22&to=2024-11-24")
        assert [point["price"] for point in days["points"]] == [70.179, 71.179, 72.179]
        hours = await service.get("/v1/quotes/OIL/history?interval=1h&from=2024-11-22&limit=2")
        assert [point["as_of"][11:16] for point in hours["points"]] == ["09:55", "10:55"]


async def test_a_range_before_history_is_404_and_says_from_when_there_is_data(service: Kept) -> None:
    """A range that only begins before is answered from where there is data; one that ends before is not."""
    found = await problem(service, f"{USD}?from=2020-01-01&to=2020-02-01")
    assert (found["status"], found["since"]) == (404, "2024-11-19T00:00:00+03:00")
    assert len((await service.get(f"{USD}?from=2020-01-01&to=2024-11-20"))["points"]) == 2
    assert (await service.get(f"{USD}?from=2025-06-01&to=2025-06-02"))["points"] == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("from=2024-11-23&to=2024-11-22", "from"),
        ("from=2026-11-22", "from"),
        ("to=2026-11-22", "to"),
        ("from=soon", "from"),
        ("to=2024-02-30", "to"),
        ("interval=1m", "interval"),
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e3", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("cursor=xyz", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=fffffffffffffff", "cursor"),
        ("format=xml", "format"),
        ("form=csv", "form"),
        ("from=2024-11-22&from=2024-11-23", "from"),
    ],
)
async def test_a_bad_question_is_400_and_named(service: Kept, query: str, parameter: str) -> None:
    """Nothing is guessed."""
    found = await problem(service, f"{USD}?{query}")
    assert (found["status"], found["parameter"]) == (400, parameter)


async def test_an_unknown_instrument_is_404(service: Kept) -> None:
    """In the line and in the picture."""
    for path in ("/v1/quotes/GBP/history", "/sparkline/GBP.svg"):
        assert (await problem(service, path))["parameter"] == "symbol"


async def test_the_picture_is_a_line_with_its_words() -> None:
    """The last days as one path, with title and description for those who do not see it; nothing a policy forbids."""
    rows = [archived(fixing(LATER - day * DAY, f"{100 - day}"), LATER) for day in range(1, 6)]
    async with serving(rows) as service, service.client.get("/sparkline/USD.svg?lang=ru") as answer:
        assert answer.content_type == "image/svg+xml"
        assert answer.headers["ETag"]
        body = await answer.text()
    root = ElementTree.fromstring(body)
    name = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.findtext(f"{name}title") == "Доллар США, RUB / 1 USD"
    assert "95,00" in (root.findtext(f"{name}desc") or "")
    path = root.find(f"{name}path")
    assert path is not None
    assert (path.get("stroke"), path.get("d", "").count("L")) == ("currentColor", 4)
    assert not {"style", "script"} & {element.tag.removeprefix(name) for element in root.iter()}
    assert "style=" not in body


async def test_without_data_the_picture_is_empty_and_says_so(service: Kept) -> None:
    """A page's picture is never missing: unknown is shown as unknown."""
    async with service.client.get("/sparkline/EUR.svg?days=30") as answer:
        body = await answer.text()
        assert answer.status == 200
    assert "<path" not in body
    assert "<desc>\N{EM DASH}</desc>" in body
    assert (await problem(service, "/sparkline/EUR.svg?days=0"))["parameter"] == "days"


async def test_a_week_of_history_has_the_numbers_it_was_given() -> None:
    """No point is lost or invented on the way from the store to the reader."""
    async with serving(week()) as service:
        line = await service.get(USD)
        told = [Decimal(str(point["price"])) for point in line["points"]]
    assert told == [row.price for row in week() if row.symbol == "USD"]


async def test_the_last_so_many_of_one_kind_from_one_source(service: Kept) -> None:
    """`order`, `source`, `price_type`; the answer says what it was asked."""
    line = await service.get(f"{USD}?order=desc&limit=2&interval=1d&source=cbr&price_type=fixing")
    assert [point["price"] for point in line["points"]] == [102.5761, 100.6798]
    told = (line["order"], line["source"], line["price_type"], line["interval"])
    assert told == ("desc", "cbr", "fixing", "1d")
    onward = await service.get(f"{USD}?order=desc&limit=2&interval=1d&cursor={line['next']}")
    assert [point["price"] for point in onward["points"]] == [100.2192, 99.943]


@pytest.mark.parametrize(
    ("query", "parameter", "mend"),
    [
        ("order=newest", "order", "there are asc, desc"),
        ("source=cbrr", "source", "did you mean 'cbr'?"),
        ("source=", "source", "there are cbr"),
        ("price_type=spot", "price_type", "'spot' is no value"),
        ("interval=1m", "interval", "did you mean '1mo'?"),
        ("dialect=word", "dialect", "there are rfc4180, excel"),
    ],
)
async def test_what_is_wrong_with_a_series_is_named(service: Kept, query: str, parameter: str, mend: str) -> None:
    """With what it may be."""
    body = await problem(service, f"{USD}?{query}")
    assert body["parameter"] == parameter
    assert mend in body["detail"]


async def test_several_instruments_are_asked_at_once(service: Kept) -> None:
    """A series each in the order asked for; a row of a table begins with its symbol."""
    body = await service.get("/v1/history?symbols=OIL,USD&interval=1d&order=desc&limit=1")
    assert [(each["symbol"], [p["price"] for p in each["points"]]) for each in body["series"]] == [
        ("OIL", [73.73]),
        ("USD", [102.5761]),
    ]
    async with service.client.get("/v1/history.csv?symbols=EUR,USD&interval=1d") as answer:
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [row["symbol"] for row in rows] == ["EUR"] * 2 + ["USD"] * 5
    assert {row["price"] for row in rows} >= {"105.8067", "99.9430"}
    async with service.client.get("/v1/history.ndjson?symbols=EUR") as answer:
        assert [json.loads(line)["symbol"] for line in (await answer.text()).splitlines()] == ["EUR"] * 2
    assert (await problem(service, "/v1/history?symbols=XXX"))["parameter"] == "symbols"


async def test_excel_opens_a_table_by_a_double_click(service: Kept) -> None:
    """A byte order mark, the separator and decimals of the language, and a name for the file."""
    for lang, separator, price in (("ru", ";", "100,6798"), ("en", ",", "100.6798"), ("de", ";", "100,6798")):
        for path in (USD, "/v1/history.csv"):
            kind = "&format=csv" if path == USD else ""
            async with service.client.get(f"{path}?dialect=excel&lang={lang}{kind}&to=2024-11-22") as answer:
                text = (await answer.read()).decode("utf-8-sig")
                assert (await answer.read()).startswith(b"\xef\xbb\xbf")
                assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
            rows = list(csv.DictReader(io.StringIO(text), delimiter=separator))
            assert price in {row["price"] for row in rows}
