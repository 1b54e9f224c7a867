"""How fast a copy may go: a calculator that never sleeps and reads no clock.

Throttling cuts the rate by a factor, calm raises it step by step (additive increase,
multiplicative decrease), below a ceiling that people set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

CUT = 0.7
RAISE = 0.05
FLOOR = 1.0
CALM_SECONDS = 1.0
FREE_FACTOR = 4.0


@dataclass(frozen=True, slots=True)
class AdaptiveRate:
    """The present limit of one direction, in units a second; `rate` None is "as fast as it goes".

    `ceiling` is never passed. `changed` is the time of the last change, in seconds of the
    caller's clock.
    """

    ceiling: float | None = None
    rate: float | None = None
    changed: float = float("-inf")

    @property
    def limit(self) -> float | None:
        """Units a second that are allowed now."""
        limits = [value for value in (self.rate, self.ceiling) if value is not None]
        return min(limits, default=None)

    def after_throttle(self, observed: float, now: float) -> AdaptiveRate:
        """The pace after a throttled answer, when `observed` units a second went through.

        Throttled answers within one calm period count once, since they share a cause.
        """
        if self.rate is not None and now - self.changed < CALM_SECONDS:
            return self
        base = min(value for value in (observed, self.limit) if value is not None)
        return replace(self, rate=max(FLOOR, CUT * base), changed=now)

    def calm(self, observed: float, now: float) -> AdaptiveRate:
        """The pace after a time without throttling; a limit that no longer binds is dropped."""
        if self.rate is None or now - self.changed < CALM_SECONDS:
            return self
        if self.rate > FREE_FACTOR * max(observed, FLOOR):
            return replace(self, rate=None, changed=now)
        return replace(self, rate=self.rate * (1 + RAISE) + FLOOR, changed=now)
