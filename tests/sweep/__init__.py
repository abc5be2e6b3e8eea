"""What is too long for every change: `make sweep`, by hand and nightly. See tests/README.md."""
