"""RULES: one literal table, read from the top; the first rule that applies to a claim decides it, and is named.

Each rule tells in a sentence what it does, and the incident that it is for. Fixings and markets have rules of their
own; `evidence` and `markets` make the findings that they ask for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ticker.quotes import Quote, Reason
from ticker.selection.evidence import Claim
from ticker.selection.memory import SelectionMemory


class Belief(StrEnum):
    """What a rule makes of a claim: believed; held until it is confirmed; refused, so that repeating it is no proof.

    A marked one is held and shown all the same, for want of a better one, and never as fresh.
    """

    BELIEVED = "believed"
    MARKED = "marked"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: to which claims it applies, what it makes of them, and why, for a reader."""

    name: str
    belief: Belief
    reason: Reason | None
    applies: Callable[[Claim], bool]
    says: str
    incident: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim and the rule that decided it."""

    claim: Claim
    rule: Rule

    @property
    def believed(self) -> bool:
        """Whether it may be shown as fresh, and others be judged by it."""
        return self.rule.belief is Belief.BELIEVED

    def says(self, source: str) -> bool:
        """Whether `source` is among those who say it."""
        return any(c.source == source for c in self.claim.candidates)


@dataclass(frozen=True, slots=True)
class Own:
    """What the sources of the instrument's own kind allow: the quote, the rule, every claim, and what to remember."""

    quote: Quote
    rule: str
    judged: tuple[Judged, ...]
    memory: SelectionMemory
    ask_now: tuple[str, ...] = ()


_YES, _MARK, _HOLD, _NO = Belief.BELIEVED, Belief.MARKED, Belief.HELD, Belief.REFUSED

# A publisher's table for one date. Of its copies the digits must be equal; where they differ, one of them is wrong.
FIXING: tuple[Rule, ...] = (
    Rule(
        "slip",
        _NO,
        Reason.UNIT,
        lambda c: not c.copied and c.denied("slip"),
        "Ten times or the inverse of the number before, and no copy says so.",
        "The Bank moved the yuan's nominal from 10 to 1 and readers stayed at 10.",
    ),
    Rule(
        "copies agree",
        _YES,
        None,
        lambda c: c.copied and all(c.weight > r.weight and not c.denied("relabelled") for r in c.rivals),
        "More independent copies carry these digits than any others: a jump as well.",
        "2-4 March 2022: +12 % in a day, and true.",
    ),
    Rule(
        "said before and confirmed",
        _YES,
        None,
        lambda c: bool(c.rivals) and _figure(c, "said_before") > 1,
        "It was confirmed by a copy before one of them changed its mind: it stands until another number is confirmed.",
        "A source that begins to err at noon about a table that all had agreed on.",
    ),
    Rule(
        "nothing against it",
        _YES,
        None,
        lambda c: bool(c.rivals) and not c.denied() and all(r.denied() and r.weight <= c.weight for r in c.rivals),
        "Copies differ; something speaks against every other one and nothing against this.",
        "The Bank +12 %, or a digit slip, beside a right mirror: the right number was withheld.",
    ),
    Rule(
        "evidence against it",
        _NO,
        Reason.DISAGREE,
        lambda c: any(r.weight > c.weight or (c.denied() and not r.denied()) for r in c.rivals),
        "Copies differ, and more of them carry other digits, or something speaks against this one alone.",
        "Two tables +12 % wrong in a row: what another copy refuted does not confirm itself.",
    ),
    Rule(
        "dispute",
        _HOLD,
        Reason.DISAGREE,
        lambda c: bool(c.rivals),
        "Copies differ and nobody can tell which of them is wrong: neither is shown as fresh.",
        "The Bank +3 % against its mirror, with nobody else to ask.",
    ),
    Rule(
        "denied before",
        _HOLD,
        Reason.DISAGREE,
        lambda c: (
            (c.denied("refuted_before") and not c.favoured("crosses"))
            or ("disputed_before" in c.findings and not c.favoured("crosses", "quotient"))
        ),
        "Alone, and no nearer to what was believed than to a number that others denied.",
        "A wrong fixing confirmed itself on its second day.",
    ),
    Rule(
        "said before",
        _YES,
        None,
        lambda c: c.favoured("said_before"),
        "It is what was believed for this date before; nobody says otherwise.",
        "A cross-check that changes at 17:00 withdraws no table of the morning.",
    ),
    Rule(
        "relabelled",
        _HOLD,
        Reason.FROZEN,
        lambda c: c.denied("relabelled"),
        "Yesterday's number to the last digit under today's date, and nobody else says so.",
        "A cache that stamps what it has.",
    ),
    Rule(
        "crosses confirm the move",
        _YES,
        None,
        lambda c: c.denied("move") and c.favoured("crosses"),
        "An extraordinary move that two or more other central banks' rates show too.",
        "March 2022 with the Bank and crosses only: the true jumps were never shown.",
    ),
    Rule(
        "crosses deny it",
        _HOLD,
        Reason.DISAGREE,
        lambda c: c.denied("crosses"),
        "Alone, and two or more other central banks' rates of the day are elsewhere.",
        "Two tables 12 % off and two right crosses: the second table made the first one fresh.",
    ),
    Rule(
        "stands by it",
        _YES,
        None,
        lambda c: _stood_by(c) and (not _pair_moved(c) or c.favoured("stands_by_long")),
        "An extraordinary move alone that the source's next publication stands by.",
        "103.2487 and 111.7564 on consecutive days: each true jump reset the hold of the one before.",
    ),
    Rule(
        "stands by a moved pair",
        _MARK,
        Reason.MOVE,
        lambda c: _stood_by(c) and not _pair_moved(c, 2),
        "The same, while the euro over the dollar is not what it was either: a true move, or one slip in two tables.",
        "3 % in the dollar alone for two days, and nobody to ask: the second table made the first one fresh.",
    ),
    Rule(
        "move",
        _HOLD,
        Reason.MOVE,
        lambda c: c.denied("move") or _unmoved(c),
        "An extraordinary move that nobody confirms, or a large one that other banks do not show.",
        "A digit slip at a source that is alone.",
    ),
    Rule(
        "quotient denies it",
        _HOLD,
        Reason.DISAGREE,
        lambda c: c.denied("quotient") and not _near(c, "crosses"),
        "Alone, and the euro over the dollar is not what the European Central Bank says it is.",
        "A slip in the dollar alone, within an ordinary day's move.",
    ),
    Rule(
        "quotient moved",
        _HOLD,
        Reason.MOVE,
        lambda c: c.denied("quotient_before") and not _near(c, "quotient") and not _near(c, "crosses"),
        "Alone, and the euro over the dollar is not what it was in the table before: one of both rows has slipped.",
        "A slip in the dollar alone, while the European Central Bank is away.",
    ),
    Rule(
        "doubted before",
        _HOLD,
        Reason.MOVE,
        lambda c: (
            "doubted_before" in c.findings
            and not c.favoured("crosses", "stands_by", *(["quotient"] if _figure(c, "doubted_before") else []))
        ),
        "It was in doubt, and what spoke against it has gone away without anything that speaks for it.",
        "A restart, or a witness that fell silent, published what was being held.",
    ),
    Rule(
        "alone",
        _YES,
        None,
        lambda _: True,
        "One source, an ordinary move, and nothing against it.",
        "Every day on which the mirror is away.",
    ),
)

# A market's print. Markets never print one number: moves are compared, not digits.
MARKET: tuple[Rule, ...] = (
    Rule(
        "contradicts itself",
        _NO,
        Reason.RANGE,
        lambda c: (
            c.denied("day_range", "change_from_previous", "bid_offer", "neighbour", "own_minutes")
            and (not c.favoured("still") or c.denied("refuted_before", "contradicted_before"))
        ),
        "It moved, out of its own day's range, bid and offer, next contract, minutes, or the change the answer tells.",
        "A wrong LAST beside right LOW, HIGH and LASTTOPREVPRICE.",
    ),
    Rule(
        "slip",
        _NO,
        Reason.UNIT,
        lambda c: c.denied("slip") and not c.favoured("second_market", "candle"),
        "Ten times or the inverse of the number before, and no other market says so.",
        "Another column, or another nominal.",
    ),
    Rule(
        "second market agrees",
        _YES,
        None,
        lambda c: c.favoured("second_market", "candle") and not c.denied("candle", "refuted_before", "disputed_before"),
        "Another market in session moved as this one did.",
        "9 March 2020: -24 % at the opening, and true.",
    ),
    Rule(
        "second market denies it",
        _NO,
        Reason.DISAGREE,
        lambda c: (
            c.denied("second_market", "candle") and (c.denied("path") or (c.denied("still") and not c.favoured("path")))
        ),
        "It moved, and another market in session did not: never believed by time alone.",
        "MOEX +4 %: the lie won after three hours.",
    ),
    Rule(
        "markets differ",
        _HOLD,
        Reason.DISAGREE,
        lambda c: (
            c.denied("second_market", "candle") and "still" not in c.findings and not c.favoured("calmer", "path")
        ),
        "Two markets differ at a start, and nothing tells which of them errs.",
        "A cold start beside a wrong print.",
    ),
    Rule(
        "denied before",
        _HOLD,
        Reason.DISAGREE,
        lambda c: c.denied("refuted_before") or (c.denied("disputed_before") and not _told_apart(c)),
        "Another market denied it, and none has agreed since: falling silent is no agreement, nor is a wide limit met.",
        "A start inside a lie, whose denier fell silent; a lie that goes on when the market that denied it closes.",
    ),
    Rule(
        "ten minutes of it",
        _YES,
        None,
        lambda c: c.denied("move", "own_previous") and c.favoured("stands_by"),
        "An extraordinary move of the only market in session, printed consistently for ten minutes.",
        "9 March 2020, a Russian holiday: 33.90 abroad, Friday's 45.30 here.",
    ),
    Rule(
        "stood where it stands",
        _MARK,
        Reason.MOVE,
        lambda c: c.denied("move", "own_previous") and c.favoured("stood"),
        "An extraordinary move of the only market in session, first heard of, which stood there ten minutes ago too.",
        "Begun at 14:00 on 9 March 2020: Friday's 45.30 stood for ten minutes beside an hour and a half at 33.90.",
    ),
    Rule(
        "move",
        _HOLD,
        Reason.MOVE,
        lambda c: c.denied("move", "own_previous"),
        "An extraordinary move of the only market in session.",
        "One print of nonsense.",
    ),
    Rule(
        "in session",
        _YES,
        None,
        lambda _: True,
        "The preferred market that is in session and on time, or the newest print while all rest; nothing against it.",
        "Two open markets never alternate.",
    ),
)


def decide(claim: Claim, rules: tuple[Rule, ...]) -> Rule:
    """The first of `rules` that applies to the claim."""
    return next(rule for rule in rules if rule.applies(claim))


def _stood_by(claim: Claim) -> bool:
    """Whether it was in doubt for its move alone, and its source's next publication is of the same mind."""
    doubted = claim.denied("move") or _unmoved(claim) or "doubted_before" in claim.findings
    return doubted and claim.favoured("stands_by") and not claim.denied("quotient")


def _pair_moved(claim: Claim, limits: int = 1) -> bool:
    """Whether the euro over the dollar moved by more than so many limits since the table before, and only here."""
    return claim.denied("quotient_before") and claim.share("quotient_before") > limits and not _near(claim, "quotient")


def _near(claim: Claim, name: str) -> bool:
    """Whether it is so near to what others say that this outweighs the table before: within half of the limit."""
    return name in claim.findings and 2 * claim.share(name) < 1


def _told_apart(claim: Claim) -> bool:
    """Whether two markets are in dispute now, and their ways since they last agreed speak for this one."""
    return claim.denied("second_market", "candle") and claim.favoured("path", "still") and not claim.denied("path")


def _unmoved(claim: Claim) -> bool:
    """Whether it moved by more than two central banks' rates differ from it, and these show nothing of it yet."""
    move, crosses = claim.findings.get("move"), claim.findings.get("crosses")
    if move is None or crosses is None or crosses.holds is not None or move.figure is None or crosses.limit is None:
        return False
    return move.figure > crosses.limit


def _figure(claim: Claim, name: str) -> int:
    found = claim.findings.get(name)
    return int(found.figure or 0) if found is not None else 0
