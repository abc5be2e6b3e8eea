"""Snapshot to bytes: JSON and HTML, each made once a version and kept ready with its entity tag."""

from ticker.render.html import STYLES, Links
from ticker.render.render import JSON, Renderer, View
from ticker.render.representation import Representation

__all__ = ["JSON", "STYLES", "Links", "Renderer", "Representation", "View"]
