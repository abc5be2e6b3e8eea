"""Settings as plain values, written as the configuration writes them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as bounded

from tests.settings.configurations import CONFIGURATIONS
from ticker.settings.plain import plain
from ticker.settings.validation import validated


@bounded(suppress_health_check=[HealthCheck.too_slow])
@given(CONFIGURATIONS)
def test_what_is_written_reads_back_as_itself(tree: dict[str, Any]) -> None:
    """What `ticker check` prints could stand in a file; keys alone are hidden."""
    settings = validated(tree)
    told = json.loads(json.dumps(plain(settings)))
    for source, each in settings.sources.items():
        assert told["sources"][source]["api_key"] == (each.api_key and "**********")
        told["sources"][source]["api_key"] = each.api_key and each.api_key.get_secret_value()
    assert validated(told) == settings
