"""The engines of a migration in words: a line for each, short enough for 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataware.calc.measures import duration
from dataware.core.engines.card import EngineName
from dataware.core.engines.choice import EngineState
from dataware.core.engines.general import LONG_SECONDS
from dataware.report.summary import money

Json = Mapping[str, Any]

CENT = 0.01


def list_engine_lines(resource: Json) -> Iterator[str]:
    """A line for every engine: "restore: about 3 h, $12.00, picked", or why it is out."""
    for line in resource.get("engines", ()):
        yield f"{line['engine']}: {_describe(line)}"


def is_choice_notable(resource: Json) -> bool:
    """Whether a short plan shows the engines: another one than local, or a long local copy."""
    lines = {line["engine"]: line for line in resource.get("engines", ())}
    if not lines:
        return False
    local = lines.get(EngineName.LOCAL.value, {})
    seconds = local.get("seconds")
    is_local = resource.get("engine") == EngineName.LOCAL.value
    return not is_local or (seconds is not None and seconds > LONG_SECONDS)


def _describe(line: Json) -> str:
    state = line["state"]
    if state == EngineState.UNFIT:
        return f"no, {line['why']}"
    parts = [_effort(line)]
    if state == EngineState.NOT_BUILT:
        return "; ".join(filter(None, (f"not built ({parts[0]})", line["why"])))
    parts += [state.value if isinstance(state, EngineState) else state]
    text = ", ".join(filter(None, parts))
    condition = f", but only with --engine: {line['why']}" if line["why"] else ""
    return f"{text}{condition}"


def _effort(line: Json) -> str:
    """Time and money: "about 20 h 49 min, $2,207.09", "no time promised, at least $10.00"."""
    if line["usd"] is None:
        return "size unknown"
    seconds = line["seconds"]
    time = "no time promised" if seconds is None else f"about {duration(seconds)}"
    if line["at_least"] and line["usd"] < CENT:
        return f"{time}, its full price is not known"
    least = "at least " if line["at_least"] else ""
    return f"{time}, {least}{money(line['usd'])}{_describe_part(line.get('verification'))}"


def _describe_part(part: Json | None) -> str:
    """What of it is the verification: " (verifying: 46 min, $1.50)"."""
    if part is None:
        return ""
    return f" (verifying: {duration(part['seconds'])}, {money(part['usd'])})"
