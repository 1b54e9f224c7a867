"""`dataware demo`: the whole job, with the real commands, on an AWS embedded in this machine."""

from __future__ import annotations

from dataware.cli.demo.show import Sizes, run_demo

__all__ = ["Sizes", "run_demo"]
