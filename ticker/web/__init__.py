"""The HTTP face: routes, handlers, middlewares. Everything is cut from the board; a request never goes upstream."""

from ticker.web.connections import Bounds
from ticker.web.doors import Listener
from ticker.web.server import build, build_metrics, serves

__all__ = ["Bounds", "Listener", "build", "build_metrics", "serves"]
