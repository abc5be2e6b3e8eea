"""The market ticker: three honest numbers for the header of a page.

One way through the house, left to right; every arrow is a plain function call with frozen values::

    sources --> normalise --> validate --> select --> board --> render --> web
       ^                                                |
     fetch <-- poll <-- schedule                      store

Read the files in this order: `quotes` (the values), `calendars` (when a source publishes), `sources/` (one file an
upstream), `fetch`, `normalise`, `validate`, `select`, `board`, `poll` (the only place that walks the whole way),
`schedule`, `render/`, `web/`, `metrics`, `settings`, `app` (the one composer), `cli`.
"""

__version__ = "0.1.0"
