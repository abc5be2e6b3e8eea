"""nginx with one worker: the answer as a file that it keeps open, or as a `return` out of its configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.programs import needs

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 75;
    tcp_nodelay on;
    sendfile on;
    open_file_cache max=100 inactive=600s;
    open_file_cache_valid 60s;
    etag off;
    types {{ }}
    default_type application/json;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {folder}/files;
{headers}
{content}
    }}
}}
"""
# Of the answer's fields, those that nginx writes of its own accord.
_OWN = ("Content-Type", "Last-Modified")


def static(folder: Path, port: int) -> list[str]:
    """The body as a file."""
    path = folder / "files" / "v1" / "quotes"
    path.mkdir(parents=True, exist_ok=True)
    (path / "USD").write_text(_kept(folder)["body"])
    return _command(folder, port, "static", "")


def returning(folder: Path, port: int) -> list[str]:
    """The body as a literal."""
    body = _kept(folder)["body"].replace("'", "\\'").replace("$", "")
    return _command(folder, port, "return", f"        location / {{ return 200 '{body}'; }}")


def _kept(folder: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads((folder / "answer.json").read_text())


def _command(folder: Path, port: int, name: str, content: str) -> list[str]:
    fields = _kept(folder)["headers"]
    lines = [f'        add_header {field} "{_escaped(value)}";' for field, value in fields.items() if field not in _OWN]
    own = folder / name
    own.mkdir(exist_ok=True)
    text = _CONFIGURATION.format(folder=own, port=port, headers="\n".join(lines), content=content)
    (own / "nginx.conf").write_text(text.replace(f"root {own}/files", f"root {folder}/files"))
    return [needs("nginx"), "-c", str(own / "nginx.conf"), "-e", str(own / "nginx.log")]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
