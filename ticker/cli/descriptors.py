"""How many files and connections the process may hold open."""

from __future__ import annotations

# More readers at once than one process serves well; each costs memory too.
_ENOUGH = 16_384


def descriptors() -> int:
    """The limit, raised as far as the system lets us and we can use."""
    try:
        import resource  # noqa: PLC0415 - not there on Windows
    except ImportError:
        return _ENOUGH
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if most == resource.RLIM_INFINITY else min(_ENOUGH, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        return wanted
    return _ENOUGH if now == resource.RLIM_INFINITY else min(now, _ENOUGH)
