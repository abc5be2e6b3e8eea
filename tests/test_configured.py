from random import Random
from typing import Any

import pytest

from ticker.configured.fixed import keep_fixed
from ticker.configured.plans import plans_of
from ticker.settings.errors import ConfigurationError
from ticker.settings.load import load, shipped
from ticker.settings.model import Settings


def settings(**flags: Any) -> Settings:  # noqa: ANN401 - whatever a key takes
    """The shipped settings with flags over them; __ stands for a dot."""
    return load(shipped(), {}, {key.replace("__", "."): value for key, value in flags.items()}).settings


@pytest.mark.parametrize(
    ("key", "value"),
    [("host", "127.0.0.2"), ("port", 9), ("metrics_host", "127.0.0.1"), ("metrics_port", 9100)],
)
def test_where_the_service_listens_needs_a_restart(key: str, value: object) -> None:
    """The error names the key and what it is."""
    with pytest.raises(ConfigurationError, match=rf"server\.{key} cannot change while the service runs"):
        keep_fixed(settings(), settings(**{f"server__{key}": value}))


def test_everything_else_may_change_in_place() -> None:
    """Instruments, sources, calendars, and whom the service lets in."""
    keep_fixed(settings(), settings(server__cors_origins=["https://example.org"], server__access_log=True))
    keep_fixed(settings(), settings(instruments__USD__decimals=4, sources__cbr__timeout="3s"))


@pytest.mark.parametrize("line", ["99 * * * *", "* * * * nonday", "*/0 * * * *"])
def test_a_cron_line_that_names_no_time_stops_the_start(line: str) -> None:
    """Not the first poll's end, when nobody looks on: the source would never be asked again."""
    config = settings(sources__cbr__schedule={"cron": [line]})
    with pytest.raises(ConfigurationError, match=r"sources\.cbr\.schedule\.cron"):
        plans_of(config, ["cbr"], Random(1))  # noqa: S311 - jitter, not a secret
