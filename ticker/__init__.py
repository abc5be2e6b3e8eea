"""The market ticker: three honest numbers for the header of a page.

One way through the house, left to right; every arrow is a plain function call with frozen values::

    sources --> normalize --> validate --> selection --> board --> rendering --> web, export
       ^                                                   |
     fetch <-- polling <-- scheduling                    storage

Read the files in this order: `quotes` (the values), `calendars/` (when a source publishes and a market trades),
`sources/` (one file an upstream), `fetch` and `feeds` (how one is asked), `normalize`, `validate`, `selection/` (which
number is believed, and why), `board`, `polling` (which walks the whole way), `scheduling` (when), `storage/`
(history, and what a restart goes on with), `replicas/` (of several one polls), `backfill` and `recording` (time),
`rendering/`, `web/`, `export/` (the same as files), `metrics` and `health` (what is counted),
`settings/` (what is configured: `fields` says how it is written), `app` (the one composer) and `cli/`.

What may import what stands in tests/test_architecture.py.
"""

__version__ = "0.2.0"
