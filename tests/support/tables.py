"""The tables of tests/README.md, by name. A literal list: a new table is a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.table import FAULTS
from tests.security.table import ATTACKS

if TYPE_CHECKING:
    from tests.support.defences import Fault


TABLES: dict[str, tuple[Fault, ...]] = {
    "faults": FAULTS,
    "attacks": ATTACKS,
}
