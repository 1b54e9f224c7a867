"""The command line of dataware with a single probe at a time: what a plan is compared with."""

from __future__ import annotations

from dataware.cli import main
from dataware.ops import probe

if __name__ == "__main__":
    probe.PROBES_AT_ONCE = 1
    main()
