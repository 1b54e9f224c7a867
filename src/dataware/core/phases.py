"""The phases of work by which a type declares the actions that it needs; pure."""

from __future__ import annotations

from enum import StrEnum

PROBE, READ, WRITE, VERIFY, CREATE = "probe", "read", "write", "verify", "create"

DESCRIBE = "describe"
"""What is read of the configuration of a resource: to declare it as it is, or before a stack
adopts it."""

IMPORT = "import"
"""What CloudFormation reads with the caller's permissions when a change set imports a resource."""

VERSIONS, VERSIONS_WRITE = "versions", "versions-write"
"""What copying every version of an object needs beside the rest: on both sides, on the target."""

WRITE_ACL = "acl"
"""What giving each object that is written an ACL needs, beside the rest."""

FOLLOW, CARRY, ENABLE_FEED = "follow", "carry", "enable-feed"
"""What following needs beside the rest: of the source, of the target, and to switch a feed on."""

UNDO = "undo"
"""What going back from a cut-over writes to the old side, and reads of it to write nothing else."""

RESTORE_FROM, RESTORE_TO = "restore-from", "restore-to"
"""What making a target by a restore needs beside the rest: of the source, and of the target."""

ACCOUNT = "account"
"""Actions that IAM can only grant for all resources, such as listing the account's buckets."""

COPIED_FROM, COPIED_TO = (READ, VERIFY), (WRITE, VERIFY)
"""What one copy does with its two sides, once they were looked at."""


class PolicySide(StrEnum):
    """Of which names a policy speaks, where each side of a copy has credentials of its own."""

    BOTH = "both"
    SOURCE = "source"
    TARGET = "target"

    def names_of(self, preferred: str, fallbacks: tuple[str, ...]) -> tuple[str, ...]:
        """The names of a resource that this side has."""
        sides = {PolicySide.SOURCE: fallbacks, PolicySide.TARGET: (preferred,)}
        return sides.get(self, (preferred, *fallbacks))


class PolicyUse(StrEnum):
    """What a policy is for: everything, or one command."""

    ALL = "all"
    PLAN = "plan"
    APPLY = "apply"
    DEPLOY = "deploy"
    MIGRATE = "migrate"
    FOLLOW = "follow"
    UNDO = "undo"
    VERIFY = "verify"
