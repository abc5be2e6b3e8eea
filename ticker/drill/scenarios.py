"""The table of what happened in this trade, and what should have been seen of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from ticker.drill import upstream
from ticker.drill.play import Frame, Stage, staged
from ticker.drill.upstream import MOSCOW, fails, says
from ticker.quotes import Reason, Status
from ticker.settings.models import Settings

_BANK = ("cbr", "cbr_mirror")
_FIXINGS = (*_BANK, "frankfurter")
# How far a shown number may be from the true one: more than it moves in a day, less than any of the wrong ones.
_FAR = 0.03


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is to be seen in one of the frames at least, or, where it is `always`, in each."""

    says: str
    holds: Callable[[Frame], bool]
    always: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One failure: from `begins`, for so many steps; `script` spoils the stage before each of them.

    `needs` are the adapters without one of which the configuration cannot meet it.
    """

    name: str
    what: str
    begins: datetime
    steps: int
    script: Callable[[Stage, int], Awaitable[None] | None]
    expects: Callable[[Stage], Sequence[Expectation]]
    needs: tuple[str, ...] = ()
    step: timedelta = timedelta(minutes=1)
    stored: bool = False
    two: bool = False


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=MOSCOW).astimezone(UTC)


_FRIDAY = date(2024, 11, 22)
_AFTERNOON, _NOON = _at(_FRIDAY, 15, 20), _at(_FRIDAY, 12)


def _failed(stage: Stage, adapters: Sequence[str], reason: Reason) -> list[Expectation]:
    return [_fails(source, reason) for source in stage.by_adapter(*adapters)]


def _fails(source: str, reason: Reason) -> Expectation:
    name = "ticker_source_poll_failures_total"
    return Expectation(
        f"polls of {source} fail as {reason}", lambda frame: frame.sample(name, source=source, reason=str(reason)) > 0
    )


def _refused(stage: Stage, adapter: str, symbols: Sequence[str]) -> Expectation:
    """Something that `adapter` said of `symbols` was refused or overruled, and counted."""
    sources = stage.by_adapter(adapter)
    return Expectation(
        f"what {', '.join(sources)} says of {', '.join(symbols)} is refused and counted",
        lambda frame: (
            any(
                value > 0 and name == "ticker_ticks_rejected_total" and dict(labels)["source"] in sources
                for (name, labels), value in frame.samples.items()
            )
            or any(frame.quotes[symbol].reason is not None for symbol in symbols)
        ),
    )


def _true(stage: Stage) -> list[Expectation]:
    """Every number that is shown is near the true one."""

    def right(frame: Frame) -> bool:
        for symbol in stage.symbols(*_BANK):
            quote = frame.quotes[symbol]
            rate = upstream.ROUBLES.get(quote.instrument.base, 10.0)
            if quote.price is not None and abs(float(quote.price) / rate - 1) > _FAR:
                return False
        for symbol in stage.symbols("moex", "yahoo"):
            price = frame.quotes[symbol].price
            if price is not None and abs(float(price) / upstream.BRENT - 1) > _FAR:
                return False
        return True

    return [Expectation("no wrong number is shown", right, always=True)]


def _shown(stage: Stage, *adapters: str) -> Expectation:
    symbols = stage.symbols(*adapters)
    return Expectation(
        f"{', '.join(symbols)} keeps its number",
        lambda frame: all(frame.quotes[symbol].price is not None for symbol in symbols),
        always=True,
    )


def _fresh(stage: Stage, *adapters: str) -> Expectation:
    symbols = stage.symbols(*adapters)
    return Expectation(
        f"{', '.join(symbols)} stays fresh",
        lambda frame: all(frame.quotes[symbol].status is Status.FRESH for symbol in symbols),
        always=True,
    )


def _alert(name: str) -> Expectation:
    return Expectation(f"{name} fires", lambda frame: name in frame.alerts)


# --- What happened. ---------------------------------------------------------------------------------------------------


def _guard(stage: Stage, step: int) -> None:
    if step == 2:  # noqa: PLR2004 - after what is normal has been seen
        stage.world.troubles = dict.fromkeys(_BANK, says(upstream.PAGE))


def _nominal(stage: Stage, step: int) -> None:
    if step == 2:  # noqa: PLR2004 - the same
        stage.world.nominals = dict.fromkeys(("USD", "EUR", "CNY", "GBP"), 10)


def _ecb(stage: Stage, step: int) -> None:
    if step == 2:  # noqa: PLR2004 - the same
        stage.world.troubles = {"frankfurter": says(b"[]")}


def _yahoo(stage: Stage, step: int) -> None:
    limited = fails(Reason.RATE_LIMITED, "Too Many Requests", timedelta(minutes=5))
    if step == 2:  # noqa: PLR2004 - the same
        stage.world.troubles = {"yahoo": limited}
    if step == 25:  # noqa: PLR2004 - half of it
        stage.world.troubles = {"yahoo": says(upstream.CONSENT)}


def _stale(stage: Stage, step: int) -> None:
    if step == 2:  # noqa: PLR2004 - the same
        stage.world.trades = stage.truth() - timedelta(minutes=15)


def _halt(stage: Stage, step: int) -> None:
    if step == 2:  # noqa: PLR2004 - the same
        stage.world.troubles = {"moex": upstream.without_prices, "moex_fx": says(b'{"securities": {}}')}


def _negative(stage: Stage, step: int) -> None:
    if step == 2:  # noqa: PLR2004 - the same
        stage.world.extra = (("BRZ4", stage.truth().astimezone(MOSCOW).date(), -37.63),)


def _new_year(stage: Stage, step: int) -> None:
    if not step:
        stage.world.last_table, stage.world.resumes = date(2024, 12, 31), date(2025, 1, 10)


def _reissue(stage: Stage, step: int) -> None:
    if step == 2:  # noqa: PLR2004 - the same
        stage.world.reissued = {"USD": 88.0, "EUR": 93.0, "CNY": 12.0, "GBP": 140.0}


def _frozen(stage: Stage, step: int) -> None:
    if not step:
        stage.world.mirror_stands_at = stage.world.table_on(stage.truth().date() - timedelta(days=7))


def _dns(stage: Stage, step: int) -> None:
    if step == 2:  # noqa: PLR2004 - the same
        stage.world.troubles = {"*": fails(Reason.DNS, "no such name")}
    if step == 50:  # noqa: PLR2004 - near the end
        stage.world.troubles = {}


def _set_back(stage: Stage, step: int) -> None:
    stage.skew = timedelta(hours=-5) if 2 <= step < 20 else timedelta(0)  # noqa: PLR2004 - after what is normal


def _disk(stage: Stage, step: int) -> None:
    if stage.store is not None and step in {2, 20}:
        stage.store.spoilt = frozenset({"write", "publish", "open"} if step == 2 else ())  # noqa: PLR2004 - the same


def _emptied(stage: Stage, step: int) -> None:
    if stage.folder is not None and step == 2:  # noqa: PLR2004 - the same
        for file in stage.folder.iterdir():
            file.unlink()


async def _killed(stage: Stage, step: int) -> None:
    if stage.store is not None and step == 2:  # noqa: PLR2004 - the same
        stage.store.spoilt = frozenset("*")
    if step in {3, 4}:
        # A lease is of real seconds.
        await asyncio.sleep(3)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "guard-page",
        "the Bank's guard answers a page with status 200 instead of its table",
        _AFTERNOON,
        45,
        _guard,
        lambda s: [*_failed(s, _BANK, Reason.BLOCKED), *_true(s), _fresh(s, *_BANK), _alert("TickerSourceDown")],
        _BANK,
    ),
    Scenario(
        "nominal-change",
        "the Bank quotes ten units where it quoted one",
        _AFTERNOON,
        45,
        _nominal,
        lambda s: [*_true(s), _fresh(s, *_BANK)],
        ("cbr",),
    ),
    Scenario(
        "ecb-drops-rouble",
        "a relay's rates have no rouble any more, as the ECB's since March 2022",
        _at(_FRIDAY, 16, 5),
        60,
        _ecb,
        lambda s: [*_failed(s, ("frankfurter",), Reason.SCHEMA), *_true(s), _fresh(s, *_BANK)],
        ("frankfurter",),
    ),
    Scenario(
        "yahoo-429",
        "Yahoo has had too many requests, and then wants consent",
        _NOON,
        50,
        _yahoo,
        lambda s: [
            *_failed(s, ("yahoo",), Reason.RATE_LIMITED),
            *_failed(s, ("yahoo",), Reason.BLOCKED),
            *_true(s),
            _shown(s, "moex", "yahoo"),
        ],
        ("yahoo",),
    ),
    Scenario(
        "stale-200",
        "the exchange answers 200 with the same trade for an hour and a half",
        _NOON,
        90,
        _stale,
        lambda s: [
            *_true(s),
            _shown(s, "moex"),
            Expectation(
                "an hour-old trade is not shown as fresh",
                lambda frame: all(
                    quote.status is not Status.FRESH
                    or quote.as_of is None
                    or frame.now - quote.as_of < timedelta(hours=1)
                    for quote in (frame.quotes[symbol] for symbol in s.symbols("moex"))
                ),
                always=True,
            ),
        ],
        ("moex",),
    ),
    Scenario(
        "moex-halt",
        "the exchange's rows have no prices, as its currencies on 13 June 2024",
        _at(date(2024, 6, 13), 12),
        60,
        _halt,
        lambda s: [
            *_true(s),
            _shown(s, "moex"),
            Expectation(
                "the exchange's silence is told: its polls fail, or another one speaks, or the number is stale",
                lambda frame: (
                    any(frame.sample("ticker_source_up", source=each) == 0 for each in s.by_adapter("moex"))
                    or any(
                        frame.quotes[symbol].status is not Status.FRESH
                        or frame.quotes[symbol].source not in s.by_adapter("moex")
                        for symbol in s.symbols("moex")
                    )
                ),
            ),
        ],
        ("moex",),
    ),
    Scenario(
        "negative-oil",
        "a contract on its last day trades below zero, as in April 2020; the far ones do not",
        _NOON,
        30,
        _negative,
        lambda s: [*_true(s), _shown(s, "moex")],
        ("moex",),
    ),
    Scenario(
        "new-year",
        "no table from 31 December to 9 January, and none is missing",
        _at(date(2024, 12, 31), 12),
        11 * 24,
        _new_year,
        lambda s: [
            *_true(s),
            _fresh(s, *_BANK),
            Expectation(
                "the first table of the year comes into force",
                lambda frame: all(
                    (quote.as_of or frame.now).astimezone(MOSCOW).date() == date(2025, 1, 10)
                    for quote in (frame.quotes[symbol] for symbol in s.symbols(*_BANK))
                ),
            ),
        ],
        ("cbr",),
        step=timedelta(hours=1),
    ),
    Scenario(
        "wrong-reissue",
        "the Bank replaces the table in force by a wrong one of the same date",
        _AFTERNOON,
        45,
        _reissue,
        lambda s: [*_true(s), _shown(s, *_BANK), _refused(s, "cbr", s.symbols("cbr"))],
        _BANK,
    ),
    Scenario(
        "frozen-mirror",
        "the mirror stands still at last week's table and answers 200",
        _AFTERNOON,
        45,
        _frozen,
        lambda s: [*_true(s), _fresh(s, *_BANK)],
        _BANK,
    ),
    Scenario(
        "dns-away",
        "no name is found, for forty-eight minutes",
        _NOON,
        60,
        _dns,
        lambda s: [
            *_failed(s, ("moex", "yahoo"), Reason.DNS),
            *_true(s),
            _shown(s, *_BANK, "moex"),
            _alert("TickerSourceDown"),
        ],
    ),
    Scenario(
        "clock-back",
        "the machine's clock is five hours slow for eighteen minutes",
        _NOON,
        40,
        _set_back,
        lambda s: [*_true(s), _shown(s, *_BANK, "moex")],
    ),
    Scenario(
        "disk-full",
        "the store takes nothing for eighteen minutes",
        _NOON,
        30,
        _disk,
        lambda s: [
            *_true(s),
            _shown(s, *_BANK, "moex"),
            Expectation("ticker_store_up is 0", lambda frame: frame.sample("ticker_store_up") == 0),
            _alert("TickerStoreFailing"),
        ],
        stored=True,
    ),
    Scenario(
        "store-emptied",
        "the store loses all it had, as a Redis that came back empty",
        _NOON,
        20,
        _emptied,
        lambda s: [
            *_true(s),
            _shown(s, *_BANK, "moex"),
            Expectation("ticker_store_up stays 1", lambda frame: frame.sample("ticker_store_up") == 1),
        ],
        stored=True,
    ),
    Scenario(
        "leader-killed",
        "whoever polls is gone; what is printed is the other one's",
        _NOON,
        15,
        _killed,
        lambda s: [
            *_true(s),
            _shown(s, *_BANK, "moex"),
            Expectation("the other one polls", lambda frame: frame.leads),
        ],
        stored=True,
        two=True,
    ),
)


@dataclass
class Outcome:
    """What was seen of a scenario: its frames, and what should have been seen and was not."""

    scenario: Scenario
    frames: list[Frame] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    skipped: str | None = None


def judged(scenario: Scenario, stage: Stage, frames: list[Frame]) -> Outcome:
    """Hold the frames against what the scenario expects; versions never go back in any."""
    outcome = Outcome(scenario, frames)
    for each in scenario.expects(stage):
        held = [each.holds(frame) for frame in frames]
        (outcome.met if (all(held) if each.always else any(held)) else outcome.missed).append(each.says)
    versions = [frame.version for frame in frames]
    (outcome.met if versions == sorted(versions) else outcome.missed).append("versions never go back")
    return outcome


async def played(config: Settings, scenario: Scenario) -> Outcome:
    """Play `scenario` against `config`, on a clock of its own."""
    async with staged(config, scenario.begins, stored=scenario.stored, two=scenario.two) as stage:
        if scenario.needs and not set(scenario.needs) <= {feed.reads for feed in stage.service.poller.feeds.values()}:
            return Outcome(scenario, skipped=f"this configuration asks no {' or '.join(scenario.needs)}")
        frames = []
        for step in range(scenario.steps):
            spoiling = scenario.script(stage, step)
            if spoiling is not None:
                await spoiling
            frames.append(await stage.minute(scenario.begins + (step + 1) * scenario.step))
        return judged(scenario, stage, frames)
