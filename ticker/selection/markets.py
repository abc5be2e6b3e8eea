"""What speaks for and against a market's print. Markets never print one number: it is moves that are compared.

The difference that two markets had when they corroborated each other is taken out first; it is learnt slowly, and from
such pairs only, so that neither a lasting difference is taken for news nor a lie for a lasting difference.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from ticker.calendars import Session, fresh_until
from ticker.quotes import SOON, Candidate, Contract, PriceType, Quote, Reason, Status, Tick
from ticker.selection.evidence import QUIET, Claim, Finding, SelectionInput, agreed, moved, ordinary, quote_of, silent
from ticker.selection.memory import DOUBTS_LAST, Confirmed, Doubt, Offset, SelectionMemory
from ticker.selection.rules import MARKET, Belief, Judged, Own, decide
from ticker.validate import slips

# Of the instrument's tolerance, how far prints of two times may be apart: after a known difference, and after one that
# is taken from the last settlements.
_KNOWN, _SETTLED = Decimal("0.2"), Decimal("0.4")
# Pairs after which a difference is known.
_ENOUGH = 3
_SLOWLY = 20
_MINUTE = timedelta(minutes=1)
# In one minute two exchanges are some hundredths of a percent from the difference they have: four times its mean
# deviation, at least this and at most that.
_BAND, _WIDEST = Decimal("0.0015"), Decimal("0.0018")
# A real difference may lie at the limit: what is denied by hardly more is believed with the next agreement.
_HARDLY = Decimal("1.35")
# Of prints of two times, a difference that is learnt.
_LEARNT = Decimal("0.01")
_DEVIATIONS = 4
# Of equal delivery months before the difference is known, or minutes apart; and what is no move beside a minute abroad.
CANDLE = Decimal("0.003")
_MINUTES_APART = timedelta(minutes=6)
_RECENTLY, _NIGHT = timedelta(minutes=20), timedelta(hours=6)
_TELLING = Decimal("0.01")  # from one print to the next a market does not move by half of it
_SAME_MONTH = timedelta(days=7)  # about New Year five days lie between; months are four weeks apart
# How far a print may lie outside of what its own answer says of it: columns are not written in one instant.
OWN_WORDS = Decimal("0.002")
_BID_OFFER = Decimal("0.005")
_NEIGHBOUR = Decimal("0.02")
_NEIGHBOUR_TIME = timedelta(minutes=30)
# How far a print is from the truth, where one of these denies it.
_MEASURES = ("candle", "second_market", "day_range", "bid_offer", "change_from_previous", "neighbour", "own_minutes")
# A market alone is believed when it has printed the same for so long.
STANDS = timedelta(minutes=10)
# Brent has fallen by a third overnight (17 January 1991) and by a quarter (9 March 2020): what goes further than five
# times an extraordinary move is more likely another column, and waits for a second market, or for hours.
_UNHEARD_OF, LONG_STANDS = 5, timedelta(hours=4)
_CONSISTENT = Decimal("0.25")
# The last print of a market at rest had a whole session to be wrong in: only nonsense is held.
_AT_REST = 3


def is_current(ask: SelectionInput, candidate: Candidate) -> bool:
    """Whether the print is on time and its market in session; a pause shorter than the data's delay is none."""
    calendar = ask.calendars[candidate.source]
    if not isinstance(calendar, Session):
        return ask.fresh(candidate)
    lag = calendar.delay + calendar.grace
    until, session = candidate.as_of + lag, calendar.session_at(ask.now)
    if session is not None and session.opens < until < calendar.fresh_until(candidate.as_of):
        until = session.opens + calendar.delay + calendar.grace / 2  # the last print before a clearing
    on_time = ask.now + SOON < until
    return on_time and (calendar.is_open(ask.now, candidate.as_of) or calendar.next_open(ask.now) <= ask.now + lag)


def _late(ask: SelectionInput, prints: Sequence[Candidate]) -> dict[str, datetime]:
    """When a market in session was last late: who has just come back may be again, and lets another one speak."""
    found = {}
    for each in prints:
        calendar = ask.calendars[each.source]
        session = calendar.session_at(ask.now) if isinstance(calendar, Session) else None
        if isinstance(calendar, Session) and session is not None:
            lag = calendar.delay + calendar.grace
            margin = calendar.grace / 3 if each.source in ask.memory.late else SOON
            overdue = ask.now + margin >= max(each.as_of, session.opens) + lag
            since = ask.now if overdue else ask.memory.late.get(each.source)
            if since is not None and ask.now - since < lag:
                found[each.source] = since
    return found


def examine(ask: SelectionInput, one: Candidate, others: Sequence[Candidate], shown: Quote | None) -> Claim:
    """The print with every check that can be made: against `others` on time, and what is `shown` of its own kind."""
    pairs = [(c, compare(ask, one, c)) for c in others]
    now = is_current(ask, one)
    # A print at rest still bears witness of its own minute.
    rivals = [
        (c, p) for c, p in pairs if (now and is_current(ask, c)) or (p.exact and not p.by_print and p.off > CANDLE)
    ]
    contradicted = {c.source for c, pair in rivals if not pair.agrees and _contradicted(ask, c, pair)}
    # Who was refuted, or contradicts himself, can agree and denies nobody.
    refuted = {d.source for d in ask.memory.doubts if d.refuted}
    heard = [(c, p) for c, p in rivals if p.agrees or one.source in refuted or c.source not in refuted | contradicted]
    found = [*_against(ask, one, heard, shown), *_own_words(one), *_own_minutes(ask, one), *_since(ask, one, shown)]
    denials = _denied_before(ask, one, [pair for c, pair in pairs if pair.exact or (c, pair) in rivals], shown)
    # Where all who disagree contradict themselves, a dispute that nobody could tell is over.
    over = bool(contradicted) and all(pair.agrees or c.source in contradicted for c, pair in rivals)
    found += [each for each in denials if each.name == "refuted_before" or not over]
    return Claim((one,), {each.name: each for each in found})


@dataclass(frozen=True, slots=True)
class Pair:
    """Two markets' prints held against each other: how far they are from the difference they have, as fractions.

    `ratio` is what one costs for 1 of the other now, to be learnt as `name`. With `chart` it is the minutes of the one,
    `charted` at that moment, against the `print` of the other, `exact` where they are of its very minute, and that no
    wild one; `by_print` says that the minute is not there, and prints of two times were compared.
    """

    name: str
    ratio: Decimal
    off: Decimal
    limit: Decimal
    print: Candidate
    chart: Tick | None = None
    charted: Decimal = Decimal(0)
    exact: bool = False
    by_print: bool = True

    @property
    def agrees(self) -> bool:
        """Whether they say the same."""
        return self.off <= self.limit


def learn(memory: SelectionMemory, pair: Pair, as_of: datetime) -> SelectionMemory:
    """With the difference of a pair that has corroborated each other; the more pairs, the slower it moves."""
    known = memory.offsets.get(pair.name)
    # What has only met the wide limit of a start may be a lie itself.
    tells = pair.exact if pair.chart is not None else pair.off <= _LEARNT
    if (known is not None and known.as_of >= as_of) or not tells:
        return memory
    if known is not None and pair.exact and moved(pair.ratio, known.ratio) > CANDLE:
        known = None  # a night has changed it: learnt anew
    pairs, before = (1, pair.ratio) if known is None else (known.pairs + 1, known.ratio)
    share = Decimal(1) / min(pairs, _SLOWLY)
    spread = Decimal(0) if known is None else known.spread
    made = Offset(
        ratio=round(before + (pair.ratio - before) * share, 6),
        pairs=pairs,
        as_of=as_of,
        spread=round(spread + (moved(pair.ratio, before) - spread) * share, 6),
    )
    offsets = {**memory.offsets, pair.name: made}
    # Contracts that have expired are not kept for ever.
    newest = sorted(offsets, key=lambda each: offsets[each].as_of)[-12:]
    return replace(memory, offsets={each: offsets[each] for each in newest})


def compare(ask: SelectionInput, one: Candidate, other: Candidate) -> Pair:
    """The two at the print's own minute, where one of them has minutes of its month; else their newest prints."""
    first, second = sorted((one, other), key=ask.rank)
    for print_, chart in ((first, second), (second, first)):
        for contract, price, at in _months(print_):
            for each in chart.ticks:
                tick, near = each, _around(each, at) if _equal_months(contract, each.contract) else None
                if near is None:
                    continue
                name = f"{print_.source}/{chart.source}"
                known = ask.memory.offsets.get(name)
                ratio, own = known.ratio if known else Decimal(1), _around(chart.ticks[0], at)
                if own is not None and own.exact and own.off(price, ratio) <= CANDLE < near.off(price, ratio):
                    tick, near = chart.ticks[0], own  # the dated witness is the odd one out of three
                off, limit = near.off(price, ratio), CANDLE
                if _rested(ask, print_):
                    off = min(off, near.off(price, Decimal(1)))  # over a night the difference may be another one
                elif known is not None and known.pairs >= _ENOUGH and near.exact:
                    limit = min(max(_BAND, known.spread * _DEVIATIONS), _WIDEST)
                exact = near.exact and not near.wild
                ratio, by_print = price / near.price, not near.exact
                return Pair(name, ratio, off, limit, print_, tick, near.price, exact, by_print)
    return _nameless(ask, first, second)


def _nameless(ask: SelectionInput, first: Candidate, second: Candidate) -> Pair:
    """The print at its own minute of a future whose month nobody names, after the difference of the last hours."""
    apart = _prints_apart(ask, first, second)
    for print_, chart in ((first, second), (second, first)):
        near = _around(chart.ticks[0], print_.as_of) if chart.ticks else None
        if near is not None and near.exact and not near.wild:
            name, ratio = f"{_label(print_)}/{chart.source} minutes", print_.price / near.price
            made = replace(apart, name=name, ratio=ratio, print=print_, chart=chart.ticks[0], exact=True)
            known = ask.memory.offsets.get(name)
            if known is None or known.pairs < _ENOUGH or print_.as_of - known.as_of > _NIGHT:
                return replace(made, charted=near.price)
            off = near.off(print_.price, known.ratio)
            return replace(made, charted=near.price, off=off, limit=CANDLE, by_print=False)
    return apart


def _months(one: Candidate) -> list[tuple[Contract | None, Decimal, datetime]]:
    """The months of one answer: about a roll the front one may have ended abroad, and the next one bears witness."""
    next_one = one.market_data.neighbour
    later = [(next_one.contract, next_one.last, next_one.as_of)] if next_one else []
    return [(one.contract, one.price, one.as_of), *later]


def _prints_apart(ask: SelectionInput, first: Candidate, second: Candidate) -> Pair:
    """The newest prints, which are minutes apart."""
    name, tolerance = f"{_label(first)}/{_label(second)}", ask.instrument.tolerance
    known, ratio = ask.memory.offsets.get(name), first.price / second.price
    if known is not None:
        limit = tolerance * (_KNOWN if known.pairs >= _ENOUGH else _SETTLED)
        return Pair(name, ratio, moved(ratio, known.ratio), limit, first)
    if first.previous and second.previous and moved(ratio, Decimal(1)) > CANDLE:
        return Pair(name, ratio, moved(ratio, first.previous / second.previous), tolerance * _SETTLED, first)
    return Pair(name, ratio, moved(ratio, Decimal(1)), tolerance, first)


def _label(one: Candidate) -> str:
    return f"{one.source} {one.contract.code}" if one.contract else one.source


def _equal_months(one: Contract | None, other: Contract | None) -> bool:
    """Whether two contracts expire together; letters of months are no measure, exchanges count them differently."""
    if one is None or other is None or one.expires is None or other.expires is None:
        return False
    return abs(one.expires - other.expires) <= _SAME_MONTH


@dataclass(frozen=True, slots=True)
class Near:
    """What a chart has at a moment: the price between the two closes about it, these, and whether they are so near."""

    price: Decimal
    low: Decimal
    high: Decimal
    exact: bool

    @property
    def wild(self) -> bool:
        """Whether the price jumped within the minute, so that nobody knows where it was at a second of it."""
        return self.high / self.low - 1 >= CANDLE

    def off(self, price: Decimal, ratio: Decimal) -> Decimal:
        """How far `price` is from the chart's times `ratio`; in a wild minute it may be anywhere between its ends."""
        if self.wild:
            return _outside(price, self.low * ratio, self.high * ratio)
        return moved(price, self.price * ratio)


def _around(tick: Tick, moment: datetime) -> Near | None:
    """What the chart has about `moment`; where nobody traded in that minute, in the next one there is."""
    candles = tick.market.candles if tick.market is not None else ()
    place = bisect_right(candles, moment, key=lambda each: each.at)
    ends = [(each.at + _MINUTE, each.close / tick.nominal) for each in candles[max(place - 2, 0) : place]]
    around = [(end, close) for end, close in ends if abs(end - moment) <= _MINUTE]
    if len({end for end, _ in around}) > 1:
        (start, first), (end, last) = around
        share = Decimal((moment - start) / (end - start))
        return Near(first + (last - first) * share, min(first, last), max(first, last), exact=True)
    apart, close = min(((abs(end - moment), close) for end, close in ends), default=(_MINUTES_APART * 2, Decimal(1)))
    return Near(close, close, close, exact=apart <= _MINUTE) if apart <= _MINUTES_APART else None


def _outside(price: Decimal, low: Decimal, high: Decimal) -> Decimal:
    return max(low / price - 1, price / high - 1, Decimal(0))


def _last(ask: SelectionInput, one: Candidate, *, agreed: bool = False, chart: Tick | None = None) -> Confirmed | None:
    """What the source itself printed last, of the same contract, that was believed; that another market `agreed` to.

    With its `chart` it is the minute of that to which the other agreed.
    """
    contract = chart.contract if chart is not None else one.contract
    code = contract.code if contract else None
    mine = [c for c in ask.memory.confirmed if c.source == one.source and c.contract == code and c.as_of <= one.as_of]
    return max((c for c in mine if c.copied or not agreed), key=lambda c: c.as_of, default=None)


def _rested(ask: SelectionInput, one: Candidate) -> bool:
    """Whether no other market has agreed to it for hours."""
    last = _last(ask, one, agreed=True)
    return last is None or one.as_of - last.as_of > _NIGHT


def _ratio(ask: SelectionInput, one: Candidate, other: Candidate) -> Decimal | None:
    """What `one` costs for 1 of `other`, learnt in whichever direction, of equal months or of these contracts."""
    for here, there in ((one.source, other.source), (_label(one), _label(other))):
        if known := ask.memory.offsets.get(f"{here}/{there}"):
            return known.ratio
        if known := ask.memory.offsets.get(f"{there}/{here}"):
            return 1 / known.ratio
    return None


def _against(
    ask: SelectionInput, one: Candidate, heard: Sequence[tuple[Candidate, Pair]], shown: Quote | None
) -> list[Finding]:
    pairs = [pair for _, pair in heard]
    nearest = {
        name: min(of_kind, key=lambda each: each.off - each.limit)
        for name, of_kind in (
            ("second_market", [each for each in pairs if each.by_print]),
            ("candle", [each for each in pairs if not each.by_print]),
        )
        if of_kind
    }
    minute, prints = nearest.get("candle"), nearest.get("second_market")
    if minute and prints and prints.agrees and minute.off > max(prints.limit, minute.limit):
        del nearest["candle"]  # two of three
        minute = None
    found = [Finding(name, each.agrees, each.off, each.limit) for name, each in nearest.items()]
    denying = [other for other, pair in heard if not pair.agrees]
    if denying and shown is None:
        # At a start: the one that moved an ordinary way since its settlement, where those that deny it did not.
        calm = all(_own_previous(ask, other).holds is False for other in denying)
        found.append(Finding("calmer", calm and _own_previous(ask, one).holds is True))
    if minute is not None and not minute.agrees:
        found.append(_path(ask, one, minute))
    if shown is not None and shown.price is not None and not _rolled(one, shown):
        found += _unmoved(ask, one, shown, pairs, minute)
    return found


def _unmoved(
    ask: SelectionInput, one: Candidate, shown: Quote, pairs: Sequence[Pair], minute: Pair | None
) -> list[Finding]:
    """Whether it has not moved: since what is shown, or since it was last believed.

    Where minutes deny it, only the minute to which both agreed a moment ago is a measure, and a third of what is
    between them now; without one nobody can tell.
    """
    if minute is not None and not minute.agrees:
        mine = one is minute.print
        last = _last(ask, one, agreed=True, chart=None if mine else minute.chart)
        if last is None or minute.print.as_of - last.as_of > _RECENTLY:
            return []
        price = one.price if mine else minute.charted
        step, limit = moved(price, last.price), min(max(CANDLE, minute.off / 10), minute.off / 3)
        return [Finding("still", step <= limit, step, limit)]
    if any(each.by_print and each.chart and not each.agrees and not each.exact for each in pairs):
        return []  # the minute itself is asked for at once, and tells
    if any(each.holds is False for each in _own_minutes(ask, one, past=False)):
        return []  # it is not where its own minute is, wherever that may be
    step, last = moved(one.price, _expected(ask, one, shown)), _last(ask, one)
    limit = CANDLE if minute is not None else ask.instrument.tolerance * _KNOWN
    limit = min(limit, OWN_WORDS) if _contradicted(ask, one) else limit
    if last is not None and (not pairs or min(each.off for each in pairs) <= ask.instrument.tolerance):
        # Of two markets that differ by little the one that prints what it last printed has not moved.
        step = min(step, moved(one.price, last.price))
    return [Finding("still", step <= limit, step, limit)]


def _contradicted(ask: SelectionInput, one: Candidate, pair: Pair | None = None) -> bool:
    """Whether its own answer speaks against it, or its chart in `pair` tells another past than the one agreed to.

    A continuous future goes on to another month, minutes and all, and need not say so.
    """
    chart = pair.chart if pair is not None and pair.chart in one.ticks else None
    last = _last(ask, one, agreed=True, chart=chart)
    past = _around(chart, last.as_of) if chart is not None and last is not None else None
    if last is not None and past is not None and past.exact and past.off(last.price, Decimal(1)) > CANDLE:
        return True
    minutes = _own_minutes(ask, one, past=one.contract is not None)
    return any(f.holds is False for f in (*_own_words(one), *minutes))


def _path(ask: SelectionInput, one: Candidate, pair: Pair) -> Finding:
    """Which of two has left the other since they last agreed: the chart shows every minute of its own way.

    Where no minute of it steps half as far as they are apart, it is the print that has jumped.
    """
    mine, last, known = one is pair.print, _last(ask, pair.print, agreed=True), ask.memory.offsets.get(pair.name)
    then = _around(pair.chart, last.as_of) if pair.chart is not None and last is not None else None
    if pair.chart is None or pair.chart.market is None or last is None or then is None or then.wild:
        return Finding("path", holds=None)
    if known is not None and then.off(last.price, known.ratio) > CANDLE:
        return Finding("path", holds=None)
    start, end = last.as_of - _MINUTE, pair.print.as_of + _MINUTE
    closes = [c.close for c in pair.chart.market.candles if start <= c.at + _MINUTE <= end]
    step = max((moved(then, now) for now, then in pairwise(closes)), default=Decimal(0))
    return Finding("path", (not mine) if step < pair.off / 2 else None, step, pair.off / 2)


def _own_words(one: Candidate) -> list[Finding]:
    """What the same answer says beside the price."""
    if one.price_type is not PriceType.LAST or not one.ticks:
        return []
    said, price, found = one.market_data, one.ticks[0].price, list[Finding]()
    if said.low and said.high:
        outside = max(said.low / price - 1, price / said.high - 1, Decimal(0))
        found.append(Finding("day_range", outside <= OWN_WORDS, outside, OWN_WORDS))
    if said.bid and said.offer and said.bid <= said.offer:
        outside = max(said.bid / price - 1, price / said.offer - 1, Decimal(0))
        found.append(Finding("bid_offer", outside <= _BID_OFFER, outside, _BID_OFFER))
    # The recorded futures board does not settle which of both the exchange counts from; it is the one that fits.
    bases = [each for each in (said.previous_price, said.previous_settlement) if each]
    if bases and said.change_from_previous is not None:
        off = min(moved(price, base * (1 + said.change_from_previous / 100)) for base in bases)
        found.append(Finding("change_from_previous", off <= OWN_WORDS, off, OWN_WORDS))
    next_one = said.neighbour
    if next_one and next_one.previous_settlement and said.previous_settlement:
        apart = moved(price / said.previous_settlement, next_one.last / next_one.previous_settlement)
        if abs(next_one.as_of - one.as_of) <= _NEIGHBOUR_TIME:
            found.append(Finding("neighbour", apart <= _NEIGHBOUR, apart, _NEIGHBOUR))
    return found


def _own_minutes(ask: SelectionInput, one: Candidate, *, past: bool = True) -> list[Finding]:
    """The print among the minutes that the same answer tells of its contract, and of the `past` the last believed."""
    last, found = _last(ask, one) if past else None, list[Decimal]()
    for price, at in ((one.price, one.as_of), *([(last.price, last.as_of)] if last else [])):
        near = _around(one.ticks[0], at) if one.ticks else None
        if near is not None and near.exact:
            found.append(near.off(price, Decimal(1)))
    return [Finding("own_minutes", max(found) <= CANDLE, max(found), CANDLE)] if found else []


def _since(ask: SelectionInput, one: Candidate, shown: Quote | None) -> list[Finding]:
    """The move since what is shown, or at a start and after a roll since its own settlement before."""
    found: list[Finding] = []
    if shown is not None and shown.price is not None and shown.as_of is not None and not _rolled(one, shown):
        expected = _expected(ask, one, shown)
        step, limit = moved(one.price, expected), ordinary(ask, ask.calendars[one.source], shown.as_of, one.as_of)
        found.append(Finding("move", step <= limit, step, limit))
        if slips(one.price, shown.price):
            found.append(Finding("slip", holds=False, figure=one.price / shown.price))
        last = _last(ask, one)
        contradicted = [d for d in ask.memory.doubts if d.source == one.source and d.reason is Reason.RANGE]
        if last is not None and any(d.as_of > last.as_of for d in contradicted):
            found.append(Finding("contradicted_before", holds=False))
    elif one.previous and one.previous_as_of:
        found.append(_own_previous(ask, one))
    then = _around(one.ticks[0], one.as_of - STANDS) if one.ticks else None
    if then is not None and all(c.source != one.source for c in ask.memory.confirmed):
        step, limit = then.off(one.price, Decimal(1)), ask.instrument.max_move * _CONSISTENT
        found.append(Finding("stood", step <= limit, step, limit))
    moves = [each.figure for each in found if each.name in {"move", "own_previous"} and each.figure is not None]
    unheard_of = any(move > ask.instrument.max_move * _UNHEARD_OF for move in moves)
    wait = LONG_STANDS if unheard_of else STANDS
    held = [d for d in ask.memory.doubts if d.source == one.source and not d.refuted]
    for doubt in held:
        consistent = moved(one.price, doubt.price) <= ask.instrument.max_move * _CONSISTENT
        long = one.as_of - doubt.as_of >= wait
        figure = Decimal(int((one.as_of - doubt.as_of).total_seconds()))
        found.append(Finding("stands_by", consistent and long, figure, Decimal(int(wait.total_seconds()))))
    return found


def _denied_before(ask: SelectionInput, one: Candidate, pairs: Sequence[Pair], shown: Quote | None) -> list[Finding]:
    """What another market said against it before stands until one agrees; falling silent is no agreement."""
    step = moved(one.price, _expected(ask, one, shown)) if shown is not None else Decimal(0)
    mine = [d for d in ask.memory.doubts if d.source == one.source and (d.refuted or d.reason is Reason.DISAGREE)]
    standing = [d for d in mine if _stands(one, d, pairs, step)]
    return [Finding("refuted_before" if d.refuted else "disputed_before", holds=False, figure=d.off) for d in standing]


def _stands(one: Candidate, doubt: Doubt, pairs: Sequence[Pair], step: Decimal) -> bool:
    """Whether a denial stands: an agreement by a coarser measure, or not nearer by half, may be the same lie.

    With nobody to compare with, a large lie ends with a jump back by half of it at least. A small one cannot be told
    from the market's own moves, so that it waits for another market; the very smallest, and what nobody could tell at
    the limit, may have been a moment's difference.
    """
    off, code = doubt.off, one.contract.code if one.contract else ""
    if off is None:
        return doubt.contract == code and moved(one.price, doubt.price) < step
    if pairs:
        limit = max(doubt.limit or CANDLE, CANDLE)
        near = limit if off < limit * _HARDLY else max(off / 2, _BAND)
        return not any(p.agrees and p.limit <= limit and p.off <= near for p in pairs)
    soon = doubt.contract == code and one.as_of - doubt.as_of < STANDS
    jumped = off >= _TELLING and soon and moved(one.price, doubt.price) >= off / 2
    return off >= (CANDLE if doubt.refuted else CANDLE * _HARDLY) and not jumped


def _own_previous(ask: SelectionInput, one: Candidate) -> Finding:
    """The move since its own settlement before; holds None where that is not told."""
    if not one.previous or one.previous_as_of is None:
        return Finding("own_previous", holds=None)
    limit = ordinary(ask, ask.calendars[one.source], one.previous_as_of, one.as_of)
    limit *= 1 if is_current(ask, one) else _AT_REST
    step = moved(one.price, one.previous)
    return Finding("own_previous", step <= limit, step, limit)


def _expected(ask: SelectionInput, one: Candidate, shown: Quote) -> Decimal:
    """What `one` would print where what is shown had not moved."""
    price = shown.price or Decimal(1)
    if shown.source is None or shown.source == one.source:
        return price
    other = next((c for c in ask.candidates if c.source == shown.source and c.contract == shown.contract), None)
    known = _ratio(ask, one, other) if other is not None else None
    return price if known is None else price * known


def _rolled(one: Candidate, shown: Quote) -> bool:
    """Whether the source went on to another futures contract: what its old one stood at is of no use then."""
    return one.source == shown.source and one.contract != shown.contract


# The decision.


def judge(ask: SelectionInput) -> Own:
    """What the markets' prints allow, or an indicative rate's."""
    prints = _prints(ask)
    # What the first answer of a start has put there is no measure yet, nor what is shown marked.
    shown = ask.shown if ask.shown and ask.shown.source in {c.source for c in ask.memory.confirmed} else None
    late = _late(ask, prints)
    current = sorted((c for c in prints if is_current(ask, c)), key=lambda c: (c.source in late, ask.rank(c)))
    resting = sorted((c for c in prints if c not in current), key=lambda c: (c.as_of, -ask.rank(c)), reverse=True)
    judged = tuple(_judge(ask, each, prints, shown) for each in (*current, *resting))
    speaker = next((each for each in judged if each.believed), None)
    open_ = judged[: len(current)]
    others = [each for each in open_ if each.believed]
    # Of the markets in session the first that is not believed, where none before it is.
    held = next((each for each in open_[:1] if not each.believed), None)
    memory = replace(_learn(ask, open_, speaker, [c for c in prints if c in current]), late=late)
    if not others:
        speaker = next((each for each in open_ if each.rule.belief is Belief.MARKED), speaker)
    asks = _second(ask, held, memory, current) if held is not None else ()
    reason = held.rule.reason if held is not None else None
    if held is not None and len(current) > 1 and shown is not None and _patient(ask, held, memory, shown):
        kept = _kept(ask, shown, reason, prints, stale=False)
        if kept.status is Status.FRESH or not others:
            return Own(kept, "kept", judged, memory, asks)
    # To a print older than what is shown nobody goes back, nor to one as old where something newer is held.
    least = None if shown is None or shown.as_of is None or others else (shown.as_of, held is not None)
    if speaker is None or (least is not None and (speaker.claim.as_of, False) < least):
        if shown is None and held is not None and reason is Reason.DISAGREE:
            # A start in a dispute: the number that moved less since its own settlement, and not called fresh.
            calm, *rest = sorted(current, key=lambda each: _own_previous(ask, each).figure or Decimal(0))
            if not rest and ask.shown is not None:
                return Own(_kept(ask, ask.shown, reason, prints, stale=True), held.rule.name, judged, memory, asks)
            if calm.previous or any(moved(each.price, calm.price) <= ask.instrument.tolerance for each in rest):
                quote = replace(_print(ask, calm, prints, reason), status=Status.STALE)
                return Own(quote, held.rule.name, judged, memory, asks)
        if shown is None:
            return Own(Quote(ask.instrument, reason=reason or silent(ask)), "nothing known", judged, memory, asks)
        return Own(_kept(ask, shown, reason, prints, stale=held is not None), "kept", judged, memory, asks)
    quote = _print(ask, speaker.claim.first, prints, reason)
    if held is not None and not others:
        quote = replace(quote, status=Status.STALE, fresh_until=min(ask.now, quote.fresh_until or ask.now))
    return Own(quote.at(ask.now), speaker.rule.name, judged, memory, asks)


def _prints(ask: SelectionInput) -> list[Candidate]:
    """The newest print of each source that can still be shown."""
    newest: dict[str, Candidate] = {}
    for each in sorted(ask.candidates, key=lambda c: (c.as_of, c.fetched_at)):
        own = each.source in ask.instrument.sources and each.price_type is not PriceType.FIXING
        in_force = each.as_of <= max(ask.now, ask.calendars[each.source].latest(ask.now) if own else ask.now)
        traded = own and isinstance(ask.calendars[each.source], Session)
        if own and in_force and ask.now < ask.usable_until(each) and (traded or each.as_of <= ask.now):
            newest[each.source] = each
    return sorted(newest.values(), key=ask.rank)


def _judge(ask: SelectionInput, one: Candidate, prints: Sequence[Candidate], shown: Quote | None) -> Judged:
    others = [other for other in prints if other.source != one.source]
    claim = examine(ask, one, others, shown)
    return Judged(claim, decide(claim, MARKET))


def _patient(ask: SelectionInput, held: Judged, memory: SelectionMemory, shown: Quote) -> bool:
    """Whether a preferred market has been denied for so short a time that its last good print still stands."""
    since = [d.since for d in memory.doubts if d.source == held.claim.first.source]
    doubted = (shown.source, shown.as_of) == (held.claim.first.source, held.claim.as_of)
    return bool(since) and not doubted and ask.now - min(since) < QUIET


def _second(
    ask: SelectionInput, held: Judged, memory: SelectionMemory, current: Sequence[Candidate]
) -> tuple[str, ...]:
    """The other markets on time that have not been asked since the print in doubt came; while the doubt is new.

    In a dispute that lasts they are asked as often as ever: what they may be asked in an hour must not run out.
    """
    one = held.claim.first
    if any(d.source == one.source and ask.now - d.since >= QUIET for d in memory.doubts):
        return ()
    others = [c.source for c in current if c.source != one.source and c.source not in ask.failures]
    return tuple(source for source in others if ask.asked.get(source, ask.now) < one.fetched_at)


def _print(ask: SelectionInput, one: Candidate, prints: Sequence[Candidate], reason: Reason | None) -> Quote:
    calendar, source = ask.calendars[one.source], one.source
    others = [c for c in prints if c is not one and is_current(ask, c) and is_current(ask, one)]
    near = [c for c in others if compare(ask, one, c).agrees]
    if reason is None and others and not near:
        reason = Reason.DISAGREE
    if reason is None and source != ask.instrument.sources[0] and not is_current(ask, one):
        rests = any(c.source == ask.instrument.sources[0] and ask.fresh(c) for c in prints)
        reason = ask.failures.get(ask.instrument.sources[0]) if rests else silent(ask)
    quote = replace(
        quote_of(ask, one),
        fallback=source != ask.instrument.sources[0],
        status=Status.FRESH,
        agreement=agreed(one.price, [one.price, *(c.price for c in near)], [one.price, *(c.price for c in others)]),
        # What is newer than a print that is still the newest its own market can have given is not older than that.
        fresh_until=max(_fresh_until(ask, each) for each in prints if each.as_of <= one.as_of),
    )
    if one.previous and moved(one.price, one.previous) > ask.instrument.max_move * _UNHEARD_OF:
        quote = replace(quote, previous=None, previous_as_of=None)
    quote = _timed(ask, quote, one.as_of)
    if reason is None and quote.at(ask.now).status is not Status.FRESH:
        reason = silent(ask)
    elif reason is None and source != ask.instrument.sources[0] and calendar is not None:
        reason = ask.failures.get(ask.instrument.sources[0])
    return replace(quote, reason=reason)


def _fresh_until(ask: SelectionInput, one: Candidate) -> datetime:
    kind = [ask.calendars[source] for source in ask.instrument.sources if source in ask.calendars]
    return fresh_until(ask.calendars[one.source], kind, one.as_of)


def _timed(ask: SelectionInput, quote: Quote, as_of: datetime) -> Quote:
    """With what changes by time alone: its market open or closed, and when something newer is due."""
    calendar = ask.calendars.get(quote.source or "")
    if calendar is None:
        return replace(quote, next_update_at=None)
    due = [calendar.next_update(as_of, ask.now)]
    market, turns = calendar.market(ask.now, as_of), None
    if isinstance(calendar, Session):
        session = calendar.session_at(ask.now)
        turns = session.closes if session else calendar.next_open(ask.now)
        kind = [ask.calendars[source] for source in ask.instrument.sources if source in ask.calendars]
        rest = [each for each in kind if isinstance(each, Session) and each != calendar]
        due += [each.next_update(ask.now - each.delay - each.grace, ask.now) for each in rest]  # by no print of theirs
    known = [each for each in due if each is not None]
    return replace(
        quote,
        market=market,
        market_turns_at=turns,
        next_update_at=min(known) if len(known) == len(due) else None,
    )


def _kept(
    ask: SelectionInput, shown: Quote, reason: Reason | None, prints: Sequence[Candidate], *, stale: bool
) -> Quote:
    """The last good print, with the reason why nothing newer is shown; `stale` at once where there is something."""
    quote = replace(shown, instrument=ask.instrument)
    if stale:
        quote = replace(quote, status=Status.STALE, fresh_until=min(ask.now, shown.fresh_until or ask.now))
    if shown.as_of is not None:
        quote = _timed(ask, quote, shown.as_of)
    quote = quote.at(ask.now)
    if reason is None and quote.status is not Status.FRESH:
        reason = silent(ask)
    if reason is not None and quote.price is not None:
        among = [c.price for c in prints if is_current(ask, c)]
        price = quote.price
        near = [each for each in among if moved(each, price) <= ask.instrument.tolerance]
        agreement = agreed(price, near, [*among, price]) if among else quote.agreement
        quote = replace(quote, agreement=agreement)
    return replace(quote, reason=reason)


def _learn(
    ask: SelectionInput, judged: Sequence[Judged], speaker: Judged | None, current: Sequence[Candidate]
) -> SelectionMemory:
    """Differences of pairs that corroborate each other, and doubts about the prints that are not believed."""
    memory = ask.memory
    doubts = {d.source: d for d in memory.doubts if ask.now - d.as_of < DOUBTS_LAST}
    for each in judged:
        one = each.claim.first
        if each.believed:
            doubts.pop(one.source, None)
            continue
        before, code = doubts.get(one.source), one.contract.code if one.contract else ""
        # Of two that differ the one is refuted where the other is believed; what contradicts only itself is not.
        denied = each.claim.denied("candle", "second_market")
        refuted = any(j.believed for j in judged) if denied else each.rule.reason is Reason.UNIT
        against = [f for f in each.claim.findings.values() if f.holds is False and f.name in _MEASURES]
        off = max((f.figure or Decimal(0) for f in against), default=None)
        limit = max((f.limit or CANDLE for f in against if f.name in {"candle", "second_market"}), default=CANDLE)
        reason = each.rule.reason or Reason.DISAGREE
        made = Doubt(one.source, one.price, one.as_of, ask.now, reason, refuted, code, off, limit)
        if before is not None and (before.refuted or before.reason is Reason.DISAGREE):
            reason, limit = reason if denied else before.reason, min(limit, before.limit or limit)
            made = replace(made, since=before.since, reason=reason, refuted=refuted or before.refuted, limit=limit)
            made = replace(made, off=off or before.off)
        elif before is not None and moved(one.price, before.price) <= ask.instrument.max_move * _CONSISTENT:
            made = replace(made, since=before.since, as_of=before.as_of)
        doubts[one.source] = made
    memory = replace(memory, doubts=tuple(sorted(doubts.values(), key=lambda d: d.source)))
    agreeing = list[Pair]()
    for each in judged if speaker is not None and speaker.claim.first in current else ():
        if speaker is not None and each is not speaker and each.believed:
            pair = compare(ask, speaker.claim.first, each.claim.first)
            as_of = pair.print.as_of if pair.chart else max(speaker.claim.as_of, each.claim.as_of)
            if pair.agrees:
                agreeing.append(pair)
                memory = learn(memory, pair, as_of)
    return replace(memory, confirmed=_believed(memory, judged, speaker, agreeing))


def _believed(
    memory: SelectionMemory, judged: Sequence[Judged], speaker: Judged | None, agreeing: Sequence[Pair]
) -> tuple[Confirmed, ...]:
    """Of each source the last print that was believed, and what another market agreed to in its own minute.

    A chart is agreed with as far as the other's print goes: what it tells of later minutes nobody has attested.
    A print that is denied and believed all the same is none to measure the next one by.
    """
    found = {(c.source, c.copied): c for c in memory.confirmed}
    for each in (*judged, *([speaker] if speaker is not None else [])):
        one = each.claim.first
        new = all(source != one.source for source, _ in found)
        if (each.believed and each in judged and not each.claim.denied("candle")) or (each is speaker and new):
            found[one.source, False] = _confirmed(one, one.price, one.as_of, one.contract)
        for pair in agreeing:
            if not pair.by_print and one is pair.print:
                found[one.source, True] = replace(_confirmed(one, one.price, one.as_of, one.contract), copied=True)
            elif not pair.by_print and pair.chart is not None and pair.chart in one.ticks:
                made = _confirmed(one, pair.charted, pair.print.as_of, pair.chart.contract)
                found[one.source, True] = replace(made, copied=True)
    return tuple(sorted(found.values(), key=lambda c: (c.source, c.copied)))


def _confirmed(one: Candidate, price: Decimal, as_of: datetime, contract: Contract | None) -> Confirmed:
    return Confirmed(price, as_of, one.source, contract=contract.code if contract else None)
