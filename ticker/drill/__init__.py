"""Historic failures of this trade, played against a configuration: what readers, metrics and alerts would show.

`upstream` answers in every source's place, `scenarios` is the literal table of what happened, `play` moves the clock.
"""
