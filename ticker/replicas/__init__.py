"""Several services over one store: one polls, by a lease; the others show what it tells them, and know how it fares.

`lease` keeps the lease and listens, on a thread of its own, and hands polling over; `coordinator` makes of that what is
shown, and what the others know of the sources.
"""
