"""Which requests are refused although the parser took them: another reader may see other bounds in their bytes."""

from __future__ import annotations

import re

from aiohttp import HttpVersion10, HttpVersion11, web

from ticker.web.problems import Problem

# RFC 3986, 3.2: a registered name or an address, and a port. It decides nothing here; caches go by it.
_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]{0,255}")


def check_framing(request: web.BaseRequest) -> None:
    """Raise a Problem for a version or a Host that there is not, and for HTTP/1.0 in chunks (RFC 9112, 3.2 and 6.1)."""
    if not HttpVersion10 <= request.version <= HttpVersion11:
        raise Problem(505, f"this is HTTP/{request.version.major}.{request.version.minor}; ask by HTTP/1.1")
    if request.version < HttpVersion11 and "Transfer-Encoding" in request.headers:
        raise Problem(400, "HTTP/1.0 has no Transfer-Encoding; ask by HTTP/1.1")
    if not _HOST.fullmatch(request.headers.get("Host", "")):
        raise Problem(400, "the Host of the request is no host")


def is_well_formed(request: web.BaseRequest) -> bool:
    """Whether `check_framing` raises nothing."""
    try:
        check_framing(request)
    except Problem:
        return False
    return True


def is_last(request: web.BaseRequest) -> bool:
    """Whether the connection ends with this answer, since what follows may not be read as the client means it.

    No route reads a body, so nothing behind one is a request; after `Upgrade` a client may speak another protocol.
    """
    strange = not HttpVersion10 <= request.version <= HttpVersion11
    return request.body_exists or strange or "Upgrade" in request.headers
