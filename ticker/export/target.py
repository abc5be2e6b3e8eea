"""Where an export goes: a folder, or a store of objects by the scheme of its address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from ticker.export.output import Output, Trust

SCHEMES = ("s3", "gs", "az")


class TargetError(Exception):
    """The target does not take what is written to it: what happened, and the mend."""

    def __init__(self, detail: str, mend: str) -> None:
        super().__init__(f"{detail}; {mend}")
        self.detail = detail
        self.mend = mend


class Target(Protocol):
    """Takes outputs by path, each whole or not at all. Every method raises TargetError."""

    renewal: timedelta
    """How often it is told that the exporter lives."""

    async def begin(self) -> None:
        """See whether it takes anything at all, before much is done for it."""

    async def write(self, outputs: Mapping[str, Output]) -> int:
        """Make it hold `outputs` and nothing else that an export wrote; how many had to be written."""

    async def confirm(self, status: Output, trust: Trust) -> None:
        """Say how long what it holds may be believed."""


def target_of(where: str) -> Target:
    """The target that `where` names. Raises ValueError for an address of another kind."""
    scheme, found, rest = where.partition("://")
    if not found and where.partition(":")[0] not in SCHEMES:
        from ticker.export.folder import Folder  # noqa: PLC0415 - one of two

        return Folder(Path(where))
    if scheme not in SCHEMES or not rest.strip("/"):
        raise ValueError(f"{where!r} is neither a folder nor {', '.join(f'{one}://BUCKET/PATH' for one in SCHEMES)}")
    from ticker.export.objects import Objects  # noqa: PLC0415 - fifteen megabytes that a folder does not need

    return Objects(where)
