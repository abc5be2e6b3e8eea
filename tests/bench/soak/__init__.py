"""Thirty days in three quarters of an hour: sources that fail in waves, a service that must not, readers who check."""
