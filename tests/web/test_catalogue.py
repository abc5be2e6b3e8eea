"""`GET /v1/instruments` and `GET /v1/sources`."""

from __future__ import annotations

from typing import Any

from tests.support.running_service import Served, serving
from tests.support.upstream import Upstream


async def told(served: Served, path: str) -> list[dict[str, Any]]:
    """The rows of a catalogue."""
    body = await (await served.client.get(path)).json()
    (rows,) = [value for value in body.values() if isinstance(value, list)]
    return rows


async def test_every_instrument_says_what_its_number_means(served: Served) -> None:
    """Unit, digits, sources in order, when it is late, when it is withdrawn, and how it stands."""
    rows = await told(served, "/v1/instruments")
    assert [row["symbol"] for row in rows] == ["USD", "EUR", "OIL"]
    oil = rows[2]
    assert (oil["base"], oil["quote"], oil["unit"], oil["decimals"]) == ("BRENT", "USD", "1 barrel", 2)
    assert (oil["sources"], oil["max_age_seconds"], oil["tolerance"]) == (["moex", "yahoo"], 604800, 0.05)
    assert oil["calendar"]["text"] == (
        "trading 09:00 to 23:50, delayed 15 min (Europe/Moscow), mon-fri; late after 10 min"
    )
    assert {row["status"] for row in rows} == {"fresh"}


async def test_names_come_in_the_language_asked_for(served: Served) -> None:
    """Of instruments and of publishers."""
    assert (await told(served, "/v1/instruments?lang=ru"))[2]["name"] == "Нефть Brent"
    assert (await told(served, "/v1/sources?lang=ru"))[0]["attribution"] == "Банк России"


async def test_hours_and_cadence_are_said_in_the_language_asked_for(served: Served) -> None:
    """Days by CLDR's names, the rest in our words; in English where we have none."""
    rows = await told(served, "/v1/sources?lang=ru")
    assert (
        rows[0]["calendar"]["text"]
        == "таблица в 16:00 (Europe/Moscow), пн-пт, кроме праздников RU; опозданием считается задержка более 4 ч"
    )
    assert rows[0]["cadence"]["text"].startswith(
        "по расписанию cron */10 15-19 * * mon-sat | 7 * * * * (Europe/Moscow), "
    )
    assert rows[2]["cadence"]["text"] == "раз в 1 мин, не более 90 запросов в час"
    assert (await told(served, "/v1/sources?lang=de"))[2]["cadence"]["text"].startswith("every 1 min, ")


async def test_every_source_says_whose_it_is_when_it_is_asked_and_how_it_fares(served: Served) -> None:
    """Attribution and terms, cadence in words and as cron, calendar, last success, next poll."""
    rows = await told(served, "/v1/sources")
    assert [row["id"] for row in rows] == ["cbr", "cbr_mirror", "moex", "yahoo"]
    cbr = rows[0]
    assert (cbr["attribution"], cbr["terms_url"]) == ("Bank of Russia", "https://www.cbr.ru/eng/user_agreement/")
    assert cbr["cadence"]["cron"] == ["*/10 15-19 * * mon-sat", "7 * * * *"]
    assert cbr["cadence"]["text"].endswith("(Europe/Moscow), at most 30 requests an hour")
    assert rows[2]["cadence"]["text"] == "every 1 min, at most 90 requests an hour"
    assert (cbr["instruments"], cbr["up"], cbr["reason"]) == (["USD", "EUR"], True, None)
    assert cbr["last_success_at"] == "2024-11-22T09:00:00Z"
    assert cbr["next_poll_at"] > cbr["last_success_at"]


async def test_a_source_that_fails_says_why_in_the_slug_of_the_metrics() -> None:
    """And before its first poll has ended nothing is said of it."""
    async with Upstream() as upstream:
        upstream.trio()
        upstream.fail("/yahoo", "status:429")
        async with serving(upstream.url) as served:
            await served.polled()
            yahoo = (await told(served, "/v1/sources"))[3]
    assert (yahoo["up"], yahoo["reason"], yahoo["failures_in_a_row"]) == (False, "rate_limited", 1)
    assert (yahoo["last_success_at"], yahoo["last_failure_at"]) == (None, "2024-11-22T09:00:00Z")


async def test_before_its_first_poll_has_ended_nothing_is_said_of_a_source(waiting: Served) -> None:
    """Neither up nor down, and no cache keeps it."""
    answer = await waiting.client.get("/v1/sources")
    assert {row["up"] for row in (await answer.json())["sources"]} == {None}
    assert "max-age=0" in answer.headers["Cache-Control"]


async def test_no_key_is_told(served: Served) -> None:
    """Nor where a source is asked."""
    text = await (await served.client.get("/v1/sources")).text()
    assert "api_key" not in text
    assert "127.0.0.1" not in text
