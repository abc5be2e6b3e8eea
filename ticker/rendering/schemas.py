"""The wire: one pydantic model for each object that is sent. It is what is encoded, and what the OpenAPI schema says.

A model's `of` makes it from the values of the house. Moments are RFC 3339 to the second: what a source dates in the
source's own offset, what the service itself says in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from operator import not_
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

from babel import Locale
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema

from ticker import quotes as values
from ticker.calendars import AHEAD, Calendar, Session
from ticker.convert import Conversion, Leg
from ticker.convert import rounded as rounded_fraction
from ticker.health import Health
from ticker.quotes import PriceType, Reason, Status
from ticker.rendering import locales
from ticker.rendering.words import cadence_text, calendar_text, trading_hours
from ticker.settings.models import Settings, SourceSettings

# Digits after the point of a conversion's rate: enough to carry any sane amount.
RATE_DIGITS = 12
_REFERENCE = "#/components/schemas/"
_SUFFIX = "Schema"

T = TypeVar("T")


def seconds(span: timedelta) -> Decimal:
    """A span in seconds, exact to the millisecond."""
    return Decimal(span // timedelta(milliseconds=1)).scaleb(-3).normalize()


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in the source's own offset, to the second."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def utc(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(kind: type[T], write: Callable[[T], object]) -> BeforeValidator:
    """Writes what is of `kind`; anything else stands as it is sent already."""
    return BeforeValidator(lambda value: write(value) if isinstance(value, kind) else value)


# A moment in the source's own offset, and one in UTC.
Timestamp: TypeAlias = Annotated[str, _written(datetime, stamp), Field(json_schema_extra={"format": "date-time"})]
UtcMoment: TypeAlias = Annotated[str, _written(datetime, utc), Field(json_schema_extra={"format": "date-time"})]
Day: TypeAlias = Annotated[str, _written(date, date.isoformat), Field(json_schema_extra={"format": "date"})]
HourMinute: TypeAlias = Annotated[str, _written(time, "{:%H:%M}".format)]
# A JSON number with the digits that the source wrote; pydantic refuses one that is not finite.
Number: TypeAlias = Annotated[Decimal, WithJsonSchema({"type": "number"})]
Percent: TypeAlias = Annotated[Number, _written(Decimal, partial(locales.rounded, decimals=2))]
Seconds: TypeAlias = Annotated[Number, _written(timedelta, seconds)]
# Left out where it is false.
Demo: TypeAlias = Annotated[
    bool, Field(exclude_if=not_, description="true where the numbers are invented; absent otherwise")
]


class Schema(BaseModel):
    """What all models share: an unknown member is refused, and nothing is changed once it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, serialize_by_alias=True)

    @classmethod
    def read(cls, value: object, **others: object) -> Self:
        """From `others`, and from the attributes of `value` that have the names of the remaining members."""
        found = {name: getattr(value, name) for name in cls.model_fields if name not in others and hasattr(value, name)}
        return cls.model_validate(found | others)


class AgreementSchema(Schema):
    """How many sources say the same, and how far apart they are."""

    sources: int = Field(description="sources within the instrument's tolerance, the shown one among them")
    spread_percent: Percent = Field(description="between the highest and the lowest comparable source, in percent")
    low: Number | None = Field(description="the lowest of the sources that agree")
    high: Number | None = Field(description="the highest of the sources that agree")


class ContractSchema(Schema):
    """The future whose price it is."""

    code: str = Field(description="as the exchange writes it")
    expires: Day | None = Field(description="its last day of trading")


class UpcomingSchema(Schema):
    """A fixing that is published and not in force yet; at `as_of` it becomes the price."""

    price: Number
    as_of: Timestamp
    change: Number | None = Field(description="from the number that is in force until then")
    change_percent: Percent | None
    source: str
    confirmed: bool = Field(description="whether an independent copy says the same")
    reason: Reason | None = Field(description="why nobody should count on it; null where all is well")


class OverrideSchema(Schema):
    """An editor's hand on the quote."""

    mode: Literal["freeze", "price", "hide"] = Field(
        description="freeze: the number stays; price: it is the editor's; hide: none is shown"
    )
    note: str = Field(description="why, in the editor's words")
    since: UtcMoment
    until: UtcMoment
    by: str = Field(description="whose hand it is")


class UpcomingDisplaySchema(Schema):
    """The number to come as text."""

    price: str
    change: str | None
    as_of: str = Field(description="its date")


class DisplaySchema(Schema):
    """The quote as text, rounded once, in the language asked for; null where there is no number."""

    label: str
    price: str | None
    change: str | None
    upcoming: UpcomingDisplaySchema | None = Field(
        default=None, exclude_if=lambda value: value is None, description="there only where a number is to come"
    )

    @classmethod
    def of(cls, quote: values.Quote, locale: Locale) -> DisplaySchema:
        """The quote as readers of `locale` see it."""
        what, percent, upcoming = quote.instrument, quote.change_percent, quote.upcoming
        return cls(
            label=locales.chosen(what.label, locale, quote.symbol),
            price=None if quote.price is None else locales.number(quote.price, what.decimals, locale),
            change=None if percent is None else locales.change(percent, locale),
            upcoming=None
            if upcoming is None
            else UpcomingDisplaySchema(
                price=locales.number(upcoming.price, what.decimals, locale),
                change=None if upcoming.change_percent is None else locales.change(upcoming.change_percent, locale),
                as_of=locales.day(upcoming.as_of, locale),
            ),
        )


class QuoteSchema(Schema):
    """One instrument's published number with where it is from and how old it is."""

    symbol: str
    name: str
    base: str
    quote: str
    unit: str
    price: Number | None
    price_type: PriceType | None
    previous: Number | None
    previous_as_of: Timestamp | None
    change: Number | None
    change_percent: Percent | None
    as_of: Timestamp | None
    fetched_at: UtcMoment | None
    next_update_at: UtcMoment | None
    source: str | None
    fallback: bool
    status: Status
    reason: Reason | None
    agreement: AgreementSchema | None
    market: Literal["open", "closed"] | None = Field(
        description="whether the market that speaks is in session; null for what no market makes"
    )
    contract: ContractSchema | None = Field(description="of a future's price")
    upcoming: UpcomingSchema | None = Field(description="the fixing that is published and not in force yet")
    override: OverrideSchema | None = Field(description="while an editor holds the instrument")
    checked_at: UtcMoment | None = Field(description="when a source last said this number")
    valid_until: UtcMoment | None = Field(description="after which, if nothing more is heard, this may be untrue")
    display: DisplaySchema
    demo: Demo = False

    @classmethod
    def of(cls, quote: values.Quote, locale: Locale, *, demo: bool = False) -> Self:
        """The quote as readers of `locale` see it."""
        what = quote.instrument
        return cls.read(
            quote,
            name=name_of(what, locale),
            base=what.base,
            quote=what.quote,
            unit=what.unit,
            display=DisplaySchema.of(quote, locale),
            demo=demo,
        )


class BoardSchema(Schema):
    """All quotes of one snapshot; `status` is the worst of theirs."""

    version: int
    generated_at: UtcMoment
    valid_until: UtcMoment | None = Field(
        description="after which, if nothing more is heard, one of them may be untrue"
    )
    status: Status
    quotes: tuple[QuoteSchema, ...]
    demo: Demo = False

    @classmethod
    def of(cls, snapshot: values.Snapshot, quotes: Iterable[values.Quote], locale: Locale) -> Self:
        """A board of `quotes` cut from `snapshot`."""
        shown = tuple(quotes)
        return cls.read(
            snapshot,
            valid_until=valid_until(shown),
            status=values.worst(quote.status for quote in shown),
            quotes=[QuoteSchema.of(quote, locale, demo=snapshot.demo) for quote in shown],
        )


class PointSchema(Schema):
    """One number of the past."""

    as_of: Timestamp
    price: Number
    price_type: PriceType
    source: str
    fetched_at: UtcMoment
    revision: int = Field(description="how often this date was corrected; `at` a moment before it tells what was shown")


class HistorySchema(Schema):
    """One instrument's series, in the order asked for."""

    symbol: str
    interval: str
    order: Literal["asc", "desc"] = Field(description="asc: oldest first; desc: newest first")
    source: str | None = Field(description="the one source asked for")
    price_type: PriceType | None = Field(description="the kind of all points; null where there are none")
    from_: str | None = Field(serialization_alias="from")
    to: str | None
    next: str | None = Field(description="the `cursor` of the next page; null at the end")
    since: Timestamp | None = Field(description="the oldest date kept of the instrument")
    points: tuple[PointSchema, ...]
    demo: Demo = False


class HistoriesSchema(Schema):
    """The series of several instruments."""

    series: tuple[HistorySchema, ...]
    demo: Demo = False


class FindingSchema(Schema):
    """One check of what a source said; figure and limit are fractions (0.02 is 2 %)."""

    name: str
    holds: bool | None = Field(description="null where it cannot be told")
    figure: Number | None
    limit: Number | None


class AnswerSchema(Schema):
    """Which bytes a number came in."""

    sha256: str
    size: int


class WitnessSchema(Schema):
    """One source in a decision: its own words first, then ours, then what was made of them."""

    source: str
    verdict: Literal["spoke", "agrees", "dissents", "held", "refused", "late", "silent"] = Field(
        description="what was made of its newest number"
    )
    reason: Reason | None
    raw: str | None = Field(description="the price as it stood in the answer")
    nominal: int | None
    price: Number | None
    price_type: PriceType | None
    as_of: Timestamp | None
    fetched_at: Timestamp | None
    checked_at: Timestamp | None
    contract: ContractSchema | None
    answer: AnswerSchema | None
    checks: tuple[FindingSchema, ...]
    withheld: bool = Field(default=False, exclude_if=not_, description="its terms forbid that its values are told")


class RuleSchema(Schema):
    """The rule that decided, by name, and what it says."""

    name: str
    says: str | None


class MakerSchema(Schema):
    """Which program decided, by which rules."""

    version: str
    rules: str = Field(description="SHA-256 over the rules")


class EvidenceSchema(Schema):
    """Why a number is shown: what every source said, the verdict on each, and the rule that decided."""

    symbol: str
    version: int
    decided_at: Timestamp
    price: Number | None
    as_of: Timestamp | None
    status: Status
    reason: Reason | None
    source: str | None
    rule: RuleSchema
    sources: tuple[WitnessSchema, ...]
    made_by: MakerSchema
    inputs: Mapping[str, Any] | None = Field(
        description="all that the decision depended on; null where values are withheld"
    )
    digest: str = Field(description="SHA-256 over all the rest")
    withheld: tuple[str, ...] = Field(default=(), exclude_if=not_, description="whose values are left out")
    demo: Demo = False


class CorrectionSchema(Schema):
    """One entry of the public record: what stood on the board, and how that was found out."""

    symbol: str
    kind: str = Field(
        description="wrong (told otherwise since), late (marked as old), missing or edited (by an editor's hand)"
    )
    shown: Number | None
    right: Number | None
    as_of: Timestamp | None
    source: str | None
    from_: UtcMoment = Field(serialization_alias="from")
    to: UtcMoment | None = Field(description="null while it lasts")
    seconds: int | None = Field(description="how long it stood; null while it lasts")
    found_by: str = Field(description="re-issue, confirmed number, calendar or editor")
    material: bool = Field(description="whether it was off by the bound named in the answer, or more")
    note: str | None


class SummarySchema(Schema):
    """The error record of one instrument: seconds of the range that were of each kind."""

    right: int
    wrong: int
    late: int
    missing: int
    edited: int


class CorrectionsSchema(Schema):
    """The public record, the newest entry first, and the seconds of the range by instrument."""

    corrections: tuple[CorrectionSchema, ...]
    summary: Mapping[str, SummarySchema]
    from_: UtcMoment = Field(serialization_alias="from")
    to: UtcMoment
    material: Number = Field(description="from this fraction on an error is marked as material")
    demo: Demo = False


class LegSchema(Schema):
    """One quote on the way."""

    symbol: str
    base: str
    quote: str
    operation: Literal["multiply", "divide"] = Field(description="what was done with the price")
    price: Number | None
    price_type: PriceType | None
    as_of: Timestamp | None
    fetched_at: UtcMoment | None
    source: str | None
    fallback: bool
    status: Status
    reason: Reason | None

    @classmethod
    def of(cls, leg: Leg) -> Self:
        """One step of a conversion."""
        what, operation = leg.quote.instrument, "multiply" if leg.forward else "divide"
        return cls.read(leg.quote, base=what.base, quote=what.quote, operation=operation)


class ConversionSchema(Schema):
    """An amount in another unit through the board's own quotes; `result` is null where one of them is not known."""

    amount: Number
    from_: str = Field(serialization_alias="from")
    to: str
    result: Number | None = Field(description="exact, then rounded half up to `precision` digits after the point")
    rate: Number | None = Field(
        description=f"what one unit is worth, to {RATE_DIGITS} digits after the point; the result is not made from it"
    )
    precision: int
    status: Status = Field(description="the worst of the quotes used")
    as_of: Timestamp | None = Field(description="of when the oldest of the prices used is")
    version: int
    generated_at: UtcMoment
    path: tuple[LegSchema, ...] = Field(description="the quotes used, in their order; none from a code to itself")
    demo: Demo = False

    @classmethod
    def of(
        cls,
        snapshot: values.Snapshot,
        found: Conversion,
        *,
        amount: Decimal,
        codes: tuple[str, str],
        precision: int,
    ) -> Self:
        """`amount` of the first of `codes` in the second, with `precision` digits after the point."""
        rate = found.rate
        return cls.read(
            snapshot,
            amount=amount,
            from_=codes[0],
            to=codes[1],
            result=None if rate is None else rounded_fraction(Fraction(amount) * rate, precision),
            rate=None if rate is None else _without_zeros(rounded_fraction(rate, RATE_DIGITS)),
            precision=precision,
            status=found.status,
            as_of=found.as_of,
            path=[LegSchema.of(leg) for leg in found.legs],
        )


class HoursSchema(Schema):
    """One session of a market; over midnight where it does not close after it opens."""

    days: str = Field(description="weekdays on which it opens")
    opens: HourMinute = Field(description="HH:MM")
    closes: HourMinute = Field(description="HH:MM")


class ExceptionSchema(Schema):
    """A day on which a calendar is not as its rule says."""

    day: Day
    note: str


class CalendarSchema(Schema):
    """When a number appears and when it is late; hours are local to `zone`."""

    id: str
    kind: str = Field(description="publication: a table at an hour; session: a market between two hours")
    zone: str = Field(description="IANA time zone")
    days: str
    holidays: str | None = Field(description="whose holidays are no working days: ISO 3166 or a market's code")
    at: HourMinute | None = Field(description="HH:MM, of a publication")
    opens: str | None = Field(description="HH:MM, of a session")
    closes: str | None = Field(description="HH:MM, of a session")
    delay_seconds: Seconds | None = Field(description="by which free data of a session are late")
    grace_seconds: Seconds = Field(
        description="after which a table that was due is late, and the last print of an open market stale"
    )
    sessions: tuple[HoursSchema, ...] = Field(description="of a session, every one of the week")
    exceptions: tuple[ExceptionSchema, ...] = Field(description="those of the next 60 days")
    covered_until: Day | None = Field(
        description="last day whose dated facts are known; null where there are none to know"
    )
    facts: tuple[str, ...] = Field(description="where the facts are from")
    text: str = Field(description="the same in words")

    @classmethod
    def of(cls, name: str, calendar: Calendar, day: date, locale: Locale) -> Self:
        """The calendar of that name as it is on `day`, its sentence in the language of `locale`."""
        market = calendar if isinstance(calendar, Session) else None
        days, opens, closes = trading_hours(market, day)[0] if market else (calendar.days, None, None)
        # Of two exceptions for one day the later one holds.
        exceptions = {when: each.note for each in calendar.exceptions for when in each.days}
        return cls.read(
            calendar,
            id=name,
            zone=str(calendar.zone),
            days=days,
            at=None if isinstance(calendar, Session) else calendar.at,
            opens=opens,
            closes=closes,
            delay_seconds=market.delay if market else None,
            grace_seconds=calendar.grace,
            sessions=market.timetable(day).sessions if market else (),
            exceptions=[
                ExceptionSchema(day=when.isoformat(), note=note)
                for when, note in sorted(exceptions.items())
                if day <= when < day + AHEAD
            ],
            text=calendar_text(calendar, day, locale),
        )


class CadenceSchema(Schema):
    """How often the source is asked: `every_seconds`, or the lines of `cron` in `zone`."""

    every_seconds: Seconds | None
    cron: tuple[str, ...]
    zone: str
    jitter_seconds: Seconds
    requests_per_hour: int = Field(description="never exceeded")
    text: str = Field(description="the same in words")

    @classmethod
    def of(cls, source: SourceSettings, locale: Locale) -> Self:
        """The cadence of a source, its sentence in the language of `locale`."""
        schedule = source.schedule
        return cls.read(
            schedule,
            every_seconds=schedule.every,
            zone=str(schedule.zone),
            jitter_seconds=schedule.jitter,
            requests_per_hour=source.budget,
            text=cadence_text(source, locale),
        )


class InstrumentSchema(Schema):
    """One instrument: what its number means and the rules it obeys."""

    symbol: str
    label: str
    name: str
    base: str
    quote: str
    unit: str
    decimals: int = Field(description="digits after the point where it is shown")
    sources: tuple[str, ...] = Field(description="of its own kind, in order of preference")
    fallbacks: tuple[str, ...] = Field(description="of another kind; shown only where its own kind has long been stale")
    rate: Literal["in_force", "latest"] = Field(description="which fixing is shown: in force, or the newest published")
    required: bool = Field(description="whether the service is ready only with it")
    max_age_seconds: Seconds = Field(description="after which a number that is not renewed is withdrawn")
    max_move: Number = Field(description="the largest believable step, as a fraction, without a second source")
    tolerance: Number = Field(description="within which sources agree, as a fraction")
    calendar: CalendarSchema
    status: Status

    @classmethod
    def of(cls, quote: values.Quote, settings: Settings, day: date, locale: Locale) -> Self:
        """The instrument of `quote`, with the calendar that decides when it is late, as it is on `day`."""
        what = quote.instrument
        name, calendar = settings.calendar_name(what.symbol), settings.calendar_of(what.symbol)
        return cls.read(
            what,
            label=locales.chosen(what.label, locale, what.symbol),
            name=name_of(what, locale),
            max_age_seconds=what.max_age,
            calendar=CalendarSchema.of(name, calendar, day, locale),
            status=quote.status,
        )


class InstrumentCatalogueSchema(Schema):
    """All instruments, in the order of the configuration."""

    instruments: tuple[InstrumentSchema, ...]
    demo: Demo = False

    @classmethod
    def of(cls, snapshot: values.Snapshot, settings: Settings, locale: Locale) -> InstrumentCatalogueSchema:
        """The catalogue of what is quoted."""
        day = snapshot.generated_at.date()
        rows = (InstrumentSchema.of(each, settings, day, locale) for each in snapshot.quotes)
        return cls(instruments=tuple(rows), demo=snapshot.demo)


class SourceSchema(Schema):
    """One source: whose numbers they are, on what terms, when it is asked and how it fares."""

    id: str
    attribution: str = Field(description="how its publisher is to be named")
    terms_url: str | None = Field(description="what its publisher allows")
    instruments: tuple[str, ...] = Field(description="that it feeds")
    checks: tuple[str, ...] = Field(description="that it is a measure for")
    cadence: CadenceSchema
    calendar: CalendarSchema
    up: bool | None = Field(description="whether the last poll succeeded; null before the first one has ended")
    reason: Reason | None = Field(description="why the last poll failed")
    failures_in_a_row: int
    last_success_at: UtcMoment | None
    last_failure_at: UtcMoment | None
    next_poll_at: UtcMoment | None

    @classmethod
    def of(cls, name: str, settings: Settings, health: Health, day: date, locale: Locale) -> Self:
        """The source of that name as it fares now, with its calendar as it is on `day`."""
        source = settings.sources[name]
        return cls.read(
            health,
            id=name,
            attribution=locales.chosen(source.attribution, locale, name),
            terms_url=source.terms_url,
            instruments=settings.instruments_fed(name),
            checks=settings.checks_fed(name),
            cadence=CadenceSchema.of(source, locale),
            calendar=CalendarSchema.of(source.calendar, settings.calendars[source.calendar], day, locale),
            failures_in_a_row=health.in_a_row,
            last_success_at=health.last_success,
            last_failure_at=health.last_failure,
            next_poll_at=health.next_poll,
        )


class SourceCatalogueSchema(Schema):
    """All sources that are asked."""

    sources: tuple[SourceSchema, ...]
    demo: Demo = False

    @classmethod
    def of(
        cls, health: Mapping[str, Health], settings: Settings, day: date, locale: Locale, *, demo: bool
    ) -> SourceCatalogueSchema:
        """The catalogue of who is asked, with the calendars as they are on `day`."""
        asked = ((name, each) for name, each in health.items() if name in settings.sources)
        return cls(sources=tuple(SourceSchema.of(name, settings, each, day, locale) for name, each in asked), demo=demo)


class ProblemSchema(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="a sentence with the mend")
    parameter: Annotated[
        str | None, WithJsonSchema({"type": "string"}), Field(description="the parameter at fault")
    ] = None
    allowed: Annotated[
        tuple[str, ...] | None,
        WithJsonSchema({"type": "array", "items": {"type": "string"}}),
        Field(description="what it may be"),
    ] = None
    since: Timestamp | None = Field(default=None, description="where history begins, for a moment before it")
    demo: Demo = False

    def members(self) -> dict[str, Any]:
        """What is sent: the members that were given, `since` even where it is null."""
        return self.model_dump(exclude_unset=True)


class AliveSchema(Schema):
    """Whether the process is worth keeping."""

    status: str
    demo: Demo = False


class ReadyInstrumentSchema(Schema):
    """One instrument as a probe's reader sees it."""

    status: Status
    reason: Reason | None
    required: bool
    source: str | None
    as_of: Timestamp | None


class ReadySourceSchema(Schema):
    """One source as a probe's reader sees it."""

    up: bool | None = Field(description="whether the last poll succeeded; null before the first one has ended")
    reason: Reason | None = Field(description="why the last poll failed")
    failures_in_a_row: int
    last_success: UtcMoment | None
    next_poll: UtcMoment | None


class ReadinessSchema(Schema):
    """Whether there is a snapshot to show, even one with gaps; each instrument and source as it stands."""

    status: str = Field(description="ready, loading or draining")
    missing: tuple[str, ...] = Field(description="those that are required and have no usable number")
    instruments: dict[str, ReadyInstrumentSchema] = Field(description="by symbol")
    sources: dict[str, ReadySourceSchema] = Field(description="by id")
    demo: Demo = False


def components() -> dict[str, Any]:
    """The schemas of the OpenAPI document by name, with those that `fields` and `shape` make of them."""
    _, made = TypeAdapter[Any].json_schemas(
        [(each.__name__, "serialization", TypeAdapter[Any](each)) for each in _ANSWERS],
        ref_template=f"{_REFERENCE}{{model}}",
    )
    found = {name.removesuffix(_SUFFIX): _renamed(schema) for name, schema in made["$defs"].items()}
    found["QuotePart"] = found["Quote"] | {
        "title": "QuotePart",
        "description": "The fields of a quote that `fields` named.",
    }
    del found["QuotePart"]["required"]
    found["BoardPart"] = found["Board"] | {
        "title": "BoardPart",
        "description": "The board with the fields that `fields` named.",
        "properties": found["Board"]["properties"] | {"quotes": {"type": "array", "items": reference("QuotePart")}},
    }
    found["PriceMap"] = {
        "title": "PriceMap",
        "description": "By symbol the price alone, or the fields that `fields` named; `demo` is true in a demo.",
        "type": "object",
        "additionalProperties": {
            "anyOf": [{"type": "number"}, {"type": "null"}, reference("QuotePart"), {"type": "boolean"}]
        },
    }
    return found


def reference(name: str) -> dict[str, str]:
    """A reference to a component of the OpenAPI document."""
    return {"$ref": f"{_REFERENCE}{name}"}


def name_of(what: values.Instrument, locale: Locale) -> str:
    """The instrument's name: the configuration's in that language, else CLDR's of the currency, else the English."""
    found = locales.own(what.name, locale) or locales.currency(what.base, locale)
    return found or locales.chosen(what.name, locale, what.symbol)


def valid_until(quotes: Iterable[values.Quote]) -> datetime | None:
    """The moment after which, if nothing more is heard, one of `quotes` may be untrue."""
    return min(filter(None, (quote.valid_until for quote in quotes)), default=None)


def _without_zeros(value: Decimal) -> Decimal:
    """The same number without the zeros that the last rounding left."""
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def _renamed(tree: Any) -> Any:  # noqa: ANN401 - a JSON tree
    """The schema under the names that the document has for the models, with room for the members of later versions."""
    if isinstance(tree, dict):
        # The default of a member that may be absent is no value of it.
        left_out = (("default", None), ("additionalProperties", False))
        return {key: _renamed(value) for key, value in tree.items() if (key, value) not in left_out}
    if isinstance(tree, list):
        return [_renamed(item) for item in tree]
    return tree.removesuffix(_SUFFIX) if isinstance(tree, str) else tree


_ANSWERS = (
    QuoteSchema,
    BoardSchema,
    HistorySchema,
    HistoriesSchema,
    EvidenceSchema,
    CorrectionsSchema,
    ConversionSchema,
    InstrumentCatalogueSchema,
    SourceCatalogueSchema,
    ProblemSchema,
    AliveSchema,
    ReadinessSchema,
)
