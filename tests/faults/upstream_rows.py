"""Faults of upstreams: of the line to them, and of what HTTP says. Each is brought about at every source at once."""

from __future__ import annotations

from tests.support.defences import Fault, Mutation

_LIFE = "tests/faults/test_upstreams.py::test_a_fault_of_every_upstream_changes_no_number[{}]"
_TLS = "tests/faults/test_tls.py::test_a_wrong_certificate_is_not_believed[{}]"
_KEPT = "the last numbers, in time `stale`, in time `—`; everywhere `{}`"
_NO_TIME_OUT = Mutation(
    "ticker.fetch:Fetcher.get", "asyncio.timeout(call.timeout.total_seconds())", "asyncio.timeout(None)"
)
_NAMED = Mutation("ticker.fetch:Fetcher.get", "(aiohttp.ClientError, OSError, ValueError)", "ValueError")
_STATUS = Mutation("ticker.fetch:check_status", "status == 200", "status < 600")
_ANYWHERE = Mutation(
    "ticker.fetch:_next_hop",
    "not location or onward.scheme not in {'http', 'https'} or (not _same_place(start, onward))",
    "not location",
)
_UNVERIFIED = Mutation(
    "ticker.fetch:Fetcher.__aenter__",
    "aiohttp.TCPConnector(limit=32, limit_per_host=4, resolver=self._resolver)",
    "aiohttp.TCPConnector(ssl=False, limit=32, limit_per_host=4, resolver=self._resolver)",
)

UPSTREAMS: tuple[Fault, ...] = (
    Fault("connection refused", "nobody listens", _KEPT.format("connect"), _LIFE.format("refused"), _NAMED),
    Fault("connection reset", "RST after the request", _KEPT.format("connect"), _LIFE.format("reset"), _NAMED),
    Fault("hung up", "closed without a byte", _KEPT.format("connect"), _LIFE.format("close"), _NAMED),
    Fault("black hole", "a port that drops SYN", _KEPT.format("timeout"), _LIFE.format("black hole"), _NO_TIME_OUT),
    Fault("never answers", "accepted, then silence", _KEPT.format("timeout"), _LIFE.format("hang"), _NO_TIME_OUT),
    Fault("latency", "a whole answer, too late", _KEPT.format("timeout"), _LIFE.format("latency:5"), _NO_TIME_OUT),
    Fault("byte drip", "a byte every 50 ms", _KEPT.format("timeout"), _LIFE.format("drip:0.05"), _NO_TIME_OUT),
    Fault(
        "truncated",
        "half of the announced length",
        _KEPT.format("parse"),
        _LIFE.format("truncate"),
        Mutation("ticker.fetch:_FAMILIES", "(aiohttp.ClientPayloadError, Reason.PARSE)", ""),
    ),
    Fault(
        "garbage",
        "200, bytes of no encoding",
        _KEPT.format("encoding"),
        _LIFE.format("garbage"),
        Mutation("ticker.sources.base:text_of", "body.decode(encoding)", "body.decode(encoding, 'replace')"),
    ),
    Fault(
        "empty",
        "200, no byte",
        _KEPT.format("parse"),
        _LIFE.format("empty"),
        Mutation(
            "ticker.sources.base:as_json",
            "raise SourceError(Reason.PARSE, f'not JSON: {error}') from error",
            "return {}",
        ),
    ),
    Fault(
        "HTML with 200",
        "a guard's page instead of data",
        _KEPT.format("blocked"),
        _LIFE.format("html"),
        Mutation(
            "ticker.sources.base:text_of",
            "_PAGE.match(body[:512].removeprefix(_BOM))",
            "not body and _PAGE.match(body[:512].removeprefix(_BOM))",
        ),
    ),
    Fault(
        "renamed fields",
        "a name of the format reversed",
        _KEPT.format("schema"),
        _LIFE.format("renamed"),
        Mutation("ticker.sources.base:schema", "Reason.SCHEMA", "Reason.PARSE"),
    ),
    Fault(
        "500 and 503",
        "the status",
        _KEPT.format("http_5xx"),
        _LIFE.format("status:500"),
        Mutation("ticker.fetch:check_status", "500", "600"),
    ),
    Fault(
        "a burst of 500",
        "without end, polled every 50 ms",
        "the copy's numbers; never more requests than the hour's budget",
        "tests/faults/test_timetable.py::test_a_burst_of_500_is_not_answered_with_a_burst_of_requests",
        Mutation("ticker.scheduling:Plan.soonest", "self._affordable(now, requests)", "now"),
    ),
    Fault(
        "429, `Retry-After` in seconds",
        "the header",
        "the copy's numbers; not asked again before",
        "tests/faults/test_timetable.py::test_retry_after_is_obeyed[seconds]",
        Mutation("ticker.scheduling:Plan.soonest", "state.retry_at or now", "now"),
    ),
    Fault(
        "429, `Retry-After` as a date",
        "the header",
        "the copy's numbers; not asked again before",
        "tests/faults/test_timetable.py::test_retry_after_is_obeyed[date]",
        Mutation("ticker.fetch:retry_after", "wait = parsedate_to_datetime(value) - now", "return None"),
    ),
    Fault("403", "the status", _KEPT.format("http_4xx"), _LIFE.format("status:403"), _STATUS),
    Fault("404", "the status", _KEPT.format("http_4xx"), _LIFE.format("status:404"), _STATUS),
    Fault(
        "redirect loop",
        "302 to itself",
        _KEPT.format("blocked"),
        _LIFE.format("redirect:/cbr/loop"),
        Mutation(
            "ticker.fetch:Fetcher._follow",
            "range(_REDIRECTS + 1)",
            "range(1_000_000)",
        ),
    ),
    Fault(
        "redirect to another host",
        "302 to a server that has the answer",
        "as above; the other is never asked",
        "tests/faults/test_upstreams.py::test_a_redirect_is_not_followed_to_another_host",
        _ANYWHERE,
    ),
    Fault(
        "redirect to a file",
        "302 to `file:///etc/passwd`",
        _KEPT.format("blocked"),
        _LIFE.format("redirect:file:///etc/passwd"),
        _ANYWHERE,
    ),
    Fault(
        "redirect to link-local",
        "302 to a cloud's metadata",
        _KEPT.format("blocked"),
        _LIFE.format("redirect:http://169.254.169.254/latest/meta-data/"),
        _ANYWHERE,
    ),
    Fault(
        "DNS failure",
        "an `/etc/hosts` without the name, then with it",
        "`dns` everywhere; numbers as soon as there is an address",
        "tests/faults/test_tls.py::test_a_name_that_nobody_knows_is_a_dns_failure_until_somebody_does",
        Mutation("ticker.fetch:_FAMILIES", "(aiohttp.ClientConnectorDNSError, Reason.DNS)", ""),
    ),
    Fault("TLS: self-signed", "a certificate", "`tls` everywhere", _TLS.format("self-signed"), _UNVERIFIED),
    Fault("TLS: expired", "a certificate", "`tls` everywhere", _TLS.format("expired"), _UNVERIFIED),
    Fault("TLS: another host's", "a certificate", "`tls` everywhere", _TLS.format("another host's"), _UNVERIFIED),
    Fault(
        "all sources down from the start",
        "refused, silent, 503",
        "every page answers, with `—`; not ready; the first answer is shown at once",
        "tests/faults/test_upstreams.py::test_with_every_upstream_down_from_the_start_nothing_is_invented[hang]",
        _NO_TIME_OUT,
    ),
    Fault(
        "all sources down for weeks",
        "each of the above, for 40 days",
        "`—` after `max_age`, with the sources' reason",
        _LIFE.format("status:503"),
        Mutation("ticker.quotes:_status", "quote.usable_until and now >= quote.usable_until", "False"),
    ),
    Fault(
        "failures without end",
        "eighty failed polls, the collector off",
        "nothing is left of them in memory",
        "tests/faults/test_upstreams.py::test_a_failed_poll_leaves_nothing_for_the_collector[renamed]",
        Mutation("ticker.feeds:_ask", "failure = None", "pass"),
    ),
    Fault(
        "overlapping polls",
        "an answer that takes 20 turns of the schedule",
        "the fallback; never two requests of one source at once",
        "tests/faults/test_timetable.py::test_a_slow_upstream_is_never_asked_twice_at_once",
        Mutation(
            "ticker.scheduling:PollScheduler._begin",
            "source in self._polls",
            "asyncio.get_running_loop().call_later(0.2, self._begin, source) is None",
        ),
    ),
)
