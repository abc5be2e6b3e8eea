from __future__ import annotations

import pytest

from tests.service import Served
from ticker.web.routes import ROUTES, later


@pytest.mark.parametrize("path", sorted(path for path, _ in ROUTES if "{" not in path and path != "/v1/stream"))
async def test_every_route_has_a_handler_where_it_is_said_to_be(served: Served, path: str) -> None:
    """A misspelt name of a file would be found by its first reader."""
    async with served.client.get(path) as response:
        assert response.status in {200, 400}


async def test_a_handler_that_is_not_there_is_an_error() -> None:
    """Not silence."""
    with pytest.raises(ModuleNotFoundError):
        await later("nowhere.page")(None)  # type: ignore[arg-type]  # nothing is asked of it
