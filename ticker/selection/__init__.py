"""Which number is shown: evidence for and against each, one literal table of rules over it, and an explicit memory.

Read `decide` (the frame), `markets` (prints: what speaks for and against them, and the decision), `evidence` and
`fixings` (the same of tables), `rules` (the table), `memory` (what one decision leaves to the next).
"""
