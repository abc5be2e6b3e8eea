"""Snapshot to bytes: JSON and HTML, each made once a version and kept ready with its entity tag."""

from ticker.render.html import STYLES, Links
from ticker.render.render import Renderer, View
from ticker.render.representation import Representation

__all__ = ["STYLES", "Links", "Renderer", "Representation", "View"]
