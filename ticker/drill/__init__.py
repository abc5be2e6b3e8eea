"""Historic failures of this trade, played against a configuration: what readers, metrics and alerts would show.

`upstream` answers in every source's place, `scenarios.toml` tells what happened and what should be seen, and `play`
moves the clock.
"""
