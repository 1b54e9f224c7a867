"""Records of runs, made up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dataware.report.html.story import Story, story_of

Record = dict[str, Any]

COPY = {"source": "orders", "name": "orders-prod", "unit": "item"}


def beginning(command: str, *arguments: str) -> Record:
    """How a record begins."""
    return {
        "record": 1,
        "run": "20261124-180102-417-3f",
        "command": command,
        "arguments": list(arguments),
        "started": "2026-11-24T18:01:02+00:00",
        "versions": {"dataware": "0.1.0", "Python": "3.13.0"},
    }


def happened(at: float, code: str, **data: object) -> Record:
    """One record."""
    return {"at": at, "code": code, "data": data}


def ended(at: float, exit_code: int, reason: str | None = None) -> Record:
    """How a record ends."""
    return happened(at, "end", exit_code=exit_code, reason=reason)


def told(command: str, *records: Record, alive: bool = False) -> Story:
    """The story of some records."""
    return story_of(beginning(command), records, alive=alive)


def copied(count: int = 78, seconds: int = 8) -> Iterator[Record]:
    """A copy from its beginning to its verification, throttled in its second half."""
    yield happened(0.2, "copying", **COPY)
    yield happened(0.3, "found", count=count, **COPY)
    for n in range(1, seconds + 1):
        throttled = max(0, n - seconds // 2)
        yield happened(
            float(n), "progress", done=count * n // seconds, total=count, throttled=throttled,
            retries=throttled, **COPY,
        )  # fmt: skip
    counts = {"copied": count, "same": 0, "skipped": 0, "bytes": 12_345, "skip_reasons": {}}
    yield happened(seconds + 0.1, "copy-totals", **counts, **COPY)
    yield happened(seconds + 0.2, "migrated", **COPY)
    yield happened(seconds + 0.2, "verified", count=count, evidence="all by content", **COPY)


def apart(side: str, keys: Iterable[str]) -> Iterator[Record]:
    """Keys that are not the same on both sides."""
    listed = list(keys)
    for start in range(0, len(listed), 500):
        some = listed[start : start + 500]
        yield happened(
            9.0, "compared-different", difference=side, count=len(some), keys=some, **COPY
        )


def facts(name: str, **more: object) -> Record:
    """The facts of an existing resource with data, as in a plan."""
    usual = {
        "name": name,
        "exists": "yes",
        "content": "data",
        "owner": "no stack",
        "marker": "none",
    }
    size = {"items": 78, "bytes": 12_345, "exact": True}
    settings = {"encryption": "SSE-S3", "versioning": "on"}
    return {**usual, "size": size, "settings": settings, "problems": [], "notes": [], **more}


def decided(number: int = 0, action: str = "migrate", **more: object) -> Record:
    """The decision on one table."""
    old, new = f"orders-{number}", f"orders-{number}-prod"
    data: Record = {
        "name": new,
        "id": f"Shop/Orders{number}/Resource",
        "type": "AWS::DynamoDB::Table",
        "preferred": facts(new, exists="no"),
        "fallbacks": [facts(old)],
        "action": action,
        "rule": 3,
        "reason": f"{new} is absent and {old} has data",
        "source": old,
        "import": "adopt",
        "warnings": [],
        "estimate": {"items": 78, "bytes": 12_345, "seconds": 2, "usd": 0.0002, "exact": True},
    }
    return happened(0.1, "decision", **{**data, **more})


ATTACK = "</script></style>--><img src=//example.com onerror=\"alert('x')\">"


def attacked() -> list[Record]:
    """A record that has everything, all of it named by an attacker."""
    copy = {**COPY, "name": ATTACK, "source": ATTACK}
    return [
        happened(0.0, "where", account=ATTACK, region=ATTACK),
        decided(0, ATTACK, id=ATTACK, reason=ATTACK, warnings=[ATTACK]),
        decided(0, "keep", type=ATTACK),
        *({**record, "data": {**record["data"], **copy}} for record in copied()),
        happened(3.0, "skipped", **copy, reason=ATTACK, detail=ATTACK, keys=[ATTACK] * 60),
        happened(3.0, "slowed", reason=ATTACK, **copy),
        *apart(ATTACK, [ATTACK] * 60),
        happened(4.0, "new-in-a-later-version", what=ATTACK),
        happened(4.0, "note"),
        happened(5.0, "cut", **{"skipped": 7}),
        ended(9, 4, ATTACK),
    ]
