"""The image for real, without a registry of images: built over a base of Debian's own, run read-only as another user.

    python -m tests.ops.image [FOLDER]

As root, with buildah and debootstrap of Debian's. FOLDER keeps the base for the next time (default a temporary one).
Minutes, most of them for the base; so it is run by hand and nightly. What it found stands in tests/README.md.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from tests.ops.prometheus import free_port
from tests.support.project_files import ROOT

SUITE = "bookworm"
PACKAGES = "ca-certificates,python3,python3-pip,python3-venv"
USER = "54321"  # not the image's own: a cluster may choose any
ENTER = """
set -e
mount --make-rprivate /
mount --bind {root} {root}
mount -t proc proc {root}/proc
mount -t tmpfs -o mode=1777 tmpfs {root}/tmp
mount -t tmpfs -o mode=1777 tmpfs {root}/dev
: > {root}/dev/null
: > {root}/dev/urandom
mount --bind /dev/null {root}/dev/null
mount --bind /dev/urandom {root}/dev/urandom
mount -o remount,bind,ro {root}
cd {root}
exec chroot {root} /usr/bin/setpriv --reuid {user} --regid {user} --clear-groups --bounding-set=-all --inh-caps=-all \
    --no-new-privs ticker {demo}
"""
PATIENCE = 60.0


def run(*command: str | Path) -> str:
    """A command that must succeed; what it prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout.strip()


def needs(command: str) -> str:
    """The path of `command`. Raises SystemExit where Debian's package of that name is not installed."""
    found = shutil.which(command, path=f"{os.environ['PATH']}:/usr/sbin")
    if not found:
        sys.exit(f"no {command} here: apt-get install buildah debootstrap")
    return found


def main(folder: Path) -> None:
    """Build, look at it, run it; raises AssertionError or CalledProcessError."""
    base = folder / "base"
    if not (base / "etc" / "debian_version").exists():
        run(needs("debootstrap"), "--variant=minbase", f"--include={PACKAGES}", SUITE, base)
    store = ("--root", folder / "root", "--runroot", folder / "run", "--storage-driver", "vfs")
    buildah = (needs("buildah"), *store)
    offered = run(*buildah, "images", "--format", "{{.Name}}")
    if "localhost/base" not in offered.splitlines():
        container = run(*buildah, "from", "scratch")
        run(*buildah, "add", "--quiet", container, base, "/")
        run(*buildah, "commit", "--quiet", "--rm", container, "localhost/base")
    authorities = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    build = ("bud", "--network=host", "--isolation=chroot", f"--secret=id=ca,src={authorities}")
    run(*buildah, *build, "--build-arg", "BASE=localhost/base", "--tag", "market-ticker", ".")
    environment = looked_at(json.loads(run(*buildah, "inspect", "--type", "image", "market-ticker")))
    container = run(*buildah, "from", "--pull-never", "market-ticker")
    try:
        served(Path(run(*buildah, "mount", container)), environment)
    finally:
        run(*buildah, "rm", container)


def looked_at(image: dict[str, object]) -> list[str]:
    """See what the image says of itself; its environment."""
    oci = image["OCIv1"]
    assert isinstance(oci, dict)
    said = oci["config"]
    assert said["User"] == "10001:10001"
    assert said["Entrypoint"] == ["ticker"]
    labels = {name.removeprefix("org.opencontainers.image.") for name in said["Labels"]}
    assert labels >= {"title", "version", "description", "licenses", "authors"}
    sys.stdout.write(f"image {sorted(labels)} {said['User']}\n")
    return list(said["Env"])


def served(root: Path, environment: list[str]) -> None:
    """The demo in it answers: root read-only, no capability, a user that the image does not know, nothing but /tmp."""
    port = free_port()
    demo = f"demo --host 0.0.0.0 --port {port}"
    script = ENTER.format(root=root, user=USER, demo=demo)
    # The base of a registry has a PATH, Debian's own has none.
    path = "/opt/ticker/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    variables = dict(each.split("=", 1) for each in environment) | {"PATH": path}
    process = subprocess.Popen((needs("unshare"), "--mount", "--pid", "--fork", "sh", "-c", script), env=variables)
    try:
        sys.stdout.write(f"answers {answered(f'http://127.0.0.1:{port}/v1/quotes/USD', process)}\n")
    finally:
        # Of the name space's first process, which is the program itself.
        run("pkill", "--signal", "TERM", "--parent", str(process.pid))
        assert process.wait(PATIENCE) == 0


def answered(url: str, process: subprocess.Popen[bytes]) -> dict[str, object]:
    """What the service says of the dollar, when it is up."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - http on the loopback
            quote = json.load(response)
            assert quote["price"]
            return {name: quote[name] for name in ("price", "status", "source")}
        time.sleep(0.5)
    raise AssertionError("no answer")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="ticker-image-") as name:
            main(Path(name))
