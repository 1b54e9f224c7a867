"""What an access-denied message of AWS says: which action, and by which policy; pure.

A missing permission, a policy that denies on purpose and a key that may not be used want different
fixes. Sources: IAM User Guide, "Troubleshoot access denied error messages", and Amazon S3 User
Guide, "Troubleshoot access denied (403 Forbidden) errors in Amazon S3": "User: ARN is not
authorized to perform: ACTION on resource: ARN", then "because no TYPE policy allows the ACTION
action" or "with an explicit deny in a TYPE policy", and for some types the policy's ARN.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

POLICY_TYPES = (
    "identity-based policy",
    "resource-based policy",
    "resource control policy",
    "service control policy",
    "session policy",
    "VPC endpoint policy",
    "permissions boundary",
    "role trust policy",
)
"""The types that AWS names in its messages."""

_TYPE = "|".join(map(re.escape, POLICY_TYPES))
_ACTION = re.compile(r"\bnot authorized to perform: ?(?P<action>[\w-]+:\w+)")
_KEY = re.compile(r"on (?:the )?resource: ?\"?(?P<arn>arn:[\w-]+:kms:[\w-]*:\d*:[\w/-]+)")
_MISSING = re.compile(rf"\bno (?P<type>{_TYPE}) allows", re.IGNORECASE)
_EXPLICIT = re.compile(
    rf"\bexplicit deny(?: in (?:an?|the) (?P<type>{_TYPE})"
    r"(?:(?:, with policy ARN)?: ?(?P<arn>arn:[\w-]+:[\w-]+:[\w-]*:\d*:[\w/.@+=-]+))?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call was denied, as far as its message says so; what it leaves out is empty.

    `action` is the IAM action; `policy` the type of the policy that decided, and `arn` that very
    policy; `explicit` says that it denies on purpose, so that no further permission helps; `key`
    is the KMS key that may not be used.
    """

    action: str = ""
    policy: str = ""
    explicit: bool = False
    arn: str = ""
    key: str = ""

    @staticmethod
    def of(message: str) -> Denial:
        """The denial of which a message speaks."""
        text = " ".join(message.split())
        action, key = _ACTION.search(text), _KEY.search(text)
        explicit = _EXPLICIT.search(text)
        decided = explicit or _MISSING.search(text)
        return Denial(
            action=action["action"] if action else "",
            policy=_canonical_policy_type((decided["type"] if decided else "") or ""),
            explicit=explicit is not None,
            arn=(explicit["arn"] if explicit else "") or "",
            key=key["arn"] if key else "",
        )

    @property
    def named(self) -> bool:
        """Whether the message says more than that access is denied."""
        return bool(self.action or self.policy or self.explicit)

    def clause(self, otherwise: str) -> str:
        """What is missing, or which policy denies it; `otherwise` names the action if need be."""
        action = self.action or otherwise
        what = f"{action} on the key {self.key}" if self.key else action
        if self.explicit:
            which = f"{self.policy or 'policy'}{f' ({self.arn})' if self.arn else ''}"
            return f"an explicit deny in {_article(which)} {which} forbids {what}"
        if self.policy and self.policy != "identity-based policy":
            return f"no {self.policy} allows {what}"
        return f"it needs {what}"


def _canonical_policy_type(kind: str) -> str:
    """The type as AWS spells it, whatever the case of the message."""
    return next((one for one in POLICY_TYPES if one.casefold() == kind.casefold()), "")


def _article(noun: str) -> str:
    return "an" if noun.startswith("identity") else "a"
