"""Names and numbers that everybody shares; imports nothing, as the hand-written loops use it."""

from __future__ import annotations

from typing import Final

SOURCE: Final = "bench-source"
TARGET: Final = "bench-target"
THREADS: Final = 32
"""Threads of a hand-written loop."""
TRANSFERS: Final = 64
"""Transfers at once, of peers that can be told."""
BATCH: Final = 25
"""How many items a batch of DynamoDB may hold."""
