"""What speaks for and against a market's print. Markets never print one number: it is moves that are compared.

The difference that two markets had when they corroborated each other is taken out first; it is learnt slowly, and from
such pairs only, so that neither a lasting difference is taken for news nor a lie for a lasting difference.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ticker.calendars import Session, fresh_until
from ticker.quotes import Candidate, PriceType, Quote, Reason, Status
from ticker.selection.evidence import QUIET, Claim, Finding, SelectionInput, agreed, moved, ordinary, silent
from ticker.selection.memory import DOUBTS_LAST, Confirmed, Doubt, Offset, SelectionMemory
from ticker.selection.rules import MARKET, Belief, Judged, Own, decide
from ticker.validate import slips

# Of the instrument's tolerance, how much a known difference may drift, and one that is taken from the last settlements.
_KNOWN, _SETTLED = Decimal("0.2"), Decimal("0.4")
# Pairs after which a difference is known.
_ENOUGH = 3
_SLOWLY = 50
# Equal delivery months, minute by minute; a minute in a wild market moves by a tenth of a percent.
CANDLE = Decimal("0.003")
_SAME_MONTH = timedelta(days=7)  # about New Year five days lie between; months are four weeks apart
# How far a print may lie outside of what its own answer says of it: columns are not written in one instant.
OWN_WORDS = Decimal("0.002")
_BID_OFFER = Decimal("0.005")
_NEIGHBOUR = Decimal("0.02")
_NEIGHBOUR_TIME = timedelta(minutes=30)
# A market alone is believed when it has printed the same for so long.
STANDS = timedelta(minutes=10)
_CONSISTENT = Decimal("0.25")
# The last print of a market at rest had a whole session to be wrong in: only nonsense is held.
_AT_REST = 3


def is_current(ask: SelectionInput, candidate: Candidate) -> bool:
    """Whether the print is on time and its market in session; a pause shorter than the data's delay is none."""
    calendar = ask.calendars[candidate.source]
    if not isinstance(calendar, Session):
        return ask.fresh(candidate)
    lag = calendar.delay + calendar.grace
    on_time = ask.now < candidate.as_of + lag
    return on_time and (calendar.is_open(ask.now, candidate.as_of) or calendar.next_open(ask.now) <= ask.now + lag)


def examine(ask: SelectionInput, one: Candidate, others: Sequence[Candidate], shown: Quote | None) -> Claim:
    """The print with every check that can be made: against `others` on time, and what is `shown` of its own kind."""
    found = [*_against(ask, one, others, shown), *_own_words(one), *_since(ask, one, shown)]
    return Claim((one,), {each.name: each for each in found})


def agrees(ask: SelectionInput, one: Candidate, other: Candidate) -> bool:
    """Whether two markets say the same after the difference they have."""
    off, limit = _off(ask, one, other)
    return off <= limit


def learn(memory: SelectionMemory, one: Candidate, other: Candidate) -> SelectionMemory:
    """With the difference of a pair that has corroborated each other; the more pairs, the slower it moves."""
    name, now = _pair(one, other), max(one.as_of, other.as_of)
    known, ratio = memory.offsets.get(name), one.price / other.price
    if known is not None and known.as_of >= now:
        return memory
    pairs = 1 if known is None else known.pairs + 1
    mean = ratio if known is None else known.ratio + (ratio - known.ratio) / min(pairs, _SLOWLY)
    offsets = {**memory.offsets, name: Offset(round(mean, 6), pairs, now)}
    # Contracts that have expired are not kept for ever.
    newest = sorted(offsets, key=lambda each: offsets[each].as_of)[-12:]
    return replace(memory, offsets={each: offsets[each] for each in newest})


def _pair(one: Candidate, other: Candidate) -> str:
    return "/".join(f"{c.source} {c.contract.code if c.contract else ''}".strip() for c in (one, other))


def _ratio(ask: SelectionInput, one: Candidate, other: Candidate) -> Offset | None:
    """What `one` costs for 1 of `other`, learnt in whichever direction."""
    known = ask.memory.offsets.get(_pair(one, other))
    if known is not None:
        return known
    back = ask.memory.offsets.get(_pair(other, one))
    return None if back is None else Offset(1 / back.ratio, back.pairs, back.as_of)


def _off(ask: SelectionInput, one: Candidate, other: Candidate) -> tuple[Decimal, Decimal]:
    """How far `one` is from where `other` says it should be, and how far it may be, as fractions."""
    known, tolerance = _ratio(ask, one, other), ask.instrument.tolerance
    if known is not None:
        limit = tolerance * (_KNOWN if known.pairs >= _ENOUGH else _SETTLED)
        return moved(one.price, other.price * known.ratio), limit
    if one.previous and other.previous:
        return moved(one.price, other.price * one.previous / other.previous), tolerance * _SETTLED
    return moved(one.price, other.price), tolerance


def _against(ask: SelectionInput, one: Candidate, others: Sequence[Candidate], shown: Quote | None) -> list[Finding]:
    found: list[Finding] = []
    measured = sorted(_off(ask, one, other) for other in others if is_current(ask, other) and is_current(ask, one))
    if measured:
        off, limit = min(measured, key=lambda each: each[0] - each[1])
        found.append(Finding("second_market", off <= limit, off, limit))
    denying = [other for other in others if is_current(ask, other) and not agrees(ask, one, other)]
    if denying and shown is None:
        # At a start: the one that moved an ordinary way since its settlement, where those that deny it did not.
        calm = all(_own_previous(ask, other).holds is False for other in denying)
        found.append(Finding("calmer", calm and _own_previous(ask, one).holds is True))
    minutes = [moved(one.price, price) for other in others for price in _same_minute(ask, one, other)]
    # What the minutes of this one say of another's print, they say of this one too.
    minutes += [moved(other.price, price) for other in others for price in _same_minute(ask, other, one)]
    if minutes:
        limit = CANDLE if shown is not None else 2 * CANDLE
        found.append(Finding("candle", min(minutes) <= limit, min(minutes), limit))
    if shown is not None and shown.price is not None and not _rolled(one, shown):
        limit = CANDLE if minutes else ask.instrument.tolerance * _KNOWN
        limit = min(limit, OWN_WORDS * 2) if any(each.holds is False for each in _own_words(one)) else limit
        step = moved(one.price, _expected(ask, one, shown))
        if not measured or min(measured)[0] <= ask.instrument.tolerance:
            # Of two markets that differ by little the one that prints what it last printed has not moved.
            step = min([step, *(moved(one.price, price) for price in _own_last(ask, one))])
        found.append(Finding("still", step <= limit, step, limit))
    return found


def _own_last(ask: SelectionInput, one: Candidate) -> list[Decimal]:
    """What the source itself printed last that was believed, of the same contract."""
    code = one.contract.code if one.contract else None
    known = (c for c in ask.memory.confirmed if c.source == one.source and c.contract == code)
    return [c.price for c in known if c.as_of <= one.as_of]


def _same_minute(ask: SelectionInput, one: Candidate, other: Candidate) -> list[Decimal]:
    """What `other` printed of the same delivery month around the minute of `one`, as `one` would have printed it."""
    if one.contract is None or one.contract.expires is None:
        return []
    for tick in other.ticks:
        expires = tick.contract.expires if tick.contract else None
        if tick.market is not None and expires is not None and abs(expires - one.contract.expires) <= _SAME_MONTH:
            near = [c.close for c in tick.market.candles if abs(c.at - one.as_of) <= timedelta(seconds=90)]
            known = _ratio(ask, one, other)
            ratio = known.ratio if known is not None and known.pairs >= _ENOUGH else Decimal(1)
            return [close / tick.nominal * ratio for close in near]
    return []


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


def _since(ask: SelectionInput, one: Candidate, shown: Quote | None) -> list[Finding]:
    """The move since what is shown, or at a start and after a roll since its own settlement before."""
    found: list[Finding] = []
    if shown is not None and shown.price is not None and shown.as_of is not None and not _rolled(one, shown):
        expected = _expected(ask, one, shown)
        step, limit = moved(one.price, expected), ordinary(ask, ask.calendars[one.source], shown.as_of, one.as_of)
        found.append(Finding("move", step <= limit, step, limit))
        if slips(one.price, shown.price):
            found.append(Finding("slip", holds=False, figure=one.price / shown.price))
        doubts = [d for d in ask.memory.doubts if d.source == one.source and d.refuted]
        if any(moved(one.price, d.price) < step for d in doubts):
            found.append(Finding("refuted_before", holds=False))
    elif one.previous and one.previous_as_of:
        found.append(_own_previous(ask, one))
    held = [d for d in ask.memory.doubts if d.source == one.source and not d.refuted]
    for doubt in held:
        consistent = moved(one.price, doubt.price) <= ask.instrument.max_move * _CONSISTENT
        long = one.as_of - doubt.as_of >= STANDS
        figure = Decimal(int((one.as_of - doubt.as_of).total_seconds()))
        found.append(Finding("stands_by", consistent and long, figure, Decimal(int(STANDS.total_seconds()))))
    return found


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
    return price if known is None else price * known.ratio


def _rolled(one: Candidate, shown: Quote) -> bool:
    """Whether the source went on to another futures contract: what its old one stood at is of no use then."""
    return one.source == shown.source and one.contract != shown.contract


# The decision.


def judge(ask: SelectionInput) -> Own:
    """What the markets' prints allow, or an indicative rate's."""
    prints = _prints(ask)
    # What the first answer of a start has put there is no measure yet.
    known = ask.shown is not None and ask.shown.source in ask.instrument.sources and ask.memory.confirmed
    shown = ask.shown if known else None
    current = sorted((c for c in prints if is_current(ask, c)), key=ask.rank)
    resting = sorted((c for c in prints if c not in current), key=lambda c: (c.as_of, -ask.rank(c)), reverse=True)
    judged = tuple(_judge(ask, each, prints, shown) for each in (*current, *resting))
    believed = [each for each in judged if each.believed]
    speaker = believed[0] if believed else None
    open_ = judged[: len(current)]
    others = [each for each in open_ if each.believed]
    # Of the markets in session the first that is not believed, where none before it is.
    held = next(iter(open_), None)
    held = None if held is None or held.believed else held
    memory = _learn(ask, open_, speaker, [c for c in prints if c in current])
    asks = _second(ask, held, current) if held is not None else ()
    reason = held.rule.reason if held is not None else None
    if held is not None and others and shown is not None and _patient(ask, held, memory):
        return Own(_kept(ask, shown, reason, prints, stale=False), "kept", judged, memory, asks)
    going_back = speaker is not None and not others and _older(speaker, shown, or_as_old=held is not None)
    if speaker is None or going_back:
        if shown is None and held is not None and held.rule.name == "markets differ" and _nearly(ask, held, prints):
            # Two markets a little apart at a start: the preferred one's number, and not called fresh.
            quote = replace(_print(ask, held.claim.first, prints, reason), status=Status.STALE)
            return Own(quote, held.rule.name, judged, memory, asks)
        if shown is None:
            return Own(Quote(ask.instrument, reason=reason or _still(ask)), "nothing known", judged, memory, asks)
        return Own(_kept(ask, shown, reason, prints, stale=held is not None), "kept", judged, memory, asks)
    quote = _print(ask, speaker.claim.first, prints, reason)
    if held is not None and not others:
        quote = replace(quote, status=Status.STALE, fresh_until=min(ask.now, quote.fresh_until or ask.now))
    return Own(quote.at(ask.now), speaker.rule.name, judged, memory, asks)


def _nearly(ask: SelectionInput, held: Judged, prints: Sequence[Candidate]) -> bool:
    """Whether two markets that differ are within the instrument's tolerance of each other all the same."""
    one = held.claim.first
    others = [c.price for c in prints if c is not one and is_current(ask, c)]
    return any(moved(one.price, price) <= ask.instrument.tolerance for price in others)


def _older(speaker: Judged, shown: Quote | None, *, or_as_old: bool) -> bool:
    if shown is None or shown.as_of is None:
        return False
    return speaker.claim.as_of < shown.as_of or (or_as_old and speaker.claim.as_of == shown.as_of)


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


def _still(ask: SelectionInput) -> Reason | None:
    """Why there is no print at all: answers past their age come from sources that stand still."""
    first = ask.instrument.sources[0]
    return ask.failures.get(first) or (Reason.FROZEN if ask.candidates else None)


def _patient(ask: SelectionInput, held: Judged, memory: SelectionMemory) -> bool:
    """Whether a preferred market has been denied for so short a time that its last good print still stands."""
    since = [d.since for d in memory.doubts if d.source == held.claim.first.source]
    return bool(since) and ask.now - min(since) < QUIET


def _second(ask: SelectionInput, held: Judged, current: Sequence[Candidate]) -> tuple[str, ...]:
    """The other markets on time that have not been asked since the print in doubt came."""
    came = held.claim.first.fetched_at
    others = [c.source for c in current if c.source != held.claim.first.source and c.source not in ask.failures]
    return tuple(source for source in others if ask.asked.get(source, ask.now) < came)


def _print(ask: SelectionInput, one: Candidate, prints: Sequence[Candidate], reason: Reason | None) -> Quote:
    calendar, source = ask.calendars[one.source], one.source
    others = [c for c in prints if c is not one and is_current(ask, c) and is_current(ask, one)]
    near = [c for c in others if agrees(ask, one, c)]
    last = ask.last
    again = last is not None and (last.price, last.as_of, last.source) == (one.price, one.as_of, source)
    if reason is None and others and not near:
        reason = Reason.DISAGREE
    if reason is None and source != ask.instrument.sources[0] and not is_current(ask, one):
        reason = silent(ask)
    quote = Quote(
        instrument=ask.instrument,
        price=one.price,
        price_type=one.price_type,
        previous=one.previous,
        previous_as_of=one.previous_as_of,
        as_of=one.as_of,
        fetched_at=(last.fetched_at if last and again else None) or one.fetched_at,
        checked_at=one.checked_at or one.fetched_at,
        source=source,
        publisher=one.publisher,
        contract=one.contract,
        fallback=source != ask.instrument.sources[0],
        status=Status.FRESH,
        agreement=agreed(one.price, [one.price, *(c.price for c in near)], [one.price, *(c.price for c in others)]),
        fresh_until=_fresh_until(ask, one),
        usable_until=ask.usable_until(one),
    )
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
        due += [each.next_update(as_of, ask.now) for each in kind if isinstance(each, Session)]
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
            dissents = speaker is not None and speaker is not each and each.claim.denied("second_market")
            far = each.claim.findings["second_market"].figure if dissents else None
            if far is not None and far > 2 * ask.instrument.tolerance * Decimal("0.2"):
                # Denied by the market that speaks: alone in the night, it is not believed for saying it again.
                doubts.setdefault(one.source, replace(_print_doubt(ask, one, Reason.DISAGREE), refuted=True))
            elif speaker is each or each.claim.favoured("second_market") or one.source not in doubts:
                doubts.pop(one.source, None)
            continue
        before = doubts.get(one.source)
        fresh = _print_doubt(ask, one, each.rule.reason or Reason.DISAGREE)
        refuted = each.rule.belief is Belief.REFUSED
        same = before is not None and moved(one.price, before.price) <= ask.instrument.max_move * Decimal("0.25")
        if before is not None and (same or before.refuted):
            doubts[one.source] = replace(before, reason=fresh.reason, refuted=before.refuted or refuted)
        else:
            doubts[one.source] = replace(fresh, refuted=refuted)
    memory = replace(memory, doubts=tuple(sorted(doubts.values(), key=lambda d: d.source)))
    believed = {c.source: c for c in memory.confirmed} | {
        each.claim.first.source: _believed_print(each) for each in judged if each.believed
    }
    if speaker is not None:
        believed.setdefault(speaker.claim.first.source, _believed_print(speaker))
    memory = replace(memory, confirmed=tuple(sorted(believed.values(), key=lambda c: c.source)))
    if speaker is not None and speaker.claim.first in current:
        for each in judged:
            if each is not speaker and each.believed and agrees(ask, speaker.claim.first, each.claim.first):
                memory = learn(memory, speaker.claim.first, each.claim.first)
    return memory


def _believed_print(judged: Judged) -> Confirmed:
    one = judged.claim.first
    code = one.contract.code if one.contract else None
    return Confirmed(one.price, one.as_of, one.source, judged.claim.favoured("second_market"), contract=code)


def _print_doubt(ask: SelectionInput, one: Candidate, reason: Reason) -> Doubt:
    code = one.contract.code if one.contract else ""
    return Doubt(one.source, one.price, one.as_of, ask.now, reason, contract=code)
