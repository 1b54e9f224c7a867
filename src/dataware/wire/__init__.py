"""The hot path: what is done with the answers of a raw transport.

A transport sends one signed request and brings back one answer; this package decides whether that
answer counts and when to ask again. It knows no service and no SDK.
"""

from dataware.wire.retry import RetryBudget, RetryingWire, Transport, error_code

__all__ = ["RetryBudget", "RetryingWire", "Transport", "error_code"]
