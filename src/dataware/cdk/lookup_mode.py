"""Whether a synth may ask AWS for the decisions that the lock file does not have."""

from __future__ import annotations

import os
from enum import StrEnum

from dataware.cdk.stack_scope import LOOKUP, StackScope
from dataware.core.plan import LOOKUP_VARIABLE


class LookupMode(StrEnum):
    """What happens when the lock file has no decision; `collect` asks for none at all."""

    AUTO = "auto"
    NEVER = "never"
    COLLECT = "collect"


def lookup_mode(home: StackScope) -> LookupMode:
    """The mode that the environment or the context asks for. Raises ValueError.

    The variable wins: so an app that was run to collect does not run itself.
    """
    value = os.environ.get(LOOKUP_VARIABLE) or home.lookup or LookupMode.AUTO
    try:
        return LookupMode(str(value))
    except ValueError:
        modes = ", ".join(LookupMode)
        raise ValueError(f"{LOOKUP} cannot be {value!r}: choose from {modes}") from None
