"""A tool that knows nothing of us calls every documented route with whatever it can think of."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from http import HTTPStatus
from pathlib import Path

from tests.support.running_service import serving
from tests.support.upstream import Upstream

HERE = Path(__file__).parent
# A release asks for thousands: TICKER_EXAMPLES=500 uv run pytest tests/contract
EXAMPLES = os.environ.get("TICKER_EXAMPLES", "6")
# What the coverage phase alone makes of the document; fewer means that the tool saw less of it.
LEAST = 500


async def test_no_call_fails_and_no_answer_is_undocumented(tmp_path: Path) -> None:
    """Examples, coverage, fuzzing and stateful phases; every check of the tool; no status that the document lacks."""
    tool = Path(sys.executable).with_name("schemathesis")
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url) as served:
            await served.ready()
            where = str(served.client.make_url("/v1/openapi.json"))
            command = (str(tool), "--config-file", str(HERE / "schemathesis.toml"), "run", where)
            options = ("--max-examples", EXAMPLES, "--seed", "1", "--no-color", "--generation-database", "none")
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *command, *options, cwd=tmp_path, stdout=pipe, stderr=asyncio.subprocess.STDOUT
            )
            out, _ = await process.communicate()
            counted = served.service.context.traffic.requests
    text = out.decode()
    assert process.returncode == 0, text
    found = re.search(r"(\d+) generated, \1 passed", text)
    assert found, text
    assert int(found[1]) >= LEAST
    assert not [
        route for (route, _, code), count in counted.items() if code >= HTTPStatus.INTERNAL_SERVER_ERROR and count
    ]
