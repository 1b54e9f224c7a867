"""What storage classes mean, for the probe and for the copy."""

from __future__ import annotations

from typing import Final

ARCHIVE_CLASSES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Objects of these have to be restored before anybody can read them (API Reference, GetObject)."""
