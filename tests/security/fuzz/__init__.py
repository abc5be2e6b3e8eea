"""Coverage-guided fuzzing, by hand: `nice sh .ci/uv run --group fuzz python -m tests.security.fuzz.parsers`.

Atheris asks for Linux on x86 and Python 3.12 or newer: elsewhere put `--python 3.12` behind `run`, and let
`UV_PROJECT_ENVIRONMENT` name another folder than the one you work with.

`parsers` (every adapter), `targets` (request targets and headers against the application) and `configuration` (TOML and
environment). libFuzzer's own options follow: `-max_total_time=600`, a folder to keep the corpus in. The seeds are made
here, from the samples of the demo. Anything but the errors that each may raise is a finding and ends the run.
"""
