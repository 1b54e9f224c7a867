"""The phases of work by which a type declares the actions that it needs; pure."""

from __future__ import annotations

PROBE, READ, WRITE, VERIFY, CREATE = "probe", "read", "write", "verify", "create"

DESCRIBE = "describe"
"""What is read of the configuration of a resource: to declare it as it is, or before a stack
adopts it."""

VERSIONS = "versions"
"""What copying every version of an object needs beside the rest."""

ACCOUNT = "account"
"""Actions that IAM can only grant for all resources, such as listing the account's buckets."""

COPIED_FROM, COPIED_TO = (READ, VERIFY), (WRITE, VERIFY)
"""What one copy does with its two sides, once they were looked at."""
