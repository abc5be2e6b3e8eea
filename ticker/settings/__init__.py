"""The configuration: a TOML file, overridden by TICKER_… environment variables, overridden by flags.

`model` says what may be set, `rules` within which bounds and `types` how it is written; `environment` which key a
variable means, `validation` what is wrong and `errors` how that is told. `load` reads and layers it all and remembers
where each value came from; `memory` keeps for the next start what was found good. Nothing misspelt gets past them.
"""
