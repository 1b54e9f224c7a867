"""The hot path: what is done with the answers of a raw transport.

A raw transport sends one signed request and brings back one answer; `transport` corrects what AWS
refused for its signature or its region, `retry` decides whether an answer counts and when to ask
again. What an operation means stays with its caller (`Request.judge`), and no SDK is needed.
"""

from dataware.wire.retry import RetryBudget, RetryingWire, open_wire
from dataware.wire.transport import RawTransport, Transport, with_corrections

__all__ = [
    "RawTransport",
    "RetryBudget",
    "RetryingWire",
    "Transport",
    "open_wire",
    "with_corrections",
]
