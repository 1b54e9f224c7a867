"""Measurements: what `make bench` runs. Nothing here is a test, and no test is timed."""
