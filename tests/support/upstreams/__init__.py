"""Sample upstreams of our own: the sources' formats, filled with numbers that move."""
