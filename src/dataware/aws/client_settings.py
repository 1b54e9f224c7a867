"""How the control calls of an account behave: how often they are tried, and how long they last."""

from __future__ import annotations

from dataclasses import dataclass

from dataware.aws.interruptible_calls import ANSWER_SECONDS


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How control calls behave.

    `attempts` counts the first try; the pool is as large as the number of threads that may share
    one client. A call that hangs ends after `read_seconds` and is tried again, so `attempts`
    times `read_seconds` bounds it; an answer that trickles is given up after `answer_seconds`. Who
    the caller is comes first and is asked `first_attempts` times only, so that a wrong address is
    told of soon.
    """

    first_attempts: int = 3
    attempts: int = 8
    connect_seconds: float = 10.0
    read_seconds: float = 55.0
    answer_seconds: float = ANSWER_SECONDS
    connections: int = 64
