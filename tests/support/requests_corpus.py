"""Requests as they come and as they should not: generated, mutated, split, run together, from one source of chance."""

from __future__ import annotations

from random import Random

TARGETS = (
    b"/v1/quotes",
    b"/v1/quotes/USD",
    b"/widget",
    b"/v1/quotes/EUR?lang=ru",
    b"/v1/quotes?symbols=USD,OIL&lang=de",
    b"/widget?style=change&symbols=OIL",
    b"/v1/quotes?format=csv",
    b"/v1/quotes?shape=map&fields=price,as_of",
    b"/v1/quotes/USD#part",
    b"http://ticker.example/v1/quotes",
)
ODD_TARGETS = (
    b"/nothing",
    b"/v1/quotes/",
    b"/v1//quotes",
    b"/v1/quotes/GBP",
    b"/v1/quotes?symbols=GBP",
    b"/v1/quotes?nothing=1",
    b"/v1/quotes/%55SD",
    b"/v1/quotes?lang=xx",
    b"//evil.example/v1/quotes",
    b"/../v1/quotes",
    b"*",
    b"/healthz",
    b"/widget.css",
    b"/v1/quotes/\xd0\xb0",
    b"/" + b"a" * 9000,
)
TAGS = (
    b'"another"',
    b'"c5ad011810f39d49978488ba"',
    b'"other"',
    b"*",
    b'W/"c5ad011810f39d49978488ba"',
    b'"a", "b"',
    b"",
)
# Fields of ordinary clients, each with its usual value first.
FIELDS = (
    (
        b"Accept",
        (b"*/*", b"text/html,application/xhtml+xml;q=0.9", b"text/csv", b"application/x-ndjson;q=0.5, */*;q=0.1"),
    ),
    (
        b"Accept-Encoding",
        (b"gzip, deflate, br, zstd", b"gzip", b"identity", b"br;q=0, gzip;q=0.5", b"*", b"", b" gzip "),
    ),
    (b"Accept-Language", (b"ru-RU,ru;q=0.9,en;q=0.8", b"de", b"xx", b"en;q=0, ar")),
    (b"Connection", (b"keep-alive", b"Keep-Alive", b"close", b"keep-alive, close", b"upgrade", b"")),
    (b"User-Agent", (b"Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0", b"curl/8.1")),
    (b"sec-ch-ua", (b'"Chromium";v="130", "Not?A_Brand";v="99"',)),
    (b"Sec-Fetch-Mode", (b"cors", b"navigate")),
    (b"Origin", (b"https://news.example", b"https://two.example", b"null")),
    (b"Referer", (b"https://news.example/a?b=c", b"\xd1\x8f")),
    (b"Cookie", (b"a=b; c=d", b'x="\t"')),
    (b"Cache-Control", (b"no-cache", b"max-age=0")),
    (b"Upgrade-Insecure-Requests", (b"1",)),
    (b"X-Forwarded-For", (b"10.1.2.3", b"10.1.2.3, 10.4.5.6")),
    (b"Priority", (b"u=1, i",)),
    (b"If-None-Match", TAGS),
    (b"If-Modified-Since", (b"Fri, 22 Nov 2024 09:00:01 GMT", b"Fri, 22 Nov 2024 08:00:00 GMT", b"yesterday")),
)
# Fields by which requests are smuggled, hidden or refused.
RISKY = (
    b"Content-Length: 0",
    b"Content-Length: 5",
    b"Content-Length: +5",
    b"Content-Length: 5, 5",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding:\x0bchunked",
    b"X: a\r\n b",
    b"X: a\nTransfer-Encoding: chunked",
    b"X: a\rb",
    b"X-A: \x00",
    b"Host: second.example",
    b"User-Agent: again",
    b"Expect: 100-continue",
    b"Upgrade: websocket",
    b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings",
    b"Sec-WebSocket-Key1: a",
    b"Content-Encoding: gzip",
    b"Content-Type: text/plain",
    b"Content-Type: a\r\nContent-Type: b",
    b"Proxy-Connection: close",
    b"Range: bytes=0-5",
    b"TE: trailers",
    b": empty",
    b"no colon",
    b"X-Long: " + b"a" * 5000,
)
HOSTS = (b"", b"a b", b"a/b", b"[::1]:8080", b"ticker.example:80", b"user@ticker.example", b"a" * 256)
METHODS = (b"GET",) * 12 + (b"HEAD",) * 3
ODD_METHODS = (b"POST", b"OPTIONS", b"get", b"CONNECT", b"PRI", b"GETT", b"")
VERSIONS = (b"HTTP/1.1",) * 90 + (b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2", b"http/1.1", b"HTTP/1.1 ")
BYTES = b'\r\n\t :\x00,;/?#%&="\x0b\x7f\x80\xffAaZ019-'


def ask(random: Random) -> bytes:
    """One request, most of them such as every day brings."""
    odd = random.random()
    method = random.choice(ODD_METHODS) if odd < 0.02 else random.choice(METHODS)
    target = random.choice(ODD_TARGETS) if 0.02 < odd < 0.08 else random.choice(TARGETS)
    lines = [b" ".join((method, target, random.choice(VERSIONS)))]
    host = random.choice(HOSTS) if 0.09 < odd < 0.1 else b"ticker.example"
    lines += [] if 0.08 < odd < 0.09 else [b"Host: " + host]
    lines += [_field(random) for _ in range(random.randrange(7))]
    if 0.1 < odd < 0.2:
        lines.insert(random.randint(1, len(lines)), random.choice(RISKY))
    body = random.choice((b"", b"hello", b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n")) if 0.1 < odd < 0.16 else b""
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _field(random: Random) -> bytes:
    name, values = random.choice(FIELDS)
    chance = random.random()
    if chance < 0.1:
        name = random.choice((name.lower(), name.upper(), name.swapcase()))
    blank = b": " if chance < 0.96 else random.choice((b":", b":  ", b":\t", b" : ", b": \t"))
    value = values[0] if random.random() < 0.8 else random.choice(values)
    return name + blank + value + (random.choice((b" ", b"\t", b"  ")) if chance > 0.99 else b"")


def mutated(random: Random, data: bytes) -> bytes:
    """`data` with a few bytes or a line changed, gone, doubled or put in."""
    for _ in range(random.randint(1, 3)):
        at, kind = random.randrange(len(data) + 1), random.randrange(6)
        byte = bytes([random.choice(BYTES)])
        if kind == 0:
            data = data[:at] + byte + data[at:]
        elif kind == 1:
            data = data[:at] + byte + data[at + 1 :]
        elif kind == 2:
            data = data[:at] + data[at + random.randint(1, 9) :]
        elif kind == 3:
            data = data.replace(b"\r\n", random.choice((b"\n", b"\r", b"\r\r\n", b"\n\r")), random.randint(1, 3))
        elif kind == 4:
            lines = data.split(b"\r\n")
            lines.insert(random.randrange(len(lines)), random.choice(lines))
            data = b"\r\n".join(lines)
        else:
            data = data[:at] + random.choice(RISKY) + b"\r\n" + data[at:]
    return data


def chunks(random: Random) -> list[bytes]:
    """What comes in, read by read: a request as a rule; now and then a piece of one, or several at once."""
    kind = random.random()
    if kind < 0.8:
        return [ask(random)]
    if kind < 0.91:
        return [mutated(random, ask(random))]
    if kind < 0.94:
        return [ask(random) + ask(random)]
    whole = ask(random) if kind < 0.97 else ask(random) + mutated(random, ask(random))
    cuts = sorted(random.randrange(len(whole) + 1) for _ in range(random.randint(1, 3)))
    return [whole[start:end] for start, end in zip((0, *cuts), (*cuts, len(whole)), strict=True) if start < end]
