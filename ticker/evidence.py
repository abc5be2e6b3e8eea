"""Why a number is shown, as a record: made at each decision that changes a quote, kept, told, and checked again.

The record holds all that the decision depended on (what every source said, the memory that was used, what was shown
before) and a digest over itself, so that a stranger can recompute the number. Values of a source whose terms forbid
redistribution (`publish = false`) are left out of what is told; its verdict and the digest of its answer stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from ticker import __version__
from ticker.calendars import Calendar
from ticker.quotes import Candidate, Instrument, Quote, Reason, Snapshot
from ticker.selection.decide import Choice, choose
from ticker.selection.evidence import Quotient, SelectionInput, Witness
from ticker.selection.memory import SelectionMemory
from ticker.selection.rules import FIXING, MARKET
from ticker.storage import codec
from ticker.storage.base import RecordEntry

# The kind of these entries in the store.
EVIDENCE = "evidence"
# Minutes of a market that a decision looks at lie just before it.
_CANDLES = 30
_encoder = msgspec.json.Encoder(decimal_format="string", order="deterministic")


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a decision depended on but the configuration: see `SelectionInput`."""

    candidates: tuple[Candidate, ...]
    now: datetime
    last: Mapping[str, Any] | None
    memory: SelectionMemory
    failures: Mapping[str, Reason]
    asked: Mapping[str, datetime]
    quotients: tuple[Quotient, ...]
    witnesses: tuple[str, ...]


class MismatchError(Exception):
    """Evidence that does not follow: what was expected, what was found, and where."""


def entry(question: SelectionInput, choice: Choice, version: int) -> RecordEntry:
    """The record of one decision, as the store keeps it."""
    evidence = choice.evidence
    tree = {
        "symbol": evidence.symbol,
        "version": version,
        "decided_at": evidence.decided_at,
        "price": evidence.price,
        "as_of": evidence.as_of,
        "status": choice.quote.status,
        "reason": choice.quote.reason,
        "source": choice.quote.source,
        "rule": {"name": evidence.rule, "says": _says(evidence.rule)},
        "sources": [_witness(each) for each in evidence.witnesses],
        "made_by": {"version": __version__, "rules": rules_digest()},
        "inputs": _inputs(question),
    }
    # Dates are keys where a partner's numbers are told by date, and JSON's keys are text.
    tree = msgspec.to_builtins(tree, str_keys=True)
    tree["digest"] = digest(tree)
    return RecordEntry(EVIDENCE, evidence.symbol, f"{version}", evidence.decided_at, _encoder.encode(tree).decode())


def digest(tree: Mapping[str, Any]) -> str:
    """SHA-256 of the record without its own digest: JSON with sorted keys and no blanks, prices as text."""
    plain = _mapped(tree, lambda number: number if number is None else str(number))
    return hashlib.sha256(_encoder.encode({key: value for key, value in plain.items() if key != "digest"})).hexdigest()


def _mapped(tree: Mapping[str, Any], of: Callable[[Any], Any]) -> dict[str, Any]:
    """The record with its prices, and the figures of its checks, as `of` makes them."""
    sources = [
        {
            **each,
            "price": of(each.get("price")),
            "checks": [
                {**check, "figure": of(check["figure"]), "limit": of(check["limit"])} for check in each["checks"]
            ],
        }
        for each in tree["sources"]
    ]
    return {**tree, "price": of(tree["price"]), "sources": sources}


def rules_digest() -> str:
    """Which rules decided: SHA-256 over their names, beliefs and reasons, in their order."""
    told = [[rule.name, rule.belief, rule.reason, rule.says] for rule in (*FIXING, *MARKET)]
    return hashlib.sha256(_encoder.encode(told)).hexdigest()


def published(text: str, withheld: Collection[str]) -> dict[str, Any]:
    """The record of `text` as it may be told: without the values of the sources `withheld`."""
    found: dict[str, Any] = msgspec.json.decode(text)
    tree = _mapped(found, lambda number: None if number is None else Decimal(number))
    hidden = [each["source"] for each in tree["sources"] if each["source"] in withheld and each.get("price")]
    if not hidden:
        return tree
    tree["sources"] = [
        {**each, "raw": None, "nominal": None, "price": None, "checks": [], "withheld": True}
        if each["source"] in withheld
        else each
        for each in tree["sources"]
    ]
    tree["inputs"] = None
    tree["withheld"] = hidden
    return tree


def verify(
    tree: Mapping[str, Any],
    instruments: Mapping[str, Instrument],
    calendars: Mapping[str, Mapping[str, Calendar]],
    answers: Mapping[str, Collection[str]] | None = None,
) -> list[str]:
    """What was checked, a line each. Raises MismatchError for the first thing that does not follow.

    `calendars` are by symbol and source. `answers` are recorded answers: by the SHA-256 of their bytes, the raw
    numbers that a parser reads in them.
    """
    checked = []
    symbol = str(tree.get("symbol"))
    if symbol not in instruments:
        raise MismatchError(
            f"the configuration has no instrument {symbol!r}: give the one of the service, with --config"
        )
    if tree.get("withheld") and tree.get("inputs") is None:
        names = ", ".join(tree["withheld"])
        raise MismatchError(
            f"values of {names} are withheld, as their terms ask: only the operator's own record can be verified"
        )
    if digest(tree) != tree.get("digest"):
        raise MismatchError(
            f"digest: the record says {tree.get('digest')}, its contents give {digest(tree)}: it was changed"
        )
    tree = _mapped(tree, lambda number: number if number is None else str(number))
    checked.append("digest: the record is as it was made")
    if tree["made_by"]["rules"] != rules_digest():
        raise MismatchError(
            f"rules: decided by those of version {tree['made_by']['version']}, and this is {__version__} with others"
        )
    checked.append("rules: the same as here")
    choice = choose(_question(tree, instruments[symbol], calendars[symbol]))
    for name, said, found in (
        ("price", tree["price"], choice.quote.price),
        ("rule", tree["rule"]["name"], choice.evidence.rule),
        ("source", tree["source"], choice.quote.source),
        ("status", tree["status"], choice.quote.status),
    ):
        plain = None if found is None else format(found, "f") if isinstance(found, Decimal) else str(found)
        if plain != said:
            raise MismatchError(f"{name}: the record says {said}, its evidence gives {plain}")
        checked.append(f"{name}: {said} follows from the evidence")
    return checked + _raw(tree, answers)


def _raw(tree: Mapping[str, Any], answers: Mapping[str, Collection[str]] | None) -> list[str]:
    """That each source's number stands in the recorded answer it is said to have come in."""
    if answers is None:
        return []
    checked = []
    for each in tree["sources"]:
        answer = each.get("answer")
        if answer is None or each.get("raw") is None:
            continue
        if answer["sha256"] not in answers:
            raise MismatchError(f"{each['source']}: no recorded answer has the digest {answer['sha256']}")
        if each["raw"] not in answers[answer["sha256"]]:
            raise MismatchError(
                f"{each['source']}: {each['raw']} does not stand in the recorded answer {answer['sha256']}"
            )
        checked.append(f"{each['source']}: {each['raw']} stands in the recorded answer")
    return checked


def _question(tree: Mapping[str, Any], instrument: Instrument, calendars: Mapping[str, Calendar]) -> SelectionInput:
    try:
        given = msgspec.convert(tree["inputs"], Inputs, strict=False, str_keys=True)
        last = codec.quote_of_tree(dict(given.last), instrument) if given.last else None
    except (msgspec.ValidationError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MismatchError(f"inputs: they cannot be read: {error}") from None
    return SelectionInput(
        instrument=instrument,
        candidates=given.candidates,
        calendars=calendars,
        now=given.now,
        last=last,
        memory=given.memory,
        failures=given.failures,
        asked=given.asked,
        quotients=given.quotients,
        witnesses=given.witnesses,
    )


def _inputs(question: SelectionInput) -> Inputs:
    return Inputs(
        candidates=tuple(_trimmed(each) for each in question.candidates),
        now=question.now,
        last=codec.tree_of_quote(question.last) if question.last else None,
        memory=question.memory,
        failures=dict(question.failures),
        asked=dict(question.asked),
        quotients=tuple(question.quotients),
        witnesses=tuple(question.witnesses),
    )


def _trimmed(candidate: Candidate) -> Candidate:
    ticks = tuple(
        replace(tick, market=replace(tick.market, candles=tick.market.candles[-_CANDLES:])) if tick.market else tick
        for tick in candidate.ticks
    )
    return replace(candidate, ticks=ticks)


def _says(name: str) -> str | None:
    return next((rule.says for rule in (*FIXING, *MARKET) if rule.name == name), None)


def _witness(witness: Witness) -> dict[str, Any]:
    """One source's part, flat, for a reader: its own words first, then ours, then what was made of them."""
    one = witness.candidate
    tick = one.ticks[0] if one and one.ticks else None
    contract = one.contract if one else None
    return {
        "source": witness.source,
        "verdict": witness.verdict,
        "reason": witness.reason,
        "raw": tick.raw if tick else None,
        "nominal": tick.nominal if tick else None,
        "price": one.price if one else None,
        "price_type": one.price_type if one else None,
        "as_of": one.as_of if one else None,
        "fetched_at": one.fetched_at if one else None,
        "checked_at": one.checked_at if one else None,
        "contract": {"code": contract.code, "expires": contract.expires} if contract else None,
        "answer": {"sha256": tick.answer.sha256, "size": tick.answer.size} if tick and tick.answer else None,
        "checks": [{each.name: getattr(check, each.name) for each in fields(check)} for check in witness.checks],
    }


def changed(before: Snapshot, after: Sequence[Quote]) -> set[str]:
    """The symbols of which something else is shown than before, but for when it was last said again."""
    was = {quote.symbol: quote.news for quote in before.quotes}
    return {quote.symbol for quote in after if was.get(quote.symbol) != quote.news}
