"""Several services over one store: one polls, by a lease; the others show what it tells them, and know how it fares.

`replica` keeps the lease and listens, on a thread of its own; `coordinator` makes of that who polls (`turns`), what is
shown, and what the others know of the sources (`health_sync`, which travels as `telling` writes it).
"""
