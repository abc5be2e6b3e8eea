"""Which candidate speaks for an instrument: preference, agreement between sources, holding what nobody confirms.

Pure and without memory of its own: what must be remembered from one choice to the next comes in as a `Memory` and goes
out in the `Choice`. Read `question` (what a choice depends on), `agreement` (who says the same), `choose` (the
decision, top to bottom), `publish` (the quote that follows); `cross` is what is known without asking any of it.
"""
