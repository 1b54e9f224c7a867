"""An approval that a cut-over waits for: a token that somebody else types; pure.

    where it is typed                    the record                       another person
    shows the token ── its digest ────> approval.token_digest
                                         asked.approval <──────────────── types the token
    waits until token and digest agree

The record has only a digest of the token with the run that it is bound to. So whoever
reads the record cannot approve, and a token of another migration, of an earlier run or of an
earlier cut-over approves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any

TOPIC = "approval"
"""The name of an approval among what a run may be asked, and of the digest in its record."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What opens the gate of one cut-over of `run`: its `token`."""

    run: str
    token: str

    @property
    def token_digest(self) -> str:
        """What the record has of it."""
        return sha256(f"{self.run}/{self.token}".encode()).hexdigest()[:32]

    def fits(self, token_digest: str) -> bool:
        """Whether this is the approval of which that is the digest."""
        return compare_digest(self.token_digest, token_digest)

    def is_given(self, requests: Mapping[str, Any]) -> bool:
        """Whether somebody typed this very token; `requests` is what people ask of the run."""
        return self.token == _field(requests.get(TOPIC), "token")

    def to_json(self, by: str) -> dict[str, Any]:
        """What is asked of the run where it is typed on `by`."""
        return {"token": self.token, "by": by}


def read_approver(requests: Mapping[str, Any]) -> str:
    """Where the approval was typed."""
    return _field(requests.get(TOPIC), "by")


def _field(raw: object, name: str) -> str:
    return str(raw.get(name, "")) if isinstance(raw, Mapping) else ""
