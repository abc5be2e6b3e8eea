"""Names and certificates that are wrong, met by the real process: no number comes over such a line."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.faults.faces import Faces, look
from tests.ops.process import Process, answers, running, until
from tests.ops.world import turning, write
from tests.support.programs import missing, needs

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

NOW = "2024-11-22 12:00:00"
LONG_AGO = "2001-01-01 00:00:00"


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody who vouches for certificates; the service of a test trusts the one in `folder`."""

    folder: Path

    @property
    def file(self) -> Path:
        """Its own certificate."""
        return self.folder / "ca.pem"

    def establish(self) -> None:
        """Make its key and its certificate."""
        self._openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9999", "-subj", "/CN=tests",
            "-keyout", "ca.key", "-out", "ca.pem",
        )  # fmt: skip

    def certify(self, name: str, days: int = 9999, *, by: str = "ca", began: str | None = None) -> ssl.SSLContext:
        """A server's context with a certificate for the host `name`, vouched for by itself where `by` is not "ca"."""
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key") if by == "ca" else ()
        self._openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={'IP' if name[0].isdigit() else 'DNS'}:{name}",
            *signed, "-keyout", "own.key", "-out", "own.pem", began=began,
        )  # fmt: skip
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.folder / "own.pem", self.folder / "own.key")
        return context

    def _openssl(self, *arguments: str, began: str | None = None) -> None:
        then = (needs("faketime"), began) if began else ()
        subprocess.run((*then, needs("openssl"), *arguments), cwd=self.folder, check=True, capture_output=True)


@asynccontextmanager
async def behind(tls: ssl.SSLContext, upstream: str) -> AsyncIterator[str]:
    """A server with `tls` that hands on what `upstream` answers."""
    async with aiohttp.ClientSession() as session:

        async def hand_on(request: web.BaseRequest) -> web.StreamResponse:
            async with session.get(f"{upstream}{request.path_qs}") as answer:
                return web.Response(body=await answer.read(), status=answer.status)

        runner = web.ServerRunner(web.Server(hand_on), shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        try:
            yield f"https://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def fails_as(process: Process, reason: str) -> Faces:
    """What the service says once every source has failed; each must have failed for `reason`."""
    async with aiohttp.ClientSession() as session:
        await process.said("source failed", 4)
        faces = await look(session, process.url, process.metrics)
    assert faces.sources == dict.fromkeys(faces.sources, reason)
    assert {line["reason"] for line in process.lines if line["event"] == "source failed"} == {reason}
    assert set(faces.each("reason").values()) == {reason}
    assert all(faces.failures(source, reason) >= 1 for source in faces.sources)
    return faces


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """One that the service trusts."""
    made = Authority(tmp_path)
    made.establish()
    return made


WRONG = {
    "self-signed": {"name": "127.0.0.1", "by": "itself"},
    "expired": {"name": "127.0.0.1", "days": 30, "began": LONG_AGO},
    "another host's": {"name": "other.example"},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_certificate_is_not_believed(tmp_path: Path, authority: Authority, wrong: str) -> None:
    """Every source behind it: dashes, not ready, `tls` everywhere."""
    tls = await asyncio.to_thread(lambda: authority.certify(**WRONG[wrong]))  # type: ignore[arg-type]
    async with turning() as world, behind(tls, world.upstream.url) as url:
        async with running(write(tmp_path / "t.toml"), url, {"SSL_CERT_FILE": str(authority.file)}) as process:
            faces = await fails_as(process, "tls")
    assert set(faces.each("price").values()) == {None}
    assert faces.ready == 503
    assert world.upstream.hits() == []


async def test_a_right_certificate_is_believed(tmp_path: Path, authority: Authority) -> None:
    """The same authority, the right host, in its time: the numbers come."""
    tls = await asyncio.to_thread(lambda: authority.certify("127.0.0.1"))
    async with turning() as world, behind(tls, world.upstream.url) as url, aiohttp.ClientSession() as session:
        async with running(write(tmp_path / "t.toml"), url, {"SSL_CERT_FILE": str(authority.file)}) as process:
            await until(lambda: answers(session, f"{process.url}/readyz"))


async def test_a_name_that_nobody_knows_is_a_dns_failure_until_somebody_does(tmp_path: Path) -> None:
    """In a process with an /etc/hosts of its own and nobody to ask beside: `dns`, then numbers, without a restart."""
    hosts, resolver = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text("127.0.0.1 localhost\n")
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    mounts = f"mount --bind {hosts} /etc/hosts && mount --bind {resolver} /etc/resolv.conf"
    apart = (needs("unshare"), "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh")
    tried = await asyncio.create_subprocess_exec(*apart, "true", stderr=asyncio.subprocess.DEVNULL)
    if await tried.wait():
        missing("an /etc/hosts of its own needs the right to mount")
    async with turning() as world, aiohttp.ClientSession() as session:
        url = f"http://rates.example:{world.upstream.url.rpartition(':')[2]}"
        async with running(write(tmp_path / "t.toml"), url, under=apart) as process:
            assert set((await fails_as(process, "dns")).each("price").values()) == {None}
            hosts.write_text("127.0.0.1 localhost rates.example\n")
            await until(lambda: answers(session, f"{process.url}/readyz"))
