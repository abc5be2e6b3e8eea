"""What a program writes where somebody looks: its standard error is a real terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys


def shown(code: str) -> bytes:
    """All that Python running `code` to its end has put on the terminal."""
    own, other = pty.openpty()
    subprocess.run((sys.executable, "-c", code), stderr=other, check=True)
    os.close(other)
    text = b""
    while chunk := _read(own):
        text += chunk
    os.close(own)
    return text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed
        return b""
