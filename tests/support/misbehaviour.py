"""The ways an upstream can go wrong, by name; `name:argument` where one takes an argument.

hang            never answers
close           closes the connection without a byte
reset           resets it (RST)
latency:S       answers after S seconds, whole
drip[:S]        one byte every S seconds, 0.05 unless said
truncate        announces the whole length, sends half of it and closes
bomb_gzip       a small gzip body that inflates to 200 MB of blanks
endless         blanks without end
empty           200 and no byte
garbage         200 and bytes of no encoding
html            200 and a page of a shield against robots, whatever was asked for
redirect:URL    302 to URL
status:CODE     that status and a word of text
retry_after:V   429 with Retry-After: V
"""

from __future__ import annotations

import asyncio
import functools
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiohttp import web

Failure = Callable[[web.BaseRequest, bytes, asyncio.Event], Awaitable[web.StreamResponse]]
"""The request, the healthy body, and the event set when the server stops."""

_BLANKS: Final = b" " * 65_536
_BOMB_SIZE: Final = 200 * 1024 * 1024
_SPLASH: Final = b"<!DOCTYPE html><html><head><title>Checking your browser</title></head><body></body></html>"


def parse(how: str) -> Failure:
    """Find the misbehaviour `how` names; raises KeyError for an unknown one."""
    name, _, argument = how.partition(":")
    if name in _PLAIN:
        return _PLAIN[name]
    return _WITH_ARGUMENT[name](argument)


async def _hang(_request: web.BaseRequest, _body: bytes, stopping: asyncio.Event) -> web.StreamResponse:
    await stopping.wait()
    return web.Response()


async def _close(request: web.BaseRequest, _body: bytes, _stopping: asyncio.Event) -> web.StreamResponse:
    _transport(request).abort()
    return web.Response()


async def _reset(request: web.BaseRequest, _body: bytes, _stopping: asyncio.Event) -> web.StreamResponse:
    linger = struct.pack("ii", 1, 0)
    _transport(request).get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    _transport(request).abort()
    return web.Response()


async def _truncate(request: web.BaseRequest, body: bytes, _stopping: asyncio.Event) -> web.StreamResponse:
    response = await _begun(request, {"Content-Length": str(len(body))})
    await response.write(body[: len(body) // 2])
    _transport(request).close()
    return response


async def _endless(request: web.BaseRequest, _body: bytes, stopping: asyncio.Event) -> web.StreamResponse:
    response = await _begun(request, {})
    while not stopping.is_set():
        await response.write(_BLANKS)
    return response


async def _bomb(_request: web.BaseRequest, _body: bytes, _stopping: asyncio.Event) -> web.StreamResponse:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return web.Response(body=_gzipped_blanks(), headers=headers)


async def _empty(_request: web.BaseRequest, _body: bytes, _stopping: asyncio.Event) -> web.StreamResponse:
    return web.Response()


async def _garbage(_request: web.BaseRequest, _body: bytes, _stopping: asyncio.Event) -> web.StreamResponse:
    return web.Response(body=bytes(range(128, 256)) * 8)


async def _html(_request: web.BaseRequest, _body: bytes, _stopping: asyncio.Event) -> web.StreamResponse:
    return web.Response(body=_SPLASH, headers={"Content-Type": "text/html; charset=utf-8"})


def _latency(argument: str) -> Failure:
    async def wait(_request: web.BaseRequest, body: bytes, stopping: asyncio.Event) -> web.StreamResponse:
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), float(argument))
        return web.Response(body=body)

    return wait


def _drip(argument: str) -> Failure:
    pause = float(argument or 0.05)

    async def drip(request: web.BaseRequest, body: bytes, stopping: asyncio.Event) -> web.StreamResponse:
        response = await _begun(request, {"Content-Length": str(len(body))})
        for byte in body:
            await response.write(bytes([byte]))
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)
                break
        return response

    return drip


def _status(argument: str) -> Failure:
    return _response(int(argument), {})


def _retry_after(argument: str) -> Failure:
    return _response(429, {"Retry-After": argument})


def _redirect(argument: str) -> Failure:
    return _response(302, {"Location": argument})


def _response(status: int, headers: dict[str, str]) -> Failure:
    async def respond(_request: web.BaseRequest, _body: bytes, _stopping: asyncio.Event) -> web.StreamResponse:
        return web.Response(status=status, headers=headers, text="refused")

    return respond


async def _begun(request: web.BaseRequest, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
    await response.prepare(request)
    return response


def _transport(request: web.BaseRequest) -> asyncio.Transport:
    assert request.transport is not None, "the client left first"
    return request.transport


@functools.cache
def _gzipped_blanks() -> bytes:
    packer = zlib.compressobj(level=1, wbits=31)
    packed = [packer.compress(_BLANKS) for _ in range(_BOMB_SIZE // len(_BLANKS))]
    return b"".join([*packed, packer.flush()])


_PLAIN: Final[dict[str, Failure]] = {
    "hang": _hang,
    "close": _close,
    "reset": _reset,
    "truncate": _truncate,
    "endless": _endless,
    "bomb_gzip": _bomb,
    "empty": _empty,
    "garbage": _garbage,
    "html": _html,
}
_WITH_ARGUMENT: Final[dict[str, Callable[[str], Failure]]] = {
    "drip": _drip,
    "latency": _latency,
    "redirect": _redirect,
    "status": _status,
    "retry_after": _retry_after,
}
