"""Where history is kept and what replicas share: one store interface, with SQLite and Redis behind it."""
