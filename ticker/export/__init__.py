"""The export: what the renderer makes as files in a folder or objects in a store, whole, and never silently old."""

from ticker.export.exporter import ONCE, WATCHED, Exporter
from ticker.export.pictures import Pictures
from ticker.export.target import Target, TargetError, target_of

__all__ = ["ONCE", "WATCHED", "Exporter", "Pictures", "Target", "TargetError", "target_of"]
