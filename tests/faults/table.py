"""The faults, in the order of the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.content_rows import CONTENTS
from tests.faults.process_rows import PROCESSES
from tests.faults.redis_rows import REDIS
from tests.faults.upstream_rows import UPSTREAMS

if TYPE_CHECKING:
    from tests.support.defences import Fault


FAULTS: tuple[Fault, ...] = (*UPSTREAMS, *CONTENTS, *PROCESSES, *REDIS)
