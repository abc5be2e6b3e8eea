"""Which number is shown: evidence for and against each, one literal table of rules over it, and an explicit memory.

Read `evidence` (what speaks for and against a fixing), `markets` (the same for a market's print), `rules` (the table),
`decide` (the decision, top to bottom), `memory` (what one decision leaves to the next).
"""
