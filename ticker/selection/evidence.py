"""What speaks for and against each number: figures with their limits, no decision yet.

A *claim* is one number for one moment and everybody who says it: of a fixing one value for one date, of a market one
print. A *finding* is one check of a claim: it holds, or it does not, or it cannot be told. Pure; `now` is an argument.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import cached_property
from statistics import median

from ticker.calendars import Calendar, Publication
from ticker.quotes import SOON, Agreement, Candidate, Instrument, PriceType, Quote, Reason, Status, Upcoming
from ticker.selection.memory import Confirmed, Doubt, SelectionMemory
from ticker.validate import slips

# A cross rate of another central bank is within so much of the Bank of Russia's number of the same day.
CROSSES = Decimal("0.03")
# Of two copies that differ, a measure speaks against the one that is this share of its limit from it, and thrice as far
# as the other.
CLEARLY = {"quotient": Decimal("0.75"), "quotient_before": Decimal("0.75"), "crosses": Decimal("0.66")}
# A cross rate of another week says nothing of a table: so much before its date, and after it, as Saturday's holds until
# Monday ends.
_EARLIER, _LATER = timedelta(days=2), timedelta(days=3, hours=12)
# After an extraordinary move that was true, an ordinary one is half as large again.
_RESTLESS = Decimal("1.5")
# A number whose last digit is a larger share of it is the same on two days every now and then.
_FEW_DIGITS = Decimal("0.00005")
# Publications that stand by one that contradicts its own other rows before they are believed.
_LONG = 3
_HALF_A_DAY = timedelta(hours=12)
_SATURDAY = 5
_LONGEST_PAUSE = 60  # days
# How long a start from nothing waits for its witnesses before it calls a number fresh.
PATIENCE = timedelta(seconds=30)
# Who has had an older table again for so long has taken the newer one back, and for half as long where that would come
# into force meanwhile; until then a cache may only lag.
_TAKEN_BACK = timedelta(hours=2)
# What is asked again because of a number in doubt is waited for so long before anything is said of it.
QUIET = timedelta(minutes=2)


class Verdict(StrEnum):
    """What was made of a source's newest number."""

    SPOKE = "spoke"
    AGREES = "agrees"
    DISSENTS = "dissents"
    HELD = "held"
    REFUSED = "refused"
    LATE = "late"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of a claim, with its `figure` and `limit` as fractions (0.02 is 2 %); `holds` None: cannot be told."""

    name: str
    holds: bool | None
    figure: Decimal | None = None
    limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """One source in a decision: its newest number, what was made of it and why, and the checks with their figures."""

    source: str
    verdict: Verdict
    reason: Reason | None = None
    candidate: Candidate | None = None
    checks: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a number is shown: the rule that decided, every source's part in it, and the memory that was used."""

    symbol: str
    decided_at: datetime
    rule: str
    price: Decimal | None
    as_of: datetime | None
    status: Status
    witnesses: tuple[Witness, ...]
    memory: SelectionMemory


@dataclass(frozen=True, slots=True)
class Quotient:
    """A third rate that this instrument over (or under) its partner must be near, within `tolerance` (a fraction).

    `partner` is what the sources say of the partner by date and source, `believed` what is believed of it by date.
    `reference` is None while nobody tells the third rate: then the two are measured by what they were to each other in
    the table before.
    """

    name: str
    reference: Decimal | None
    tolerance: Decimal
    numerator: bool
    partner: Mapping[datetime, Mapping[str, Decimal]]
    believed: Mapping[datetime, Decimal] = field(default_factory=dict)

    def of(self, price: Decimal, partner: Decimal) -> Decimal:
        """The quotient of the instrument at `price` and its partner."""
        return price / partner if self.numerator else partner / price

    def at(self, moment: datetime) -> Decimal | None:
        """The partner's number of a date that is believed; at a start from nothing, what all who tell it say alike."""
        said = set(self.partner.get(moment, {}).values())
        return self.believed.get(moment) if self.believed else said.pop() if len(said) == 1 else None


@dataclass(frozen=True)
class SelectionInput:
    """All that one decision depends on.

    `candidates` holds what each source last said, of several dates where they are fixings; `failures` why a source did
    not answer; `asked` when each last answered; `witnesses` who is waited for at a start from nothing. Their order
    is of no importance.
    """

    instrument: Instrument
    candidates: Sequence[Candidate]
    calendars: Mapping[str, Calendar]
    now: datetime
    last: Quote | None = None
    memory: SelectionMemory = field(default_factory=SelectionMemory)
    failures: Mapping[str, Reason] = field(default_factory=dict)
    asked: Mapping[str, datetime] = field(default_factory=dict)
    quotients: Sequence[Quotient] = ()
    witnesses: Sequence[str] = ()

    @property
    def shown(self) -> Quote | None:
        """The quote that is shown, where there is a number to keep."""
        return self.last if self.last and self.last.price is not None else None

    @property
    def provisional(self) -> bool:
        """Whether this is a start from nothing and some witness has not been heard of yet, for half a minute at most.

        What is said until then is shown, and not called fresh: the first answer may be the wrong one.
        """
        if self.memory.confirmed or not self.candidates:
            return False
        began = min(each.fetched_at for each in self.candidates)
        waited = all(source in self.asked or source in self.failures for source in self.witnesses)
        return not waited and self.now - began < PATIENCE

    @cached_property
    def crosses(self) -> tuple[Candidate, ...]:
        """What is on time of anybody but the own sources' fixings, the oldest first."""
        fixings = self.instrument.sources
        found = (c for c in self.candidates if c.source not in fixings or c.price_type is not PriceType.FIXING)
        return tuple(sorted((c for c in found if self.fresh(c)), key=lambda c: c.as_of))

    def fresh(self, candidate: Candidate) -> bool:
        """Whether nothing newer than the candidate must have come from its source by now."""
        return self.now < self.calendars[candidate.source].fresh_until(candidate.as_of)

    def usable_until(self, candidate: Candidate) -> datetime:
        """When the candidate's number is withdrawn."""
        return self.calendars[candidate.source].usable_until(candidate.as_of, self.instrument.max_age)

    def rank(self, candidate: Candidate) -> int:
        """The place of the candidate's source in the instrument's order of preference."""
        return self.instrument.all_sources.index(candidate.source)


@dataclass(frozen=True, slots=True)
class Claim:
    """One number and everybody who says it, the most preferred first; `rivals` say another one for the same date."""

    candidates: tuple[Candidate, ...]
    findings: Mapping[str, Finding] = field(default_factory=dict)
    rivals: tuple["Claim", ...] = ()

    @property
    def first(self) -> Candidate:
        """The most preferred one who says it."""
        return self.candidates[0]

    @property
    def price(self) -> Decimal:
        """The number."""
        return self.first.price

    @property
    def as_of(self) -> datetime:
        """Its date or moment."""
        return self.first.as_of

    @property
    def weight(self) -> int:
        """How many sources say it."""
        return len(self.candidates)

    @property
    def copied(self) -> bool:
        """Whether more than one source says it."""
        return self.weight > 1

    def favoured(self, *names: str) -> bool:
        """Whether any of the checks `names` holds."""
        return any(name in self.findings and self.findings[name].holds is True for name in names)

    def denied(self, *names: str) -> bool:
        """Whether any of the checks `names`, or of all of them, does not hold."""
        return any(self.findings[name].holds is False for name in names or self.findings if name in self.findings)

    def share(self, name: str) -> Decimal:
        """How much of its limit the check `name` came to; 0 where it was not made."""
        found = self.findings.get(name)
        return found.figure / found.limit if found and found.figure is not None and found.limit else Decimal(0)


def moved(price: Decimal, before: Decimal) -> Decimal:
    """The move from `before` to `price` as a fraction, without its sign."""
    return abs(price / before - 1)


def ordinary(ask: SelectionInput, calendar: Calendar, before: datetime, now: datetime) -> Decimal:
    """How far the instrument may move between two moments before it is extraordinary, as a fraction.

    Volatility grows with the square root of time: after a week without news twice a day's move is no alarm. Time is
    counted in publications or in trading days: over a weekend nothing is set, and little is traded.
    """
    return ask.instrument.max_move * Decimal(_tables_between(calendar, before, now)).sqrt()


def _tables_between(calendar: Calendar, before: datetime, now: datetime) -> int:
    """The publications, or the trading days, after `before` up to `now`; 1 at least."""
    first, last = (each.astimezone(calendar.zone).date() + timedelta(days=1) for each in (before, now))
    if isinstance(calendar, Publication) and first < last:
        until = min(last, first + timedelta(days=_LONGEST_PAUSE)) - timedelta(days=1)
        return max(1, len(calendar.effective_dates(first, until)))
    return _weekdays(first, last)


def _weekdays(first: date, last: date) -> int:
    """The weekdays from `first` up to `last`, which is not one of them; 1 at least."""
    days = range(min((last - first).days, _LONGEST_PAUSE))
    return max(1, sum((first + timedelta(days=step)).weekday() < _SATURDAY for step in days))


def repeated(ask: SelectionInput, one: Candidate) -> Quote | None:
    """What was shown last, where that was this very number."""
    last = ask.last
    return last if last and (last.price, last.as_of, last.source) == (one.price, one.as_of, one.source) else None


def quote_of(ask: SelectionInput, one: Candidate) -> Quote:
    """The number as it is shown; a repeated one keeps the moment at which it first came."""
    last = repeated(ask, one)
    return Quote(
        instrument=ask.instrument,
        price=one.price,
        price_type=one.price_type,
        previous=one.previous,
        previous_as_of=one.previous_as_of,
        as_of=one.as_of,
        fetched_at=(last.fetched_at if last else None) or one.fetched_at,
        checked_at=one.checked_at or one.fetched_at,
        source=one.source,
        publisher=one.publisher,
        contract=one.contract,
        usable_until=ask.usable_until(one),
    )


def silent(ask: SelectionInput) -> Reason | None:
    """Why the preferred source says nothing newer."""
    first = ask.instrument.sources[0]
    answered = any(c.source == first for c in ask.candidates)
    return ask.failures.get(first, Reason.FROZEN if answered else None)


def agreed(price: Decimal, same: Sequence[Decimal], among: Sequence[Decimal]) -> Agreement:
    """How many say the same, how far all are apart in percent, and the bounds of those that say the same."""
    spread = (max(among) - min(among)) / price * 100 if among else Decimal(0)
    return Agreement(len(same), round(spread, 4), min(same, default=price), max(same, default=price))


def equal_digits(one: Decimal, other: Decimal) -> bool:
    """Equal as far as the shorter one goes: a copy may have rounded, never below the fourth decimal."""
    places = min(-int(price.as_tuple().exponent) for price in (one, other))
    unit = Decimal(1).scaleb(-max(4, places))
    return one.quantize(unit, ROUND_HALF_EVEN) == other.quantize(unit, ROUND_HALF_EVEN)


def statements(ask: SelectionInput, publisher: str) -> dict[datetime, dict[str, Candidate]]:
    """What the copies of `publisher`'s fixings say, by date and source; what was held before a restart among it."""
    found: dict[datetime, dict[str, Candidate]] = {}
    own = [c for c in ask.candidates if is_fixing(ask, c) and not taken_back(ask, c)]
    for each in sorted(own, key=lambda c: c.fetched_at):
        found.setdefault(each.as_of, {})[each.source] = each
    for doubt in ask.memory.doubts:
        if doubt.source in ask.instrument.sources and doubt.contract is None:
            kept = _remembered(ask, doubt, publisher)
            found.setdefault(doubt.as_of, {}).setdefault(doubt.source, kept)
    believed = {each.as_of: each.price for each in ask.memory.confirmed}
    for doubt in ask.memory.retracted:
        said = found.get(doubt.as_of, {})
        if doubt.as_of in believed and [s for s, c in said.items() if c.price == doubt.price] == [doubt.source]:
            # One of its caches says again, and nobody else does, what it took back: what it said last stands.
            said[doubt.source] = replace(said[doubt.source], price=believed[doubt.as_of])
    return found


def is_fixing(ask: SelectionInput, candidate: Candidate) -> bool:
    """Whether the candidate is a fixing of the instrument's own sources, whoever publishes it."""
    own = candidate.source in ask.instrument.sources and candidate.price_type is PriceType.FIXING
    return own and not candidate.derived


def taken_back(ask: SelectionInput, said: Candidate | Upcoming) -> bool:
    """Whether its source says an older table again since, and this one was not in force when it was last said."""
    last, as_of = said.checked_at or said.fetched_at, said.as_of
    mine = [c for c in ask.candidates if c.source == said.source]
    if last >= as_of or any(c.as_of > as_of for c in mine):
        return False
    frozen = ask.failures.get(said.source) is Reason.FROZEN
    older = frozen or any(c.as_of < as_of and last < c.fetched_at <= ask.now - _TAKEN_BACK / 2 for c in mine)
    return older and (ask.now - last >= _TAKEN_BACK or ask.now + SOON >= as_of >= last + _TAKEN_BACK / 2)


def _remembered(ask: SelectionInput, doubt: Doubt, publisher: str) -> Candidate:
    return Candidate(
        symbol=ask.instrument.symbol,
        source=doubt.source,
        publisher=publisher,
        price=doubt.price,
        price_type=PriceType.FIXING,
        as_of=doubt.as_of,
        fetched_at=doubt.since,
    )


def claims_of(ask: SelectionInput, said: Mapping[str, Candidate], publisher: str) -> list[Claim]:
    """The values that `said`, by source, holds for one date.

    Copies of the publisher's own table must be equal to the digit. A relay that rounds goes with the one value that it
    fits, with none where it fits several, and speaks for itself where it fits none.
    """
    exact = [c for c in said.values() if c.publisher == publisher]
    groups: list[list[Candidate]] = []
    for each in sorted(said.values(), key=lambda c: (c not in exact, int(c.price.as_tuple().exponent), ask.rank(c))):
        if each in exact:
            fitting = [group for group in groups if equal_digits(group[0].price, each.price)]
        else:
            fitting = [group for group in groups if moved(each.price, group[0].price) <= ask.instrument.tolerance]
        if not fitting:
            groups.append([each])
        elif len(fitting) == 1:
            fitting[0].append(each)
    return [Claim(tuple(sorted(group, key=ask.rank))) for group in groups]


def examine(
    ask: SelectionInput,
    claims: Sequence[Claim],
    before: Confirmed | None,
    said: Sequence[Mapping[str, Candidate]] = (),
    refuted: frozenset[str] = frozenset(),
) -> list[Claim]:
    """The claims of one date with every check that can be made, and with their rivals.

    `before` is the newest number that is believed for an earlier date, `said` what is said of every date, in order;
    `refuted` are the sources that were refuted about another one.
    """
    found = []
    for claim in claims:
        findings = _findings(ask, claim, before, said, alone=len(claims) == 1)
        if len(claims) > 1 and all(c.source in refuted for c in claim.candidates):
            findings["refuted_elsewhere"] = Finding("refuted_elsewhere", holds=False)
        found.append(Claim(claim.candidates, findings))
    told = _compared(found)
    return [Claim(c.candidates, c.findings, tuple(other for other in told if other is not c)) for c in told]


def _findings(
    ask: SelectionInput, claim: Claim, before: Confirmed | None, said: Sequence[Mapping[str, Candidate]], *, alone: bool
) -> dict[str, Finding]:
    later = [each for each in said if all(c.as_of > claim.as_of for c in each.values())]
    found: list[Finding | None] = [
        _said_before(ask, claim, later),
        _doubted_before(ask, claim),
        _relabelled(claim, before, said),
        *_quotients(ask, claim, before, said, alone=alone),
        _crosses(ask, claim),
    ]
    if before is not None:
        limit = ordinary(ask, ask.calendars[claim.first.source], before.as_of, claim.as_of)
        limit *= _RESTLESS if before.jumped else 1
        move = moved(claim.price, before.price)
        found += [Finding("move", move <= limit, move, limit), _denied_before(ask, claim, before)]
        # Ten times or the inverse of the number before.
        if slips(claim.price, before.price):
            found.append(Finding("slip", holds=False, figure=claim.price / before.price))
        found += _stands_by(ask, claim, before, later)
    return {each.name: each for each in found if each is not None}


def _said_before(ask: SelectionInput, claim: Claim, later: Sequence[Mapping[str, Candidate]]) -> Finding | None:
    """It was believed for this very date already; 2 where a copy had confirmed it then.

    What its source's own next table was needed for is not, once copies differ about that one.
    """
    disputed = any(len(claims_of(ask, said, claim.first.publisher)) > 1 for said in later[:1])
    for each in ask.memory.confirmed:
        if each.as_of == claim.as_of and equal_digits(each.price, claim.price) and (each.sure or not disputed):
            return Finding("said_before", holds=True, figure=Decimal(1 + each.copied))
    return None


def _doubted_before(ask: SelectionInput, claim: Claim) -> Finding | None:
    """It was in doubt before; 1 where others spoke against it, 0 where nobody did and it had moved too far."""
    own = {(c.source, c.price) for c in claim.candidates}
    doubts = [d for d in ask.memory.doubts if d.as_of == claim.as_of and (d.source, d.price) in own]
    if not doubts:
        return None
    return Finding("doubted_before", holds=None, figure=Decimal(any(d.reason is Reason.DISAGREE for d in doubts)))


def _relabelled(claim: Claim, before: Confirmed | None, said: Sequence[Mapping[str, Candidate]]) -> Finding | None:
    """The number before to the last digit, of whoever was believed or of the very sources that say it now.

    One of few digits says nothing: it may well be the same on two days.
    """
    if Decimal(1).scaleb(min(int(c.price.as_tuple().exponent) for c in claim.candidates)) > claim.price * _FEW_DIGITS:
        return None
    last = next((each for each in reversed(said) if all(c.as_of < claim.as_of for c in each.values())), {})
    again = all(c.source in last and last[c.source].price == claim.price for c in claim.candidates)
    if again or (before is not None and before.price == claim.price):
        return Finding("relabelled", holds=False, figure=claim.price)
    return None


def _quotients(
    ask: SelectionInput, claim: Claim, before: Confirmed | None, told: Sequence[Mapping[str, Candidate]], *, alone: bool
) -> list[Finding]:
    """EUR in roubles over USD in roubles, against the ECB's EUR in dollars and against what it was in the table before.

    A slip in one of both rows shows in either, and a rouble that falls in neither. The euro moves some parts of a
    percent against the dollar in a day, by 2 % in one of a thousand; in several days further, Moscow at rest or not.
    """
    found = []
    for each in ask.quotients:
        said = each.partner.get(claim.as_of, {})
        if alone and not said and claim.as_of in each.believed:
            # A table that is older than what is kept of the partner: what was believed of it then.
            said = {claim.first.source: each.believed[claim.as_of]}
        partner = each.at(before.as_of) if before is not None else None
        if each.reference is not None:
            both = (before.price if before else None, partner)
            found.append(_quotient(claim, "quotient", each, said, (each.reference, each.tolerance), both))
        if before is not None and partner is not None:
            zone, since = ask.calendars[claim.first.source].zone, _since(claim, before, told)
            days = _weekdays(since.astimezone(zone).date(), claim.as_of.astimezone(zone).date())
            measure = (each.of(before.price, partner), each.tolerance * Decimal(days).sqrt())
            # A row that was in doubt since is not cleared by what the other one did meanwhile.
            both = (before.price, partner if since == before.as_of else None)
            found.append(_quotient(claim, "quotient_before", each, said, measure, both))
    return [each for each in found if each is not None]


def _since(claim: Claim, before: Confirmed, told: Sequence[Mapping[str, Candidate]]) -> datetime:
    """The last table of the claim's sources alone that had another number than `before`: what moved, moved in it."""
    own = {c.source for c in claim.candidates}
    heard = [c.as_of for each in told if set(each) == own for c in each.values() if c.price != before.price]
    return max([before.as_of, *(as_of for as_of in heard if as_of < claim.as_of)])


def _quotient(
    claim: Claim,
    name: str,
    pair: Quotient,
    said: Mapping[str, Decimal],
    measure: tuple[Decimal, Decimal],
    before: tuple[Decimal | None, Decimal | None],
) -> Finding | None:
    """How far the pair is from the `measure`'s reference, and its limit; `said` is the partner's, `before` both before.

    Of a pair that is off, the one that still fits the other's number before is cleared; where neither fits (a swapped
    pair), or nothing is known before, nobody can tell which it is, and both are named.
    """
    reference, limit = measure

    def off(price: Decimal, partner: Decimal) -> Decimal:
        return moved(pair.of(price, partner), reference)

    if len(said) > 1 and len(set(said.values())) == 1:
        far = off(claim.price, next(iter(said.values())))
        return Finding(name, far <= limit, far, limit)
    own = [said[c.source] for c in claim.candidates if c.source in said]
    if not own:
        return None
    far = off(claim.price, own[0])
    if far <= limit:
        return Finding(name, holds=True, figure=far, limit=limit)
    last, partner = before
    cleared = partner is not None and off(claim.price, partner) <= limit
    other_cleared = last is not None and off(last, own[0]) <= limit
    return Finding(name, None if cleared and not other_cleared else False, far, limit)


def _crosses(ask: SelectionInput, claim: Claim) -> Finding | None:
    """The median of two or more cross rates by other publishers, on time and of these days.

    Those that are older than the claim's date may not have moved yet: they can confirm, and not deny.
    """
    near = (c for c in ask.crosses if -_EARLIER <= c.as_of - claim.as_of <= _LATER)
    newest = {c.publisher: c for c in near if c.publisher != claim.first.publisher}
    if len(newest) < 2:  # noqa: PLR2004 - one alone is a witness too few
        return None
    off = moved(claim.price, median(c.price for c in newest.values()))
    recent = [c for c in newest.values() if c.as_of >= claim.as_of - _HALF_A_DAY]
    holds = True if off <= CROSSES else False if len(recent) > 1 else None
    return Finding("crosses", holds, off, CROSSES)


def _denied_before(ask: SelectionInput, claim: Claim, before: Confirmed) -> Finding | None:
    """Its sources have said a number that others denied, and this one is nearer to that than to what was believed.

    `refuted_before` where evidence was against that number; `disputed_before` where nobody could tell, which speaks
    against nobody while there is another copy to compare with.
    """
    kinds = []
    for source in (c.source for c in claim.candidates):
        mine = [d for d in ask.memory.doubts if d.source == source and d.as_of <= claim.as_of]
        near = [d for d in mine if moved(claim.price, d.price) < moved(claim.price, before.price)]
        denied = [d for d in near if d.refuted or d.reason is Reason.DISAGREE]
        if not denied:
            return None
        kinds.append(any(d.refuted for d in denied))
    return Finding("refuted_before", holds=False) if any(kinds) else Finding("disputed_before", holds=None)


def _stands_by(
    ask: SelectionInput, claim: Claim, before: Confirmed, later: Sequence[Mapping[str, Candidate]]
) -> list[Finding]:
    """The same source's next publication is nearer to it than to the number before, or further the same way.

    `stands_by_long`: so are three of its publications.
    """
    source = claim.first.source
    if any(d.source == source and d.as_of <= claim.as_of and d.refuted for d in ask.memory.doubts):
        return []
    following = [said for said in later if source in said]
    if not following or len(claims_of(ask, following[0], claim.first.publisher)) > 1:
        return []

    def nearer(then: Candidate) -> bool:
        step = moved(then.price, claim.price)
        return step <= limit and step < moved(then.price, before.price)

    then = following[0][source]
    limit = ordinary(ask, ask.calendars[source], claim.as_of, then.as_of)
    same_way = (then.price - before.price) * (claim.price - before.price) > 0
    further = same_way and moved(then.price, before.price) > moved(claim.price, before.price)
    long = sum(nearer(each[source]) for each in following) >= _LONG
    step = moved(then.price, claim.price)
    # That it does not is no evidence against it: a number may go up and come back.
    return [
        Finding("stands_by", nearer(then) or further or None, step, limit),
        *([Finding("stands_by_long", holds=True)] if long else []),
    ]


def _compared(claims: Sequence[Claim]) -> list[Claim]:
    """Of values that differ, a measure speaks against one that is clearly further from it than another is."""
    made = []
    for claim in claims:
        findings = dict(claim.findings)
        for name, share in CLEARLY.items():
            own, others = claim.share(name), [c.share(name) for c in claims if name in c.findings]
            if name in findings and own >= share and min(others) * 3 <= own:
                findings[name] = replace(findings[name], holds=False)
        made.append(Claim(claim.candidates, findings))
    return made
