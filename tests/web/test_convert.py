"""`GET /v1/convert`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from tests.support.running_service import Served
from tests.support.stored_service import Kept
from tests.web.test_past import service

__all__ = ["service"]


async def told(served: Served | Kept, query: str, status: int = 200) -> dict[str, Any]:
    """The answer, its numbers as they were written."""
    answer = await served.client.get(f"/v1/convert?{query}")
    body: dict[str, Any] = simplejson.loads(await answer.text(), use_decimal=True)
    assert answer.status == status, body
    return body


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("amount=100&from=USD&to=RUB", "10067.9800"),
        ("amount=100&from=USD&to=EUR", "94.9127"),
        ("from=USD&to=RUB", "100.6798"),
        ("amount=100&from=USD&to=EUR&precision=0", "95"),
        ("amount=100&from=USD&to=EUR&precision=12", "94.912713690724"),
        ("amount=2.5&from=OIL&to=EUR&precision=2", "174.95"),
        ("amount=1&from=RUB&to=BRENT&precision=8", "0.00013471"),
        ("amount=12.345678901201&from=USD&to=USD&precision=12", "12.345678901201"),
        ("amount=0&from=USD&to=EUR&precision=2", "0.00"),
    ],
)
async def test_the_result_has_the_digits_asked_for(served: Served, query: str, result: str) -> None:
    """Four where none are asked for; the number is a JSON number."""
    body = await told(served, query)
    assert str(body["result"]) == result


async def test_the_way_is_told_with_every_age(served: Served) -> None:
    """Each quote with its price, its source, of when it is and how it stands; the whole is as old as the oldest."""
    body = await told(served, "amount=1&from=OIL&to=RUB")
    assert [(leg["symbol"], leg["operation"], leg["source"]) for leg in body["path"]] == [
        ("OIL", "multiply", "moex"),
        ("USD", "multiply", "cbr"),
    ]
    assert [leg["as_of"] for leg in body["path"]] == ["2024-11-22T11:45:00+03:00", "2024-11-22T00:00:00+03:00"]
    assert (body["as_of"], body["status"]) == ("2024-11-22T00:00:00+03:00", "fresh")


async def test_the_status_is_the_worst_of_the_quotes_used(served: Served) -> None:
    """A stale one makes the whole stale, one that was withdrawn makes the result null."""
    served.clock.now += timedelta(days=5)
    assert (await told(served, "from=OIL&to=RUB"))["status"] == "stale"
    served.clock.now += timedelta(days=4)
    body = await told(served, "from=OIL&to=RUB")
    assert (body["status"], body["result"], body["rate"]) == ("unavailable", None, None)
    assert [leg["price"] for leg in body["path"]] == [None, Decimal("100.6798")]


async def test_before_the_first_answer_the_result_is_null(waiting: Served) -> None:
    """Never 0 and never invented."""
    body = await told(waiting, "from=USD&to=EUR")
    assert (body["result"], body["as_of"], body["status"]) == (None, None, "unavailable")


@pytest.mark.parametrize(
    ("query", "parameter", "detail"),
    [
        ("to=EUR", "from", "is missing"),
        ("from=EUR", "to", "is missing"),
        ("from=usd&to=EUR", "from", "did you mean 'USD'?"),
        ("from=USD&to=GBP", "to", "there are USD, RUB, EUR, BRENT, OIL"),
        ("from=USD&to=EUR&amount=-1", "amount", "'-1'"),
        ("from=USD&to=EUR&amount=1e15", "amount", "'1e15'"),
        ("from=USD&to=EUR&amount=1e-41", "amount", "'1e-41'"),
        ("from=USD&to=EUR&amount=1e999999", "amount", "'1e999999'"),
        ("from=USD&to=EUR&amount=1e", "amount", "'1e'"),
        ("from=USD&to=EUR&amount=Infinity", "amount", "'Infinity'"),
        ("from=USD&to=EUR&amount=1,5", "amount", "'1,5'"),
        ("from=USD&to=EUR&amount=NaN", "amount", "'NaN'"),
        ("from=USD&to=EUR&amount=", "amount", "such as 100"),
        ("from=USD&to=EUR&amount=1&amount=2", "amount", "more than once"),
        ("from=USD&to=EUR&precision=13", "precision", "0 to 12"),
        ("from=USD&to=EUR&precision=-1", "precision", "0 to 12"),
        ("from=USD&to=EUR&amuont=5", "amuont", "did you mean 'amount'?"),
        ("from=USD&to=EUR&at=2999-01-01", "at", "future"),
    ],
)
async def test_what_cannot_be_converted_is_named(served: Served, query: str, parameter: str, detail: str) -> None:
    """Every wrong parameter by its name, with the mend."""
    body = await told(served, query, 400)
    assert body["parameter"] == parameter
    assert detail in body["detail"]


@pytest.mark.parametrize(
    ("amount", "given", "result"),
    [
        ("0.30000000000000004", "0.30000000000000004", "30.203940000000"),
        ("1e-7", "0.0000001", "0.000010067980"),
        ("2.5E%2B2", "250", "25169.950000000000"),
        ("1e3", "1000", "100679.800000000000"),
    ],
)
async def test_an_amount_is_taken_as_programs_write_it(served: Served, amount: str, given: str, result: str) -> None:
    """What JavaScript and Python print of a sum; given back in plain digits, and exact."""
    body = await told(served, f"from=USD&to=RUB&precision=12&amount={amount}")
    assert (format(Decimal(body["amount"]), "f"), format(body["result"], "f")) == (given, result)
    text = await (await served.client.get(f"/v1/convert?from=USD&to=RUB&amount={amount}")).text()
    assert f'"amount": {given},' in text


async def test_a_conversion_of_a_day_goes_through_that_days_quotes(service: Kept) -> None:
    """`at=` reads history; a day before it is 404 and says since when there is one."""
    body = await told(service, "amount=10&from=USD&to=RUB&at=2024-11-21")
    assert (body["result"], body["as_of"]) == (Decimal("1002.1920"), "2024-11-21T00:00:00+03:00")
    gone = await told(service, "from=USD&to=RUB&at=2001-01-01", 404)
    assert (gone["parameter"], "begins on" in gone["detail"]) == ("at", True)


async def test_the_demo_says_so(demo: Served) -> None:
    """As every JSON of it."""
    assert (await told(demo, "from=USD&to=RUB"))["demo"] is True
