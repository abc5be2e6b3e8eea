"""The market ticker: three honest numbers for the header of a page.

One way through the house, left to right; every arrow is a plain function call with frozen values::

    sources --> normalise --> validate --> select --> board --> render --> web
       ^                                                |
     fetch <-- poll <-- schedule                      store

Read the files in this order: `quotes/` (the values), `calendars/` (when a source publishes), `sources/` (one file an
upstream), `fetch/`, `feeds` (how one is asked), `normalise`, `validate`, `select/`, `board`, `poll` (which walks the
whole way), `schedule/` (when), `stores/`, `replicas/` (of several one polls), `history`, `backfill/` and
`recording/` (time), `render/`, `web/`, `export/` (the same as files), `metrics/`,
`health` and `process_health` (what is counted), `settings/` and `configured/` (settings become values), `app/` (the one
composer), `cli/`. `carry` and `keys` serve a reload and the sources' keys.
"""

__version__ = "0.1.0"
