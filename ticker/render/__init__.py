"""Snapshot to bytes: JSON and HTML, each made once a version and kept ready with its entity tag."""
