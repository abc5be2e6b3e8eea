"""The only HTTP client: time-outs, size caps, conditional requests, and a named failure for all that goes wrong."""

from ticker.fetch.answer import Answer, Fetching
from ticker.fetch.client import Fetcher

__all__ = ["Answer", "Fetcher", "Fetching"]
