"""Errors as RFC 9457 problems."""

from __future__ import annotations

from http import HTTPStatus

import pytest
import simplejson

from tests.support.running_service import Served
from ticker.web.problems import Problem, nearest, problem_response

# path, status, parameter at fault, what the detail names
WRONG = (
    ("/v1/quotes?symbol=USD", 400, "symbol", "did you mean 'symbols'?"),
    ("/v1/quotes?lnag=ru", 400, "lnag", "did you mean 'lang'?"),
    ("/v1/quotes?lang=en&lang=ru", 400, "lang", "more than once"),
    ("/v1/quotes?symbols=USD,XYZ", 400, "symbols", "unknown symbol 'XYZ'"),
    ("/v1/quotes?symbols=usd", 400, "symbols", "did you mean 'USD'?"),
    ("/v1/quotes?symbols=", 400, "symbols", "there are USD, EUR, OIL"),
    ("/v1/quotes?lang=xx-yy-zz", 400, "lang", "xx-yy-zz"),
    ("/v1/quotes?lang=", 400, "lang", "language tag"),
    ("/v1/quotes?lang=../../etc", 400, "lang", "language tag"),
    ("/v1/quotes/USD?symbols=USD", 400, "symbols", "there are lang"),
    ("/v1/quotes/usd", 404, "symbol", "did you mean 'USD'?"),
    ("/v1/quotes/GBP", 404, "symbol", "no instrument 'GBP'"),
    ("/widget?style=bold", 400, "style", "plain"),
    ("/?symbols=USB", 400, "symbols", "did you mean 'USD'?"),
    ("/frame?theme=blue", 400, "theme", "light"),
    ("/v1/stream?symbol=USD", 400, "symbol", "did you mean 'symbols'?"),
    ("/widget.css?w=1", 400, "w", "unknown parameter"),
    ("/nothing", 404, None, "'/nothing'; GET /docs lists what there is"),
    ("/v1/quotes/", 404, None, "'/v1/quotes/'; did you mean '/v1/quotes'?"),
    ("/V1/Quotes", 404, None, "did you mean '/v1/quotes'?"),
    ("/wigdet", 404, None, "did you mean '/widget'?"),
)


@pytest.mark.parametrize(("path", "status", "parameter", "detail"), WRONG)
async def test_an_error_is_a_problem_that_names_what_is_wrong(
    served: Served, path: str, status: int, parameter: str | None, detail: str
) -> None:
    """Type, title, status, a sentence, the parameter at fault, and no cache keeps it."""
    answer = await served.client.get(path)
    body = await answer.json(content_type=None)
    assert (answer.status, body["status"], body["type"]) == (status, status, "about:blank")
    assert body["title"] == HTTPStatus(status).phrase
    assert body.get("parameter") == parameter
    assert detail in body["detail"], body["detail"]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


async def test_what_was_asked_comes_back_shortened_and_as_data(served: Served) -> None:
    """A hostile parameter is neither markup nor a flood."""
    answer = await served.client.get("/v1/quotes", params={"<script>" + "x" * 5000: "1"})
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert len(await answer.read()) < 1000


async def test_a_target_too_long_is_refused(served: Served) -> None:
    """And the service lives on."""
    assert (await served.client.get("/v1/quotes?symbols=" + "USD," * 4000)).status == 400
    assert (await served.client.get("/healthz")).status == 200


def test_a_problem_carries_its_members() -> None:
    """`parameter` and `allowed` stand beside the fields of the RFC."""
    answer = problem_response(Problem(400, "no", parameter="a", allowed=["b"]), {"Allow": "GET"})
    body = simplejson.loads(answer.text or "")
    assert body == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "no",
        "parameter": "a",
        "allowed": ["b"],
    }
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("usd", "did you mean 'USD'?"), ("OLI", "did you mean 'OIL'?"), ("zzz", "there are USD, OIL")],
)
def test_the_nearest_is_named_or_all_of_them(name: str, hint: str) -> None:
    """Whatever its case."""
    assert nearest(name, ["USD", "OIL"]) == hint
