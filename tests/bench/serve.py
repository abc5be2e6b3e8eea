"""What a request costs, here and at every peer: python -m tests.bench.serve [--rounds N] [--only peers|ours].

`sh .ci/uv run --group bench` brings the peers; nginx and wrk are Debian's.

Every server has one core, and wrk has the other. In each round every row gets a burst of one second, in turn forwards
and backwards; a row's ratio is taken within its round, and the tables tell medians over the rounds. "server us" is what
the kernel says the server has run for a request, so a busy machine lengthens it little; where it may, both go before
whoever else is on their cores. Noise is half the distance
between the quartiles of the ratio to H, in percent of it.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import statistics
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.load import CONNECTIONS, Load, Server, free_port
from tests.bench.peers import PEERS, THEIRS, Answer

FAST, ORDINARY, HELLO, FASTAPI, NGINX = (
    "ticker, fast path",
    "ticker, ordinary path",
    "aiohttp + uvloop",
    "FastAPI, response model",
    "nginx, static file",
)
# H, F and N of the tables.
AGAINST = {"H": HELLO, "F": FASTAPI, "N": NGINX}
TARGETS = ("/v1/quotes", "/widget", "/v1/quotes/USD")
CODINGS = ("identity", "gzip", "br")
# Beside Host, which wrk writes: what Chromium sends from another site's page.
BROWSER = {
    "Connection": "keep-alive",
    "sec-ch-ua": '"Chromium";v="130", "Not?A_Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0",
    "Accept": "*/*",
    "Origin": "https://news.example",
    "Sec-Fetch-Site": "cross-site",
    "Referer": "https://news.example/",
    "Accept-Encoding": "identity",
    "Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8",
}


@dataclass(frozen=True, slots=True)
class Row:
    """What is asked of whom, `browser` with twelve header fields instead of one."""

    peer: str
    browser: bool
    target: str = "/v1/quotes/USD"
    coding: str = "identity"
    tag: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The fields beside Host."""
        coded = {} if self.coding == "identity" else {"Accept-Encoding": self.coding}
        return {**(BROWSER if self.browser else {}), **coded, **({"If-None-Match": self.tag} if self.tag else {})}


Measured = dict[Row, list[Load]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", choices=("peers", "ours"))
    parser.add_argument("--lock", type=Path, help="taken for each round, where others measure on the machine too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is somebody else
        answer().write(folder / "answer.json")
        servers = {
            peer: stack.enter_context(_server(peer, folder))
            for peer in PEERS
            if options.only != "ours" or peer in {FAST, ORDINARY, *AGAINST.values()}
        }
        peers = [Row(peer, browser) for peer in servers for browser in (False, True)]
        ours = [] if options.only == "peers" else list(_ours(servers[FAST]))
        measured: Measured = {row: [] for row in (*peers, *ours)}
        for number in range(options.rounds):
            with _locked(options.lock):
                for row in list(measured)[:: 1 if number % 2 else -1]:
                    measured[row].append(servers[row.peer].burst(row.target, row.headers, 1))
        sizes = {peer: server.resident() for peer, server in servers.items()}
    print(f"{options.rounds} rounds, {CONNECTIONS} connections, one core for the server; medians\n")
    _print_peers(measured, peers, sizes)
    _print_ours(measured, ours)


def answer() -> Answer:
    """Our own answer: its body and, but for what every server writes itself, its fields."""
    with _server(FAST, Path()) as server, _asked(server, "/v1/quotes/USD", {}) as given:
        fields = {name: value for name, value in given.headers.items() if name not in THEIRS}
        return Answer(given.read(), fields)


def _server(peer: str, folder: Path) -> Server:
    port = free_port()
    return Server(PEERS[peer](folder, port), port, folder / "answer.json")


def _ours(server: Server) -> Iterator[Row]:
    """Every target in every coding, whole and as 304, on both of our paths."""
    for browser in (False, True):
        for target in TARGETS:
            for coding in CODINGS:
                row = Row(FAST, browser, target, coding)
                with _asked(server, target, row.headers) as answer:
                    tag = answer.headers["ETag"]
                for peer in (FAST, ORDINARY):
                    yield Row(peer, browser, target, coding, None)
                    yield Row(peer, browser, target, coding, tag)


def _asked(server: Server, target: str, headers: Mapping[str, str]):  # type: ignore[no-untyped-def]  # noqa: ANN202 - urllib's own
    own = {name: value for name, value in headers.items() if name != "Connection"}
    return urllib.request.urlopen(urllib.request.Request(server.url + target, headers=own), timeout=5)  # noqa: S310 - ours


@contextlib.contextmanager
def _locked(file: Path | None) -> Iterator[None]:
    if file is None:
        yield
        return
    with file.open("a") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def _ratios(measured: Measured, row: Row, against: str) -> list[float]:
    """How many requests of `row` cost what one of `against` does, round by round."""
    base = measured[Row(against, row.browser)]
    return [theirs.cpu / ours.cpu for ours, theirs in zip(measured[row], base, strict=True)]


def _noise(ratios: Sequence[float]) -> float:
    if len(ratios) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(ratios, n=4)
    return 50 * (high - low) / middle


def _cells(measured: Measured, row: Row) -> str:
    loads = measured[row]
    ratio = " ".join(f"{statistics.median(_ratios(measured, row, each)):6.2f}" for each in AGAINST.values())
    middle = partial(_middle, loads)
    speed = f"{middle('rate'):8.0f} {middle('p50'):6.2f} {middle('p99'):6.2f}"
    return f"{middle('cpu'):9.2f} {ratio} {speed} {_noise(_ratios(measured, row, HELLO)):6.1f}"


def _middle(loads: Sequence[Load], what: str) -> float:
    return float(statistics.median(getattr(load, what) for load in loads))


_COLUMNS = "server us     xH     xF     xN    req/s p50 ms p99 ms  noise"


def _print_peers(measured: Measured, rows: Sequence[Row], sizes: Mapping[str, float]) -> None:
    for browser in (False, True):
        print(f"{'12 header fields' if browser else '1 header field':24} {_COLUMNS}  RSS MB")
        for row in (each for each in rows if each.browser is browser):
            print(f"{row.peer:24} {_cells(measured, row)} {sizes[row.peer]:7.1f}")
        print()


def _print_ours(measured: Measured, rows: Sequence[Row]) -> None:
    if rows:
        print(f"{'':8} {'':2} {'':14} {'':8} {'':3} {_COLUMNS}")
    for row in rows:
        path, status = "fast" if row.peer == FAST else "ordinary", 304 if row.tag else 200
        print(f"{path:8} {12 if row.browser else 1:2} {row.target:14} {row.coding:8} {status} {_cells(measured, row)}")


if __name__ == "__main__":
    main()
