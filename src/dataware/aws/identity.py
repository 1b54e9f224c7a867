"""Who the caller is: asked once, on first use, and shared by the regions of an account."""

from __future__ import annotations

import threading

from dataware.aws.errors import translate_errors
from dataware.core.ports import Aws


class Identity:
    """Remembers the answer of the first successful question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[str, str] | None = None

    def ask(self, aws: Aws) -> tuple[str, str]:
        """The account's twelve digits and its partition."""
        with self._lock:
            if self._known is None:
                with translate_errors("the caller's identity", "sts:GetCallerIdentity"):
                    caller = aws.client("sts").get_caller_identity()
                self._known = caller["Account"], caller["Arn"].split(":")[1]
            return self._known
