"""What is written: each representation in its codings, and the two files that tell of all the others."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import TYPE_CHECKING

from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ticker.quotes import Snapshot
    from ticker.render import Representation

MANIFEST, STATUS = "manifest.json", "status.json"
# The ending of a file in a coding, as gzip_static and brotli_static look for it.
CODINGS = {"identity": "", "gzip": ".gz", "br": ".br"}
JSON = "application/json"
# A written file cannot count down to the next change. Nobody who keeps a copy keeps it longer than this.
KEPT = "public, max-age=15, stale-while-revalidate=30, stale-if-error=86400"
STEADY = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
FRESH = "no-cache"


class Output(Struct, frozen=True):
    """One file or object: its bytes and what HTTP is to say of them."""

    body: bytes
    content_type: str
    cache_control: str
    coding: str = "identity"

    @property
    def digest(self) -> str:
        """What tells these bytes, so labelled, from any others."""
        label = f"{self.content_type}\n{self.cache_control}\n{self.coding}\n".encode()
        return hashlib.blake2b(label + self.body, digest_size=16).hexdigest()


class Trust(Struct, frozen=True):
    """How long what is written may be believed, and by whom it is said.

    `changes_at` is when it may change next at the earliest; `valid_until` is when time alone makes its words untrue,
    None for never; `trusted_until` is until when the exporter vouches that there is nothing newer; `marked_until` is
    when the first number is past its age altogether.
    """

    now: datetime
    changes_at: datetime | None
    valid_until: datetime | None
    trusted_until: datetime
    marked_until: datetime | None


def outputs_of(tree: Mapping[str, Representation], steady: Mapping[str, Representation]) -> dict[str, Output]:
    """The files of `tree`, and the `steady` ones that follow from the configuration, each also in gzip and br."""
    kept = {path: (each, KEPT) for path, each in tree.items()} | {path: (each, STEADY) for path, each in steady.items()}
    return {
        f"{path}{ending}": Output(made.encoded(coding), made.content_type, cache, coding)
        for path, (made, cache) in kept.items()
        for coding, ending in CODINGS.items()
    }


def manifest_of(digests: Mapping[str, str | None]) -> Output:
    """The list of what is there. A path without a digest is just being written."""
    body = json.dumps({"files": dict(sorted(digests.items()))}, indent=1)
    return Output(f"{body}\n".encode(), JSON, FRESH)


def digests_in(manifest: bytes) -> dict[str, str | None]:
    """The digests by path of a manifest, as `manifest_of` wrote it; none of one that cannot be read."""
    try:
        found = json.loads(manifest)["files"]
        return {str(path): digest for path, digest in found.items() if not digest or isinstance(digest, str)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def status_of(snapshot: Snapshot, langs: tuple[str, ...], trust: Trust) -> Output:
    """What there is to know of an export without reading it all: of when it is and how long that holds."""
    body = {
        "version": snapshot.version,
        "generated_at": _stamp(snapshot.generated_at),
        "status": str(snapshot.status),
        "next_change_at": _stamp(trust.changes_at),
        "valid_until": _stamp(trust.valid_until),
        "confirmed_at": _stamp(trust.now),
        "trusted_until": _stamp(trust.trusted_until),
        "languages": list(langs),
    }
    return Output(f"{json.dumps(body)}\n".encode(), JSON, FRESH)


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
