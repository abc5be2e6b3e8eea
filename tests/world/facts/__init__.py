"""What happened, as tables: timetables, fixings and incidents, each with its source; nothing here reads the product.

Marks of the sources: SOURCES is `../shared/SOURCES.md` (its own marks [F], [C], [P], [K] say how it knows); [K] is
general knowledge that nobody has recorded here. Where a fact is not known it is said to be unknown, never guessed.
"""
