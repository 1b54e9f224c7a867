"""`python -m dataware.cli`."""

from dataware.cli import run

run()
