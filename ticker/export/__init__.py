"""The export: what the renderer makes as files in a folder or objects in a store, whole, and never silently old."""
