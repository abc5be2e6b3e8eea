"""A configuration file and environment variables: settings or a ConfigurationError, which says something."""

from __future__ import annotations

import tempfile
from pathlib import Path

import atheris

from tests.security.fuzz.running import fuzz

with atheris.instrument_imports(include=["ticker"]):
    from ticker.app import compose
    from ticker.settings.errors import ConfigurationError
    from ticker.settings.loader import load, shipped


FILE = Path(tempfile.mkstemp(suffix=".toml")[1])
# Between the file and the variables, and between name and value of one: no text of TOML has it.
END, IS = b"\x00\x00", b"\x01"


def one(data: bytes) -> None:
    """A file, then variables: their names without TICKER_."""
    file, _, rest = data.partition(END)
    FILE.write_bytes(file)
    pairs = (line.partition(IS) for line in rest.split(b"\x00") if line)
    # As the system hands them over: bytes of no encoding are halves of surrogate pairs.
    environment = {
        f"TICKER_{name.decode('utf-8', 'surrogateescape')}": value.decode("utf-8", "surrogateescape")
        for name, _, value in pairs
    }
    try:
        loaded = load(FILE, environment, {})
        service = compose(loaded.settings, upstream="http://127.0.0.1:9")
    except ConfigurationError as error:
        if not str(error):
            raise AssertionError("an error without a word") from error
        return
    # What was let in can be told: printed by `ticker check`, and in every answer.
    str(loaded.settings.as_written()).encode()
    service.openapi()


def seeds() -> list[bytes]:
    """The shipped file whole, each of its tables, and variables of every kind."""
    whole = shipped().read_bytes()
    tables = [b"[" + part for part in whole.split(b"\n[")[1:]]
    variables = (
        (b"SERVER__PORT", b"9000"),
        (b"SERVER__CORS_ORIGINS", b'["https://a.example"]'),
        (b"INSTRUMENTS__USD__LABEL", b'{ en = "Dollar" }'),
        (b"INSTRUMENTS__USD__BAND", b"[1, 2.5]"),
        (b"SOURCES__CBR__SCHEDULE", b'{ cron = ["*/10 15-19 * * mon-fri"], zone = "Europe/Moscow" }'),
        (b"SOURCES__EIA__API_KEY", b"0123"),
        (b"STORE__URL", b"redis://a:b@host:6379/0"),
        (b"CALENDARS__CBR__DAYS", b"mon-fri"),
    )
    return [whole, *tables, *(END + name + IS + value for name, value in variables), *(t + END for t in tables)]


if __name__ == "__main__":
    fuzz(one, seeds())
