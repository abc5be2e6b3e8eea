"""The configuration: TOML files, overridden by TICKER_… environment variables, overridden by flags.

Read `models` first (what may be set: the object that the service holds), then `loader` (how the layers become one and
what is wrong with them) and `errors` (how that is told).
"""
