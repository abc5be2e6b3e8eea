"""Measurements, not tests: `uv run python -m tests.bench.NAME` prints a table; nothing here runs in the suite."""
