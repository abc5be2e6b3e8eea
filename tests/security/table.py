"""The attacks, in the order of the README: by upstreams, by readers' bytes, through browsers and caches, on secrets."""

from __future__ import annotations

from tests.support.defences import Fault, Mutation

_CLIENT, _BASE = "ticker/fetch.py", "ticker/sources/base.py"
_CONNECTIONS, _LISTENER = "ticker/web/connections.py", "ticker/web/listener.py"
_AROUND, _PAGE, _LOGS = "ticker/web/middlewares.py", "ticker/web/pages.py", "ticker/cli/logs.py"
_FAST_PATH, _HEADERS, _LIMITS = "ticker/web/fast_path.py", "ticker/web/headers.py", "ticker/web/limits.py"
_TEST = "tests/security/test_"
_LAST = "the last numbers"

ATTACKS: tuple[Fault, ...] = (
    Fault(
        "decompression bomb",
        "64 MB of blanks in gzip, deflate, br; zstd; a hundred thousand gzips in a row",
        f"{_LAST}; `size` or `encoding`, at the size that is allowed",
        f"{_TEST}answers.py::test_a_bomb_is_put_out_before_it_has_grown",
        Mutation("ticker.fetch:_read", "len(body) > max_bytes", "len(body) > max_bytes * 10000"),
    ),
    Fault(
        "answer without end",
        "headers, a header, chunks, a trailer, `100 Continue`, blanks, for ever",
        f"{_LAST}; `parse`, `size` or `timeout`",
        f"{_TEST}answers.py::test_what_does_not_end_is_ended",
        Mutation("ticker.fetch:Fetcher.get", "asyncio.timeout(call.timeout.total_seconds())", "asyncio.timeout(60)"),
    ),
    Fault(
        "XML entities",
        "billion laughs, quadratic blow-up, external and parameter entities, a million tags",
        f"{_LAST}; `parse`; nothing is expanded or fetched",
        f"{_TEST}answers.py::test_xml_has_no_entities_and_no_types",
        Mutation(
            "ticker.sources.base:as_xml",
            "fromstring(body, forbid_dtd=True)",
            "fromstring(body, forbid_dtd=False, forbid_entities=False, forbid_external=False)",
        ),
    ),
    Fault(
        "JSON that readers read differently",
        "NaN, Infinity, 1e999, a million digits, half a million brackets, a name twice, other encodings",
        f"{_LAST}; `parse`, `schema` or `encoding`",
        f"{_TEST}answers.py::test_json_is_numbers_of_this_world_each_name_once",
        Mutation("ticker.sources.base:_number", "not value.is_finite()", "False"),
    ),
    Fault(
        "document made to cost",
        "half a megabyte of names, attributes, commas … through every reader and every adapter",
        f"{_LAST}; read or refused in time that grows as the bytes do",
        f"{_TEST}answers.py::test_no_document_costs_more_than_its_size",
        Mutation("ticker.sources.base:_object", "name in seen", "name in list(seen)"),
    ),
    Fault(
        "redirect into our network",
        "45 spellings: other hosts, ports, schemes, link-local, IPv6, decimal, `user@`, `\\`",
        f"{_LAST}; `blocked`; nobody else is asked",
        f"{_TEST}requests.py::test_a_redirect_goes_nowhere_but_where_it_came_from",
        Mutation("ticker.fetch:_same_place", "onward.origin() == start.origin()", "onward.host is not None"),
    ),
    Fault(
        "configured address that is none",
        "`file:`, `unix:`, `javascript:`, a line end, a password",
        "the service does not start; the key and the mend are named",
        f"{_TEST}requests.py::test_an_upstream_is_configured_by_an_http_address",
        Mutation("ticker.settings.models:link", "parts.scheme not in _DEFAULT_PORTS", "not parts.scheme"),
    ),
    Fault(
        "request smuggling",
        "52 requests that two readers see different ends of, with the fast path and without",
        "one refusal or the first answer, `no-store`, and the end of the connection",
        f"{_TEST}smuggling.py::test_what_two_readers_may_understand_differently_ends_the_connection",
        Mutation("ticker.web.connections:is_last", "request.body_exists", "False"),
    ),
    Fault(
        "a request behind an upgrade",
        "`Upgrade: h2c` and `websocket`, with a request after it in the same breath",
        "the answer, `Connection: close` and the end: nothing is swallowed, nothing read as another protocol",
        f"{_TEST}smuggling.py::test_what_two_readers_may_understand_differently_ends_the_connection",
        Mutation("ticker.web.connections:is_last", "'Upgrade' in request.headers", "False"),
    ),
    Fault(
        "bytes behind the last request",
        "blanks, half a request and a whole one behind `Connection: close`, at once and later",
        "the answer to the last request, and the end",
        f"{_TEST}ends.py::test_what_comes_behind_the_last_request_is_not_read",
        Mutation("ticker.web.connections:Connection.data_received", "_heads(data)", "(data,)"),
    ),
    Fault(
        "half-closed client",
        "one request or three, and the end of what it says before it has read anything",
        "every answer, and the end",
        f"{_TEST}ends.py::test_who_says_no_more_still_gets_every_answer",
        Mutation("ticker.web.connections:Connection.eof_received", "not idle", "False"),
    ),
    Fault(
        "limit passed by a forged chain",
        "several lines, thousands of addresses, ports, brackets, quotes, `Forwarded` beside `X-Forwarded-For`",
        "the bucket of the last address that no trusted proxy vouches for",
        "tests/web/test_limits.py::test_no_forged_chain_gives_a_client_a_second_bucket",
        Mutation(
            "ticker.web.limits:_x_forwarded_for",
            "headers.getall('X-Forwarded-For', [])",
            "headers.getall('X-Forwarded-For', [])[:1]",
        ),
    ),
    Fault(
        "flood of scrapes",
        "a hundred scrapes together, of each form",
        "made once a second for all, each in its turn",
        "tests/test_metrics.py::test_a_scrape_is_made_once_a_second_for_all",
        Mutation("ticker.metrics:", "(1.0, 8)", "(0.0, 8)"),
    ),
    Fault(
        "smuggling in two pieces",
        "a body in the shape of a request, sent after the answer",
        "the end of the connection",
        f"{_TEST}smuggling.py::test_a_body_that_comes_after_its_answer_is_no_request",
        Mutation(
            "ticker.web.fast_path:IGNORED",
            "'Cache-Control'",
            "'Content-Length', 'Cache-Control'",
        ),
    ),
    Fault(
        "bad request to be cached (CPDoS)",
        "a header too long, an unknown `Expect`",
        "a problem that no cache keeps, without the words that were sent",
        f"{_TEST}smuggling.py::test_what_is_no_expectation_is_a_problem_as_any_other",
        Mutation("ticker.web.listener:ConnectionLimiter._applied", "web.HTTPException", "ZeroDivisionError"),
    ),
    Fault(
        "slow headers (slowloris)",
        "a byte now and then, half a request, nothing at all",
        "cut off 20 s after its first byte, however often one comes; 75 s after the last answer",
        f"{_TEST}floods.py::test_headers_byte_by_byte_do_not_buy_time",
        Mutation("ticker.web.connections:Connection._take", "self._whole", "3600"),
    ),
    Fault(
        "silent connection",
        "nothing said, half a request, nothing after an answer",
        "closed after 75 s",
        f"{_TEST}floods.py::test_who_does_not_go_on_asking_is_cut_off",
        Mutation("ticker.web.connections:Connection.__init__", "bounds.idle", "3630"),
    ),
    Fault(
        "body that never comes, or never ends",
        "announced and not sent, sent without end",
        "the answer at once, the end half a second later",
        f"{_TEST}floods.py::test_a_body_that_never_comes_is_not_waited_for",
        Mutation("ticker.web.connections:_ALLOWED", "0.5", "3600"),
    ),
    Fault(
        "request without end",
        "line, header, headers, blank lines",
        "cut off after 32 kB",
        f"{_TEST}floods.py::test_a_request_without_end_is_ended_for_it",
        Mutation("ticker.web.connections:Connection._take", "_MOST_BYTES", "10 ** 12"),
    ),
    Fault(
        "reader who does not read",
        "many large answers asked for at once",
        "let go after a minute without a byte taken",
        f"{_TEST}floods.py::test_who_asks_and_does_not_read_is_let_go",
        Mutation("ticker.web.connections:Connection._limit_unread", "self.patience", "3600"),
    ),
    Fault(
        "flood of connections",
        "150 to a house of 32, 300 to one of 64, in every state",
        "others are answered; who holds the most loses the oldest; nothing is left behind",
        f"{_TEST}floods.py::test_one_client_cannot_take_all_the_connections",
        Mutation(
            "ticker.web.listener:ConnectionLimiter._make_room",
            "max(held.values(), key=len, default=[])",
            "min(held.values(), key=len, default=[])",
        ),
    ),
    Fault(
        "flood of streams",
        "150 to a house of 32",
        "as above; who has one keeps it",
        f"{_TEST}floods.py::test_streams_are_connections_as_others_are",
        Mutation(
            "ticker.web.listener:ConnectionLimiter.__call__",
            "self._context.traffic.streams if self._streams else 0",
            "0",
        ),
    ),
    Fault(
        "flood of dear questions",
        "dozens at once that nobody has asked for yet: pages, languages, made-up addresses",
        "one is begun each time round the loop, each client in its turn; what is ready waits for one of them at most",
        "tests/web/test_fair_queue.py::test_what_comes_together_is_not_begun_together",
        Mutation("ticker.web.routes:_application", "in_turn", ""),
    ),
    Fault(
        "pipelining",
        "a thousand requests in one breath",
        "a thousand answers, in order",
        f"{_TEST}floods.py::test_a_thousand_requests_in_one_breath_are_answered_in_order",
        Mutation("ticker.web.connections:is_last", "request.body_exists", "True"),
    ),
    Fault(
        "way up (path traversal)",
        "`..` in eleven spellings, from seven places",
        "404, or 400",
        f"{_TEST}paths.py::test_no_way_up_leads_out",
        Mutation(
            "ticker.web.routes:_application",
            "[web.get(path, handler) for path, handler in routes]",
            "[web.static('/static', '/'), *(web.get(path, handler) for path, handler in routes)]",
        ),
    ),
    Fault(
        "other methods",
        "twelve, and headers that make one of another",
        "405 with `Allow`; nothing changes",
        f"{_TEST}paths.py::test_only_three_methods_are_known_whatever_is_said_beside_them",
        Mutation("ticker.web.routes:_application", "web.get(path, handler)", "web.route('*', path, handler)"),
    ),
    Fault(
        "explosion of labels",
        "three hundred made-up paths, methods, names",
        "`/metrics` has the series it had",
        f"{_TEST}paths.py::test_whatever_is_asked_the_series_are_those_of_the_configuration",
        Mutation("ticker.web.responses:route_of", "'unknown'", "request.path"),
    ),
    Fault(
        "markup in the configuration",
        "in every text there is, on every page, CSP switched off in the browser",
        "it is text; nothing runs, nothing is asked for",
        f"{_TEST}markup.py::test_markup_in_the_configuration_is_text_on_every_page",
        Mutation(
            "ticker.rendering.templates:_ENVIRONMENT",
            'select_autoescape(disabled_extensions=("txt",), default=True)',
            "False",
        ),
    ),
    Fault(
        "markup in a request",
        "wherever its words come back",
        "text in the refusal",
        f"{_TEST}markup.py::test_markup_in_a_request_is_text_in_its_refusal",
        Mutation("ticker.web.problems:fragment_safe.safe", "escape(problem.detail)", "problem.detail"),
    ),
    Fault(
        "foreign scripts and frames",
        "the policy of every answer, parsed",
        "only files of ours run; `/frame` alone may be framed",
        f"{_TEST}headers.py::test_one_page_may_be_framed_and_it_alone",
        Mutation(
            "ticker.web.headers:_CONTENT_POLICY",
            "\"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'\"",
            "\"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'self'\"",
        ),
    ),
    Fault(
        "site that isolates itself (COEP)",
        "widget, picture and frame in such a page",
        "they are shown",
        f"{_TEST}markup.py::test_an_isolated_site_can_take_everything_that_is_to_be_taken",
        Mutation(
            "ticker.web.pages:_FRAMED",
            "{'Content-Security-Policy': \"default-src 'none'; style-src 'self'; script-src 'self'; "
            "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *\", "
            "'Permissions-Policy': _NOTHING, 'Cross-Origin-Embedder-Policy': 'require-corp'}",
            "{'Content-Security-Policy': \"default-src 'none'; style-src 'self'; script-src 'self'; "
            "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *\", "
            "'Permissions-Policy': _NOTHING}",
        ),
    ),
    Fault(
        "spoofed host, cache poisoning",
        "`Host`, `Forwarded`, `X-Forwarded-*` and 23 more, on every route",
        "the same bytes and headers as without",
        f"{_TEST}headers.py::test_no_header_that_caches_do_not_see_changes_an_answer",
        Mutation(
            "ticker.web.headers:cross_origin",
            "'*' if '*' in allowed else origin if origin in allowed else None",
            "origin or '*' if '*' in allowed else origin if origin in allowed else None",
        ),
    ),
    Fault(
        "host in the target",
        "`GET http://evil.example/…`",
        "the same bytes and headers as without; no link leads there",
        f"{_TEST}headers.py::test_no_host_in_a_target_changes_an_answer",
        Mutation("ticker.web.history:history", "request.rel_url", "request.url"),
    ),
    Fault(
        "cache busting",
        "unknown and doubled parameters; 600 combinations of known ones",
        "400 `no-store`; what is kept ready has a bound",
        f"{_TEST}headers.py::test_what_busts_a_cache_is_refused_and_not_kept",
        Mutation("ticker.web.assets:Asset.handle", "parameters.only(request, ('v',))", ""),
    ),
    Fault(
        "CORS reflection",
        "`null`, prefixes, suffixes, ports, capitals, lists",
        "an origin is let in by its whole name; never with credentials",
        f"{_TEST}headers.py::test_an_origin_is_let_in_by_its_whole_name_or_not_at_all",
        Mutation("ticker.web.headers:cross_origin", "origin in allowed", "origin"),
    ),
    Fault(
        "lines in the log",
        "CR, LF, escapes, C1, separators and bidi marks, in paths, exceptions and upstreams' words",
        "one line an event, in JSON and on a terminal; nothing that a terminal obeys",
        f"{_TEST}logs.py::test_lines_for_people_are_ours_alone",
        Mutation("ticker.cli.logs:_told", "sanitize(str(value))", "value"),
    ),
    Fault(
        "log filled by strangers",
        "bytes that are no HTTP",
        "counted under one label; no line",
        f"{_TEST}smuggling.py::test_who_speaks_no_http_writes_nothing_into_the_log",
        Mutation(
            "ticker.web.connections:Connection.handle_error",
            "HTTPStatus.INTERNAL_SERVER_ERROR",
            "HTTPStatus.BAD_REQUEST",
        ),
    ),
    Fault(
        "log filled by those who hang up",
        "before the answer, in it, in a stream",
        "counted as 499; no line, no alert",
        f"{_TEST}floods.py::test_who_asks_and_hangs_up_writes_nothing_into_the_log",
        Mutation("ticker.web.middlewares:problems", "ConnectionResetError", "ZeroDivisionError"),
    ),
    Fault(
        "key told back by an upstream",
        "in body, redirect, header, reason, broken HTTP; encoded, cut off",
        "`***` in logs, answers and recordings",
        f"{_TEST}secrets.py::test_an_upstream_that_repeats_the_key_tells_it_to_nobody",
        Mutation(
            "ticker.recording:Recorder.get", "redact_bytes(answer.body, keys) if keys else answer.body", "answer.body"
        ),
    ),
    Fault(
        "password of the store",
        "`ticker check`, a wrong address, a store that is away",
        "the address without it",
        f"{_TEST}secrets.py::test_what_is_in_force_is_printed_without_passwords_and_keys",
        Mutation("ticker.cli.reports:_masked", "redact(value)", "value"),
    ),
)
