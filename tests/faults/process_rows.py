"""Faults of our own side: clock, process, resources, disk, operator."""

from __future__ import annotations

from tests.support.defences import Fault, Mutation

_SUPERVISED = "tests/faults/test_supervision.py::test_"

_SET_BACK = Mutation("ticker.clock:Jumps.look", "jump if abs(jump) >= self._LEAST else None", "None")

PROCESSES: tuple[Fault, ...] = (
    Fault(
        "clock set back",
        "five hours, under a running process",
        "the numbers it had, and new ones at their usual time",
        "tests/faults/test_clock.py::test_set_back_by_hours_polling_goes_on",
        _SET_BACK,
    ),
    Fault(
        "clock set forward",
        "three days, and right again",
        "old by that clock and said so; right as soon as the clock is",
        "tests/faults/test_clock.py::test_set_forward_by_days_the_numbers_are_old_and_young_again_when_it_is_right",
        _SET_BACK,
    ),
    Fault(
        "SIGTERM",
        "under 200 requests a second",
        "every answer whole, the streams told when to come back, exit 0",
        "tests/ops/test_stop.py::test_sigterm_under_load_fails_no_request_and_exits_0",
        Mutation("ticker.cli.serve:_signals", "signal.SIGTERM", ""),
    ),
    Fault(
        "SIGTERM in the middle of a fault",
        "17 of this table: sources, store, disk, Redis, descriptors, memory, readers, reloads that hang",
        "the end within ten seconds",
        "tests/faults/test_end.py::test_sigterm_ends_the_process_in_the_middle_of_each_fault"
        "[store hangs when it is opened]",
        Mutation("ticker.cli.serve:Run._serve", "deadline.set(drain + _LONGEST_END_SECONDS, 1)", "None"),
    ),
    Fault(
        "rolling restart",
        "three processes at one port, one after the other, under load",
        "no connection refused, reset or cut off",
        "tests/ops/test_reuse_port.py::test_a_rolling_restart_under_load_resets_no_connection",
        Mutation("ticker.cli.serve:Run._serve", "await hand_over(public, sockets)", "None"),
    ),
    Fault(
        "SIGHUP while the process begins",
        "from a tenth of a second on",
        "nothing; it is taken up as soon as the service listens",
        "tests/cli/test_start.py::test_a_reload_that_comes_while_the_process_begins_does_not_end_it[0.3]",
        Mutation("ticker.cli", "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})", "None"),
    ),
    Fault(
        "a log that nobody reads",
        "a pipe that is full, a line a request",
        "every answer, and the end in time; lines are dropped and counted",
        "tests/cli/test_start.py::test_a_log_that_nobody_reads_stops_neither_answers_nor_the_end",
        Mutation(
            "ticker.cli.logs:LineWriter.emit",
            "self._lines.put_nowait",
            "os.write(self._descriptor, b'') or self._write",
        ),
    ),
    Fault(
        "standard streams closed",
        "`0<&- 1>&- 2>&-`",
        "every answer; no line of the log gets into what is opened instead",
        "tests/cli/test_start.py::test_with_its_standard_streams_closed_it_serves_and_nobody_else_is_written_the_log",
        Mutation("ticker.cli", "None in (sys.stdin, sys.stdout, sys.stderr)", "False"),
    ),
    Fault(
        "configuration that is no file",
        "a named pipe, a device, a ring of links, 5 MB",
        "refused at the start and at a reload, with the reason",
        "tests/settings/test_loader.py::test_what_is_no_file_is_refused_and_not_waited_for[named pipe]",
        Mutation("ticker.settings.loader:_text", "path.exists()", "False"),
    ),
    Fault(
        "SIGKILL",
        "at random, under polling and reading",
        "the next start shows the last snapshot before any source answers; no row that was shown is lost",
        "tests/faults/test_kill.py::test_killed_at_random_nothing_reported_is_lost_and_every_start_serves_at_once",
        Mutation(
            "ticker.storage.sqlite:SqliteStore.publish",
            "transaction.execute(SQL['publish'], (name, message.part, message.version, message.fence, message.text))",
            "None",
        ),
    ),
    Fault(
        "SIGSTOP behind nginx",
        "for longer than `Cache-Control` lets anything be kept",
        "every page whole, with the last numbers",
        "tests/faults/test_resources.py::test_stopped_behind_nginx_no_page_waits_or_loses_its_numbers",
        Mutation(
            "ticker.web.headers:freshness",
            "f'public, max-age={seconds}, stale-while-revalidate={min(_WHILE_REVALIDATING, beyond)}, "
            "stale-if-error={min(_IF_ERROR, beyond)}'",
            "f'public, max-age={seconds}, private, stale-if-error={min(_IF_ERROR, beyond)}'",
        ),
    ),
    Fault(
        "bad reload",
        "misspelt keys, by SIGHUP under load",
        "nothing; the old configuration stays, the log names key and mend",
        "tests/ops/test_reload.py::test_reloads_under_load_drop_neither_a_request_nor_a_quote",
        Mutation(
            "ticker.cli.serve:_reload",
            "log.error('configuration refused, the old one stays', error=refused)",
            "raise SystemExit(2)",
        ),
    ),
    Fault(
        "connections held",
        "`ulimit -n 64`, 100 silent clients",
        "probes and readers answered, sources asked; the oldest of the greediest is let go",
        "tests/faults/test_resources.py::test_readers_who_hold_every_connection_shut_nobody_out",
        Mutation("ticker.cli.serve:_runner", "max(every - _OWN_DESCRIPTORS, every // 4)", "16384"),
    ),
    Fault(
        "no descriptor left",
        "`RLIMIT_NOFILE` below what is open",
        "who is connected reads on; `connect`; all well as soon as there are any",
        "tests/faults/test_resources.py::test_without_a_descriptor_left_the_numbers_stay_and_all_comes_back",
        Mutation("ticker.fetch:Fetcher.get", "(aiohttp.ClientError, OSError, ValueError)", "ValueError"),
    ),
    Fault(
        "memory cap",
        "`RLIMIT_AS` 8 MB above, an answer that takes a hundred",
        "that poll fails, nothing else",
        "tests/faults/test_resources.py::test_an_answer_too_big_for_memory_is_one_failed_poll",
        Mutation("ticker.polling:Poller.poll", "Exception", "ValueError"),
    ),
    Fault(
        "stampede",
        "500 readers at the moment of a new version",
        "the new numbers, made once for all",
        "tests/faults/test_stampede.py::test_at_a_new_version_each_view_is_made_once_and_no_source_is_asked",
        Mutation("ticker.rendering.renderer:Renderer.render", "view not in self._views", "view"),
    ),
    Fault(
        "readers reaching upstream",
        "the same 500, and a source that would be asked",
        "no request of a reader ever asks a source",
        "tests/faults/test_stampede.py::test_at_a_new_version_each_view_is_made_once_and_no_source_is_asked",
        Mutation(
            "ticker.app:_context",
            "clock=now",
            "clock=lambda: [poller.poll_now(source) for source in poller.feeds] and now()",
        ),
    ),
    Fault(
        "disk full",
        "a disk of 1 MB, filled",
        "nothing; what was missed is written when there is room",
        "tests/faults/test_store.py::test_a_full_disk_is_waited_for",
        Mutation("ticker.storage.writer:StoreWriter._keep", "self._wake.set()", "break"),
    ),
    Fault(
        "disk read-only",
        "remounted",
        "nothing; a restart still shows the last numbers",
        "tests/faults/test_store.py::test_a_read_only_disk_still_gives_the_last_snapshot",
        Mutation("ticker.storage.sqlite:Database._open_reader", "'?immutable=1'", "'?mode=ro'"),
    ),
    Fault(
        "store damaged",
        "junk in its place, pages overwritten",
        "nothing; said once, counted, the file left as it is",
        "tests/faults/test_store.py::test_a_damaged_file_does_not_stop_the_service",
        Mutation("ticker.storage.sqlite:as_store_error", "sqlite3.Error", "sqlite3.OperationalError"),
    ),
    Fault(
        "replica thread dies",
        "a `MemoryError` in it",
        "the numbers, `stale` with `frozen`, in JSON, page, metrics and probes; fresh and new as soon as it lives",
        f"{_SUPERVISED}a_follower_whose_thread_dies_shows_nothing_as_fresh_and_recovers",
        Mutation("ticker.board:Board._trusted", "not self._doubted", "True"),
    ),
    Fault(
        "shared file spoilt",
        "another type in each column of leases, replicas and editions, the last version there is, 10⁵ brackets",
        "nothing; what is no row of ours is replaced",
        f"{_SUPERVISED}what_another_program_writes_into_the_shared_file_stops_nobody[fence]",
        Mutation("ticker.storage.sqlite:_is_lease", "is_version(row['fence'])", "True"),
    ),
    Fault(
        "event loop of a leader hangs",
        "its thread goes on claiming, and nobody hears it",
        "another one polls",
        f"{_SUPERVISED}a_leader_whose_loop_hangs_lets_go_of_the_lease",
        Mutation("ticker.replicas.lease:Replica._live", "self._loop_hangs(loop)", "False"),
    ),
    Fault(
        "leader who cannot tell",
        "news that waits for more than five seconds",
        "another one polls and tells",
        f"{_SUPERVISED}a_leader_who_cannot_tell_what_it_finds_is_no_leader",
        Mutation("ticker.replicas.lease:Replica._ensure_heard", "self._untold_for() > SILENT_SECONDS", "False"),
    ),
    Fault(
        "store writer breaks",
        "a `MemoryError` in it",
        "nothing; it is counted, begun anew, and what was found meanwhile is kept",
        f"{_SUPERVISED}a_store_that_breaks_in_an_unknown_way_is_written_to_again",
        Mutation("ticker.app:Service.running", "supervise('store', self.store_writer.run)", "self.store_writer.run()"),
    ),
    Fault(
        "teller of the streams breaks",
        "a `MemoryError` in it",
        "its readers stay, and get the newest",
        f"{_SUPERVISED}a_stream_goes_on_after_a_fault_of_who_tells_it",
        Mutation(
            "ticker.web.stream:Broadcast._live",
            "self._context.process_health.supervisor.run('stream', self._run)",
            "self._run()",
        ),
    ),
    Fault(
        "timer lost",
        "a source whose poll is due and not made",
        "it is planned anew within half a minute",
        f"{_SUPERVISED}a_poll_that_nobody_makes_is_planned_anew",
        Mutation("ticker.app:Service._age", "self.timekeeper.revive()", "None"),
    ),
    Fault(
        "recording damaged",
        "other charsets, 10⁵ brackets, `1e308`, year 1, named pipes, devices, a file that cannot be read",
        "each line or file named; the rest is replayed",
        "tests/recording/test_damage.py::test_a_damaged_line_is_named_and_the_rest_is_read[charset that grows]",
        Mutation("ticker.recording:_Line", "Literal['utf-8', 'windows-1251']", "str"),
    ),
    Fault(
        "recording that is a bomb",
        "100 MB of blanks in gzip; ten million empty lines",
        "named, within 16 MB",
        "tests/recording/test_damage.py::test_a_gzip_bomb_is_put_out_before_it_has_grown",
        Mutation("ticker.recording:_lines", "opened.readline(MAX_LINE_BYTES + 1)", "opened.readline()"),
    ),
)
