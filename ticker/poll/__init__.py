"""The only place that walks the whole way: fetch, normalise, validate, select, board; and the health of each source.

`poller` is the walk; `coverage` what is asked and of whom, `heard` what the sources said that may speak, `decided` what
selection made of it, `publisher` where that goes; `duty` says whether this service is the one to publish.
"""
