"""The only HTTP client: time-outs, size caps, conditional requests, and a named failure for all that goes wrong."""

from ticker.fetch.client import Answer, Fetcher, Fetching

__all__ = ["Answer", "Fetcher", "Fetching"]
