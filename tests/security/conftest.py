"""The browser, as the tests beside it have it."""

from tests.browser.conftest import browser, opened

__all__ = ["browser", "opened"]
