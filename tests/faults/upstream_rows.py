"""Faults of upstreams: of the line to them, and of what HTTP says. Each is brought about at every source at once."""

from __future__ import annotations

from tests.support.defences import Fault, Mutation

_CLIENT, _FAILURES, _BASE, _PLAN = (
    "ticker/fetch.py",
    "ticker/fetch.py",
    "ticker/sources/base.py",
    "ticker/scheduling.py",
)
_LIFE = "tests/faults/test_upstreams.py::test_a_fault_of_every_upstream_changes_no_number[{}]"
_TLS = "tests/faults/test_tls.py::test_a_wrong_certificate_is_not_believed[{}]"
_KEPT = "the last numbers, in time `stale`, in time `—`; everywhere `{}`"
_NO_TIME_OUT = Mutation(_CLIENT, "asyncio.timeout(timeout.total_seconds())", "asyncio.timeout(None)")
_NAMED = Mutation(_CLIENT, "except (aiohttp.ClientError, OSError, ValueError) as error", "except ValueError as error")
_STATUS = Mutation(_FAILURES, "if status != 200:", "if status < 200:")
_ANYWHERE = Mutation(
    "ticker/fetch.py",
    'if not location or onward.scheme not in {"http", "https"} or not _same_place(start, onward):',
    "if not location:",
)
_UNVERIFIED = Mutation(_CLIENT, "aiohttp.TCPConnector(limit=32", "aiohttp.TCPConnector(ssl=False, limit=32")

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
        Mutation(_FAILURES, "    (aiohttp.ClientPayloadError, Reason.PARSE),\n", ""),
    ),
    Fault(
        "garbage",
        "200, bytes of no encoding",
        _KEPT.format("encoding"),
        _LIFE.format("garbage"),
        Mutation(_BASE, "return body.decode(encoding)", 'return body.decode(encoding, "replace")'),
    ),
    Fault(
        "empty",
        "200, no byte",
        _KEPT.format("parse"),
        _LIFE.format("empty"),
        Mutation(_BASE, 'raise SourceError(Reason.PARSE, f"not JSON: {error}") from error', "return {}"),
    ),
    Fault(
        "HTML with 200",
        "a guard's page instead of data",
        _KEPT.format("blocked"),
        _LIFE.format("html"),
        Mutation(_BASE, "if _PAGE.match(", "if not body and _PAGE.match("),
    ),
    Fault(
        "renamed fields",
        "a name of the format reversed",
        _KEPT.format("schema"),
        _LIFE.format("renamed"),
        Mutation(_BASE, "return SourceError(Reason.SCHEMA, message)", "return SourceError(Reason.PARSE, message)"),
    ),
    Fault(
        "500 and 503",
        "the status",
        _KEPT.format("http_5xx"),
        _LIFE.format("status:500"),
        Mutation(_FAILURES, "if status >= 500:", "if status >= 600:"),
    ),
    Fault(
        "a burst of 500",
        "without end, polled every 50 ms",
        "the copy's numbers; never more requests than the hour's budget",
        "tests/faults/test_timetable.py::test_a_burst_of_500_is_not_answered_with_a_burst_of_requests",
        Mutation(_PLAN, "return max(when, self.affordable(requests))", "return when"),
    ),
    Fault(
        "429, `Retry-After` in seconds",
        "the header",
        "the copy's numbers; not asked again before",
        "tests/faults/test_timetable.py::test_retry_after_is_obeyed[seconds]",
        Mutation(_PLAN, "if standing.retry_at is not None:", "if False:"),
    ),
    Fault(
        "429, `Retry-After` as a date",
        "the header",
        "the copy's numbers; not asked again before",
        "tests/faults/test_timetable.py::test_retry_after_is_obeyed[date]",
        Mutation(_FAILURES, "wait = parsedate_to_datetime(value) - now", "return None"),
    ),
    Fault("403", "the status", _KEPT.format("http_4xx"), _LIFE.format("status:403"), _STATUS),
    Fault("404", "the status", _KEPT.format("http_4xx"), _LIFE.format("status:404"), _STATUS),
    Fault(
        "redirect loop",
        "302 to itself",
        _KEPT.format("blocked"),
        _LIFE.format("redirect:/cbr/loop"),
        Mutation(_CLIENT, "for _ in range(_REDIRECTS + 1):", "while True:"),
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
        Mutation(_FAILURES, "    (aiohttp.ClientConnectorDNSError, Reason.DNS),\n", ""),
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
        Mutation("ticker/quotes.py", "self.price is None or (self.usable_until", "self.price is None or (None"),
    ),
    Fault(
        "failures without end",
        "eighty failed polls, the collector off",
        "nothing is left of them in memory",
        "tests/faults/test_upstreams.py::test_a_failed_poll_leaves_nothing_for_the_collector[renamed]",
        Mutation("ticker/feeds.py", "failure = None  # for the same reason", "pass"),
    ),
    Fault(
        "overlapping polls",
        "an answer that takes 20 turns of the schedule",
        "the fallback; never two requests of one source at once",
        "tests/faults/test_timetable.py::test_a_slow_upstream_is_never_asked_twice_at_once",
        Mutation(
            "ticker/scheduling.py",
            "if source in self.budgets.plans and source not in self._polls:",
            "if True:\n            asyncio.get_running_loop().call_later(0.2, self._begin, source)",
        ),
    ),
)
