"""Whatever happens to the rows that nobody asked for, those that were asked for say what they said."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.answers import EUR, USD
from tests.support.upstreams import banks, exact, formats, forts, listing
from ticker.quotes import Tick
from ticker.sources import SOURCES

DAY, BEFORE = date(2024, 11, 22), date(2024, 11, 21)
NOON = datetime(2024, 11, 22, 12, tzinfo=forts.MOSCOW)
TABLE = {"USD": USD, "EUR": EUR}
RATES = banks.roubles(USD, EUR)
# What has been seen in cells, and what could be.
JUNK: list[Any] = [None, "", "n/a", "-", ".", 0, "0", -1, "1,2,3", "NaN", True, [], {}, "9" * 30, "2024-13-45"]


class Rows:
    """An answer as rows that can be taken out, doubled, or wounded in a cell; and its bytes again."""

    def __init__(self, body: bytes) -> None:
        self.answer: Any = json.loads(body, parse_float=Decimal)

    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows())

    def rows(self) -> list[Any]:
        """The rows, to be changed."""
        found: list[Any] = self.answer
        return found

    def name(self, place: int) -> str:
        """What the row speaks of."""
        row = self.rows()[place]
        return str(row.get("Cur_Abbreviation") or row.get("Ccy"))

    def wound(self, place: int, cell: int, junk: object) -> None:
        """Put `junk` into a cell."""
        row = self.rows()[place]
        row[(list(row) or ["x"])[cell % max(1, len(row))]] = junk

    def cut(self, place: int, cell: int) -> None:
        """Take a cell out."""
        row = self.rows()[place]
        row.pop((list(row) or ["x"])[cell % max(1, len(row))], None)

    def take_out(self, place: int) -> None:
        """Take the row out."""
        del self.rows()[place]

    def double(self, place: int) -> None:
        """Write the row twice."""
        self.rows().insert(place, deepcopy(self.rows()[place]))

    def body(self) -> bytes:
        """The answer's bytes."""
        return exact.dumps(self.answer).encode()


class Mirror(Rows):
    """An object of rows by code; JSON lets a name stand twice, which a dictionary cannot, so it is written twice."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.pairs: list[tuple[str, Any]] = list(self.answer["Valute"].items())

    def rows(self) -> list[Any]:
        return self.pairs

    def name(self, place: int) -> str:
        return self.pairs[place][0]

    def wound(self, place: int, cell: int, junk: object) -> None:
        row = self.pairs[place][1]
        row[(list(row) or ["x"])[cell % max(1, len(row))]] = junk

    def cut(self, place: int, cell: int) -> None:
        row = self.pairs[place][1]
        row.pop((list(row) or ["x"])[cell % max(1, len(row))], None)

    def body(self) -> bytes:
        head = exact.dumps({**self.answer, "Valute": "*"})
        rows = ",".join(f"{exact.dumps(code)}:{exact.dumps(row)}" for code, row in self.pairs)
        return head.replace('"*"', f"{{{rows}}}").encode()


class Dollars(Mirror):
    """An object of numbers by code."""

    def __init__(self, body: bytes) -> None:
        Rows.__init__(self, body)
        (self.key,) = self.answer.keys() & {"rates", "usd"}
        self.pairs = list(self.answer[self.key].items())

    def wound(self, place: int, cell: int, junk: object) -> None:  # noqa: ARG002 - the one cell there is
        self.pairs[place] = (self.pairs[place][0], junk)

    def cut(self, place: int, cell: int) -> None:
        self.wound(place, cell, None)

    def body(self) -> bytes:
        head = exact.dumps({**self.answer, self.key: "*"})
        rows = ",".join(f"{exact.dumps(code)}:{exact.dumps(value)}" for code, value in self.pairs)
        return head.replace('"*"', f"{{{rows}}}").encode()


class Xml(Rows):
    """Elements with a cell in each child, or in each attribute."""

    def __init__(self, body: bytes, tag: str, name: str, encoding: str, parent: str = ".") -> None:
        self.root = ElementTree.fromstring(body)  # noqa: S314 - bytes that this test has made
        self.tag, self.key, self.encoding = tag, name, encoding
        found = self.root.find(parent)
        assert found is not None
        self.parent = found

    def rows(self) -> list[Any]:
        return [child for child in self.parent if child.tag == self.tag]

    def name(self, place: int) -> str:
        row = self.rows()[place]
        return str(row.get(self.key) or row.findtext(self.key))

    def wound(self, place: int, cell: int, junk: object) -> None:
        row, text = self.rows()[place], "" if junk is None else str(junk)
        if len(row):
            row[cell % len(row)].text = text
        elif row.keys():
            row.set(list(row.keys())[cell % len(row.keys())], text)

    def cut(self, place: int, cell: int) -> None:
        row = self.rows()[place]
        if len(row):
            row.remove(row[cell % len(row)])
        elif row.keys():
            del row.attrib[list(row.keys())[cell % len(row.keys())]]

    def take_out(self, place: int) -> None:
        self.parent.remove(self.rows()[place])

    def double(self, place: int) -> None:
        row = self.rows()[place]
        self.parent.insert(list(self.parent).index(row), deepcopy(row))

    def body(self) -> bytes:
        written: bytes = ElementTree.tostring(self.root, encoding=self.encoding, xml_declaration=True)
        return written


class Board(Rows):
    """The board of the exchange: the rows of both its blocks, whichever they are."""

    def rows(self) -> list[Any]:
        return [(block, row) for block in self.answer.values() for row in block["data"]]

    def name(self, place: int) -> str:
        row = self.rows()[place][1]
        return str(row[0]) if row else ""

    def wound(self, place: int, cell: int, junk: object) -> None:
        row = self.rows()[place][1]
        row[cell % max(1, len(row)) : cell % max(1, len(row)) + 1] = [junk]

    def cut(self, place: int, cell: int) -> None:
        row = self.rows()[place][1]
        del row[cell % max(1, len(row)) :]

    def take_out(self, place: int) -> None:
        block, row = self.rows()[place]
        block["data"] = [each for each in block["data"] if each is not row]

    def double(self, place: int) -> None:
        block, row = self.rows()[place]
        block["data"].append(list(row))


class Sheet(Rows):
    """Lines of comma-separated cells under a header."""

    def __init__(self, body: bytes) -> None:
        self.head, *lines = body.decode().splitlines()
        self.lines = [line.split(",") for line in lines]

    def rows(self) -> list[Any]:
        return self.lines

    def name(self, place: int) -> str:
        return str(self.lines[place][0]) if self.lines[place] else ""

    def wound(self, place: int, cell: int, junk: object) -> None:
        row = self.lines[place]
        row[cell % max(1, len(row)) : cell % max(1, len(row)) + 1] = ["" if junk is None else str(junk)]

    def cut(self, place: int, cell: int) -> None:
        row = self.lines[place]
        self.lines[place] = row[: cell % max(1, len(row))]

    def body(self) -> bytes:
        return "\n".join([self.head, *(",".join(row) for row in self.lines)]).encode()


SERIES = "observation_date,DCOILBRENTEU\n" + "\n".join(
    f"{DAY - timedelta(days=back)},{73 + back}.10" for back in range(40, -1, -1)
)
ECB = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
# source: how its answer is taken apart, and the rows that were asked for
ANSWERS: dict[str, tuple[Callable[[], Rows], set[str]]] = {
    "cbr": (lambda: Xml(formats.cbr_daily(DAY, TABLE), "Valute", "CharCode", "windows-1251"), {"USD", "EUR"}),
    "cbr_mirror": (lambda: Mirror(formats.cbr_mirror(DAY, BEFORE, NOON, TABLE, TABLE)), {"USD", "EUR"}),
    "nbrb": (lambda: Rows(banks.nbrb(DAY, RATES)), {"USD", "EUR", "RUB"}),
    "cbu_uz": (lambda: Rows(banks.cbu_uz(DAY, RATES)), {"USD", "EUR", "RUB"}),
    "nbk": (lambda: Xml(banks.nbk(DAY, RATES), "item", "title", "utf-8"), {"USD", "EUR", "RUB"}),
    "ecb": (lambda: Xml(banks.ecb(DAY, RATES), ECB, "currency", "utf-8", f"{ECB}/{ECB}"), {"USD"}),
    "open_er_api": (lambda: Dollars(banks.open_er_api(NOON, RATES)), {"USD", "EUR", "RUB"}),
    "fawazahmed0": (lambda: Dollars(banks.fawazahmed0(DAY, RATES)), {"usd", "eur", "rub"}),
    "moex": (
        lambda: Board(forts.moex_forts(NOON, listing.contracts(DAY, Decimal("73.73"), Decimal("72.81")))),
        {"BRZ4"},
    ),
    "fred": (lambda: Sheet(SERIES.encode()), {f"{DAY}"}),
}


def asked(source: str, body: bytes) -> Sequence[Tick]:
    """What the answer says of what was asked for: without its neighbours, and without the price before of a series."""
    ticks = [replace(tick, market=None) for tick in SOURCES[source].parse(body).ticks]
    if source == "fred":
        return [replace(tick, previous=None, previous_as_of=None) for tick in ticks]
    wanted = {"USD", "EUR", "RUB", "BR"}
    if source in {"ecb", "open_er_api", "fawazahmed0"}:
        return [tick for tick in ticks if tick.currency in wanted]
    return [tick for tick in ticks if tick.symbol in wanted]


@pytest.mark.parametrize("source", ANSWERS)
@given(data=st.data())
def test_what_happens_to_other_rows_changes_nothing(source: str, data: st.DataObject) -> None:
    """Up to five of them are taken out, doubled, cut or filled with junk: the asked ticks are equal to the digit."""
    make, mine = ANSWERS[source]
    rows, whole = make(), asked(source, make().body())
    assert whole
    for _ in range(data.draw(st.integers(1, 5))):
        others = [place for place in range(rows.count()) if rows.name(place) not in mine]
        place, cell = data.draw(st.sampled_from(others)), data.draw(st.integers(0, 40))
        match data.draw(st.sampled_from(["take out", "double", "cut", "wound"])):
            case "take out":
                rows.take_out(place)
            case "double":
                rows.double(place)
            case "cut":
                rows.cut(place, cell)
            case _:
                rows.wound(place, cell, data.draw(st.sampled_from(JUNK)))
    assert asked(source, rows.body()) == whole


# Where the price stands in a row.
PRICES = {"cbr": 4, "cbr_mirror": 5, "nbrb": 5, "cbu_uz": 4, "nbk": 2, "ecb": 1, "moex": 8, "fred": 1}


@pytest.mark.parametrize("source", ANSWERS)
@pytest.mark.parametrize("junk", ["n/a", -1, [1]])
def test_what_is_left_out_is_told(source: str, junk: object) -> None:
    """A row whose number is none is counted once."""
    make, mine = ANSWERS[source]
    rows = make()
    others = [place for place in range(rows.count()) if rows.name(place) not in mine]
    if isinstance(rows, Board):
        others = [
            place for place in others if rows.name(place) == "BRF5" and "LAST" in rows.rows()[place][0]["columns"]
        ]
    rows.wound(others[0], PRICES.get(source, 0), junk)
    assert len(SOURCES[source].parse(rows.body()).skipped) == 1
