"""`python -m dataware`."""

from dataware.cli import run

run()
