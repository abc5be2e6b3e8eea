from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from ticker.web.later import later
from ticker.web.server import ROUTES

if TYPE_CHECKING:
    from tests.service import Served


async def test_a_page_is_answered_whose_file_nobody_has_imported(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request for it waits for its file, and is answered as all the others."""
    for name in [name for name in sys.modules if name.startswith(("ticker.web.docs", "ticker.render.reference"))]:
        monkeypatch.delitem(sys.modules, name)
    async with served.client.get("/docs") as response:
        assert response.status == 200
        assert "ticker.web.docs" in sys.modules


@pytest.mark.parametrize("path", sorted(path for path, _ in ROUTES if "{" not in path and path != "/v1/stream"))
async def test_every_route_has_a_handler_where_it_is_said_to_be(served: Served, path: str) -> None:
    """A misspelt name of a file would be found by its first reader."""
    async with served.client.get(path) as response:
        assert response.status in {200, 400}


async def test_a_handler_that_is_not_there_is_an_error() -> None:
    """Not silence."""
    with pytest.raises(ModuleNotFoundError):
        await later("nowhere.page")(None)  # type: ignore[arg-type]  # nothing is asked of it
