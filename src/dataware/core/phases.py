"""The phases of work by which a type declares the actions that it needs; pure."""

from __future__ import annotations

PROBE, READ, WRITE, VERIFY, CREATE = "probe", "read", "write", "verify", "create"

DESCRIBE = "describe"
"""What `dataware init` reads to declare a resource as it is; no run needs it."""

VERSIONS = "versions"
"""What copying every version of an object needs beside the rest."""

ACCOUNT = "account"
"""Actions that IAM can only grant for all resources, such as listing the account's buckets."""

COPIED_FROM, COPIED_TO = (READ, VERIFY), (WRITE, VERIFY)
"""What one copy does with its two sides, once they were looked at."""
