"""The clock of AWS where this machine's is wrong: the SDK's clients learn it from a refusal.

AWS refuses what is signed for a time more than minutes away from its own, and says its own time in
the header of that answer (IAM User Guide, "Troubleshoot Signature Version 4"). The SDK has no
correction for that, so its signers are replaced by ones that look at the clock of AWS, once a
difference is known.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest

from dataware.http.endpoint import skew_in

SKEW = "dataware-skew"
"""Where a request's context says how many seconds AWS is ahead."""

_SHIFTED = {"v4": "dataware-v4", "s3v4": "dataware-s3v4"}


class _Shifted:
    """A signer whose time is that of AWS."""

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        now = datetime.now(UTC) + timedelta(seconds=request.context[SKEW])
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        super()._modify_request_before_signing(request)  # type: ignore[misc]  # a mix-in


class ShiftedSigV4(_Shifted, SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """Signature version 4."""


class ShiftedS3SigV4(_Shifted, S3SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """Signature version 4 as S3 reads it: the path is not normalised or encoded again."""


# The SDK finds signers by name; names of our own leave its own signers as they are.
AUTH_TYPE_MAPS.update({_SHIFTED["v4"]: ShiftedSigV4, _SHIFTED["s3v4"]: ShiftedS3SigV4})


class ClockSkew:
    """How far AWS is ahead of this machine, shared by the clients of a login."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def register(self, client: Any) -> None:
        """Let a client sign by the clock of AWS, and ask again what was refused for its time."""
        events = client.meta.events
        events.register_first("choose-signer", self._choose)
        events.register("before-sign", self._shift)
        events.register_first("needs-retry", self._correct)

    def learn(self, date: str, used: float) -> bool:
        """Whether the time of an answer explains why what was signed with `used` was refused."""
        seconds = skew_in(date, time.time(), used)
        if seconds is not None:
            self.seconds = seconds
        return seconds is not None

    def _choose(self, signature_version: Any, signing_name: str, **_: Any) -> str | None:
        if not self.seconds:
            return None
        plain_s3 = (signature_version, signing_name) == ("v4", "s3")
        return _SHIFTED.get("s3v4" if plain_s3 else signature_version)

    def _shift(self, request: AWSRequest, **_: Any) -> None:
        request.context[SKEW] = self.seconds

    def _correct(self, response: Any, request_dict: Any, **_: Any) -> int | None:
        """Zero seconds to wait where a retry helps now; None leaves it to the SDK."""
        if response is None or response[0].status_code not in (400, 403):
            return None
        date = response[1].get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        return 0 if self.learn(date, request_dict["context"].get(SKEW, 0.0)) else None
