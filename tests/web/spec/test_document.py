"""The OpenAPI document: it is valid, its examples are true, and what it says of parameters is what the routes do."""

from __future__ import annotations

from typing import Any

import pytest
import simplejson
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.running_service import Served
from ticker.web.openapi import EXAMPLES, OPERATIONS, Operation, document, parameters
from ticker.web.routes import ROUTES

# Pages for people and Prometheus's text are no API.
UNTOLD = {"/", "/metrics", "/frame", "/docs", "/robots.txt", "/llms.txt"}
# What also answers in the format that `Accept` or `format` names; the document has an address for each.
NEGOTIATING = {"/v1/quotes", "/v1/quotes/{symbol}", "/v1/quotes/{symbol}/history", "/v1/history"}
SHOWN = [(operation, name) for operation, shown in EXAMPLES.items() for name in shown]
# What another run of the same day need not repeat: a count of changes, and a time with a random part.
ITS_OWN = ("version", "next_poll_at", "next_poll")


def settled(tree: Any) -> Any:  # noqa: ANN401 - a JSON tree
    """The tree without what is a run's own."""
    if isinstance(tree, dict):
        return {key: settled(value) for key, value in tree.items() if key not in ITS_OWN}
    return [settled(item) for item in tree] if isinstance(tree, list) else tree


async def fetched(served: Served, path: str) -> Any:  # noqa: ANN401 - a JSON tree
    """The answer, its numbers as they were written."""
    answer = await served.client.get(path)
    assert answer.status == 200, await answer.text()
    return simplejson.loads(await answer.text(), use_decimal=True)


async def test_the_document_is_openapi(served: Served) -> None:
    """By a validator that is not ours."""
    OpenAPIV31SpecValidator(await (await served.client.get("/v1/openapi.json")).json()).validate()


@pytest.mark.parametrize(("operation", "name"), SHOWN)
async def test_an_example_is_what_the_service_answers(served: Served, operation: str, name: str) -> None:
    """Digit for digit, on the day that the document names."""
    shown = EXAMPLES[operation][name]
    assert settled(await fetched(served, shown["path"])) == settled(shown["body"])


def test_every_operation_of_the_api_has_an_example() -> None:
    """But the document itself, and evidence, which is as long as what it tells of."""
    json = {each.id for each in OPERATIONS if "application/json" in each.answers}
    assert json - {"getOpenapi", "getEvidence", "getQuoteParts"} == set(EXAMPLES) - {"getQuoteParts"}


def test_a_client_is_made_once() -> None:
    """Of one address comes one schema, whatever a site quotes; arrays are arrays, and answers may grow."""
    whole = document("1", "https://ticker.example", "https://example.org/about")
    assert whole["security"] == []
    assert whole["info"]["contact"]["url"] == "https://example.org/about"
    for path, methods in whole["paths"].items():
        content = methods["get"]["responses"]["200"]["content"]
        assert len(content) == 1, path
        for each in methods["get"]["parameters"]:
            assert "USD" not in simplejson.dumps(each["schema"])
            if each["name"] in {"symbols", "fields"}:
                assert (each["schema"]["type"], each["style"], each["explode"]) == ("array", "form", False)
    for name in ("/v1/quotes", "/v1/quotes/{symbol}"):
        media = whole["paths"][name]["get"]["responses"]["200"]["content"]["application/json"]
        assert set(media["schema"]) == {"$ref"}
    assert '"additionalProperties": false' not in simplejson.dumps(whole)
    assert "Version 1 only adds" in whole["info"]["description"]


def test_every_route_is_told_and_no_other() -> None:
    """Under the pattern that metrics count it by."""
    assert {each.path for each in OPERATIONS} == {path for path, _ in ROUTES} - UNTOLD


# A probe asks with whatever it likes.
@pytest.mark.parametrize(
    "each", [each for each in OPERATIONS if each.path not in {"/healthz", "/readyz"}], ids=lambda each: each.id
)
async def test_the_parameters_told_are_the_ones_taken(served: Served, each: Operation) -> None:
    """The problem of an unknown one lists those of the document; what else is taken has an address of its own."""
    told = parameters()
    path = each.path.format(symbol="USD")
    body = await (await served.client.get(f"{path}?nonsense=1")).json(content_type=None)
    assert body["parameter"] == "nonsense"
    named = {told[key]["name"] for key in each.parameters if told[key]["in"] == "query"}
    elsewhere = {"fields", "shape", "format", "dialect", "lang"} if each.path in NEGOTIATING else set()
    assert named <= set(body["allowed"]) <= named | elsewhere


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.id)
async def test_the_example_of_every_parameter_is_taken(served: Served, each: Operation) -> None:
    """One by one beside those that are required."""
    told = [parameters()[key] for key in each.parameters]
    needed = {one["name"]: one["example"] for one in told if one["required"] and one["in"] == "query"}
    for one in told:
        if "example" in one and one["in"] == "query":
            given = needed | {one["name"]: one["example"]}
            asked = {name: ",".join(v) if isinstance(v, list) else str(v) for name, v in given.items()}
            answer = await served.client.head(each.path.format(symbol="USD"), params=asked)
            assert answer.status == 200, one["name"]


def test_every_number_is_a_number_and_every_problem_a_problem() -> None:
    """No decimal is announced as a string; each failure of each route has the problem's schema."""
    whole = document("1")
    quote = whole["components"]["schemas"]["Quote"]["properties"]
    assert {"type": "number"} in quote["price"]["anyOf"]
    for path, methods in whole["paths"].items():
        for status, response in methods["get"]["responses"].items():
            if status >= "4" and (path, status) not in {("/readyz", "503"), ("/healthz", "503")}:
                media = response["content"]["application/problem+json"]
                assert media["schema"]["$ref"].endswith("/Problem"), (path, status)


async def test_the_command_prints_the_same_document(served: Served) -> None:
    """As it is served."""
    text = await (await served.client.get("/v1/openapi.json")).text()
    assert served.service.openapi().decode() == text
