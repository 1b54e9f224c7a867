"""What a marker's parameter holds: its name in the Parameter Store and its JSON value."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.engines.card import ENGINE, LEFTOVERS, REFUSED, EngineName
from dataware.core.engines.unfinished_work import COMPARED
from dataware.core.model import MarkerState
from dataware.core.run_control import RunControl

ROOT = "/dataware/markers"
VERSION = 2
FORMER = 1
"""The format without `after` and `lease`, which is still read."""

LIMIT = 4096
"""Bytes that a standard parameter holds."""

LARGEST = 10**15
"""The largest number that a field may have, far beyond anything that is counted."""

DEPTH = 16
"""How deep progress may be nested; no record comes near it."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
CUTOVER = "cutover"
"""What of the progress says where a cut-over stands, which is never given up."""

ASKED = "asked"
"""What people ask of the run that goes on, by topic; its run keeps it, and others write it."""

HEARD_AT = "heard_at"
"""Among that, when the run was last heard of before somebody else wrote its value again."""

CONTROL = "control"
"""The topic of a pause and of a rate, which hold for the next run as well."""

HOOK, OUTCOME, ACCEPTS = "hook", "outcome", "accepts"
"""What a run wants done where a cut-over was typed, how that cut-over ended, and which topics of
`ASKED` the run looks at."""

APPROVAL = "approval"
"""The digest of the token of the approval that a cut-over waits for; empty once it does not."""

OBJECT_HEADERS = "object_headers"
"""What of the progress says how the objects are written, which the next run goes on with."""

ESSENTIAL = frozenset({CUTOVER, ASKED, ENGINE, LEFTOVERS, COMPARED, OBJECT_HEADERS})
"""What of the progress is never given up."""

SWITCHED_ON = ("feed_enabled", "undo_feed")
"""What of the progress says what a migration has switched on, and has to switch off again."""

SWITCHED_WORDS = frozenset({"switched", "reversible", "closed", "undoing"})
"""The states of a cut-over in which the target is written to."""

UNDO_WORDS = frozenset({"undoing", "undo-frozen", "undo-drained", "undo-verified"})
"""The states in which a cut-over is being undone, so that the target holds the data."""

GIVEN_UP = ("reason", "checkpoint", "failure")
"""What of the progress goes first when a value would be too large, one after another."""

_TEXT, _NUMBER, _NOTHING = (str,), (int, float), type(None)
_FIELDS: Mapping[str, tuple[type, ...]] = {
    "target": _TEXT,
    "source": (str, _NOTHING),
    "run": (str, _NOTHING),
    "identity": (str, _NOTHING),
    "created": (bool,),
    "started": _TEXT,
    "holder": _TEXT,
    "token": _TEXT,
    "released": (bool,),
    "detail": (dict,),
    "after": (int,),
    "lease": _TEXT,
    "batches": (bool,),
    "settled": _NUMBER,
}
_DETAIL: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("phase", "unit", "reason", "command_run"), _TEXT),
    **dict.fromkeys(("done", "total", "rate", "throttled", "retries", "stale"), _NUMBER),
    **dict.fromkeys(("dirty", "carried", "gaps", "conflicts"), _NUMBER),
    **dict.fromkeys(("seconds_left", "verified", "lag"), (*_NUMBER, _NOTHING)),
    **dict.fromkeys(("identity", "checkpoint"), (str, _NOTHING)),
    "exact": (bool,),
    **dict.fromkeys(("followed", "guarded", "deep", "held"), (bool,)),
    **dict.fromkeys(SWITCHED_ON, _TEXT),
    **dict.fromkeys(("carrier", COMPARED, REFUSED), _TEXT),
    **dict.fromkeys((ACCEPTS, LEFTOVERS), (list,)),
    ENGINE: (dict, _NOTHING),
    **dict.fromkeys(("failure", ASKED, HOOK, OUTCOME, CUTOVER, OBJECT_HEADERS, APPROVAL), (dict,)),
}
_ENGINE: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "token", "export", "data", "import", "job"), _TEXT),
    **dict.fromkeys(("source_arn", "seen"), _TEXT),
    "execution": (str, _NOTHING),
    **dict.fromkeys(("attempt", "verification", "files", "items", "denied", "asked_at"), _NUMBER),
    **dict.fromkeys(("export_time", "restore_time", "listed_at"), _NUMBER),
    "restore_times": (list,),
    "manifest": (dict, _NOTHING),
    **dict.fromkeys(("read", "failed", "carrying", "reported", "confirmed"), (bool,)),
    "cancelled": (bool,),
}
"""What engines keep of their work, by which the next run goes on or removes it."""

_FAILURE: Mapping[str, tuple[type, ...]] = {"exit_code": (int,), "reason": _TEXT}
_CUTOVER: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("state", "back", "witness"), _TEXT),
    **dict.fromkeys(("freeze_limit", "freeze_began", "reversible_until"), _NUMBER),
    **dict.fromkeys(("frozen_seconds", "strays"), _NUMBER),
}
_CONTROL: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("paused_at", "max_rate"), (*_NUMBER, _NOTHING)),
    "by": _TEXT,
}
_ADDED = ("after", "lease", "batches", "settled")
"""The fields that the former format does not have."""


class NewerValueError(ValueError):
    """The value has the format of a newer version."""


@dataclass(frozen=True, slots=True)
class MarkerValue:
    """The record of a migration into `target`.

    `holder` says where the run lives and `token` the same for machines, `started` when it began
    (ISO 8601), and `released` that it ended without finishing. `detail` is small progress; what of
    it goes first when a value would be too large, `GIVEN_UP` says.

    `after` is the version of the parameter that its writer had seen: the value counts only as the
    very next version. None stands for the former format, which did not say so. `lease` tells the
    writers of one token apart. `batches` says that its run may write without conditions, and
    `settled` when, by the service's clock, nothing that earlier runs sent so can arrive any more.
    """

    state: MarkerState
    target: str
    source: str | None
    run: str | None
    identity: str | None
    created: bool
    started: str
    holder: str
    token: str = ""
    released: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)
    after: int | None = 0
    lease: str = ""
    batches: bool = False
    settled: float = 0.0

    def follows(self, version: int) -> bool:
        """Whether it was written right after what its writer had seen, as this version."""
        return self.after == version - 1


def parameter_name(kind: str, target: str) -> str:
    """The parameter of a target; names that the Parameter Store does not take are digested."""
    if PLAIN_NAME.fullmatch(target):
        return f"{ROOT}/{kind}/{target}"
    digest = hashlib.sha256(target.encode()).hexdigest()[:16]
    return f"{ROOT}/{kind}/{re.sub(r'[^A-Za-z0-9_.-]', '-', target)[:200]}.{digest}"


def kind_of(name: str) -> str:
    """The kind in a parameter's name."""
    return name[len(ROOT) + 1 :].partition("/")[0]


def target_of(name: str) -> str:
    """The target in a parameter's name, in its digested form where the name has that."""
    return name.rpartition("/")[2]


def encode(value: MarkerValue) -> str:
    """The JSON of a value, within the limit; progress is given up before facts are."""
    detail = dict(value.detail)
    text = _text(value, detail)
    for name in GIVEN_UP:
        if len(text) <= LIMIT:
            return text
        if name in detail:
            del detail[name]
            text = _text(value, detail)
    essential = {name: part for name, part in detail.items() if name in ESSENTIAL}
    return text if len(text) <= LIMIT else _text(value, essential)


def decode(text: str) -> MarkerValue:
    """The value of a JSON text. Raises ValueError for what this version cannot read.

    Of these a newer version's is a NewerValueError.
    """
    try:
        raw = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    former = _is_former(raw.get("version") if isinstance(raw, dict) else None)
    wanted = [name for name in _FIELDS if not (former and name in _ADDED)]
    if missing := [name for name in ("state", *wanted) if name not in raw]:
        raise ValueError(f"no such field: {missing[0]!r}")
    _check(raw, {name: _FIELDS[name] for name in wanted})
    _check(raw["detail"], _DETAIL)
    _check(raw["detail"].get("failure", {}), _FAILURE)
    _check(raw["detail"].get(CUTOVER, {}), _CUTOVER)
    _check_engine(raw["detail"].get(ENGINE) or {})
    requests = raw["detail"].get(ASKED, {})
    _check(requests, {HEARD_AT: _NUMBER, CONTROL: (dict,)})
    _check(requests.get(CONTROL, {}), _CONTROL)
    _check_tree(raw["detail"])
    control_in(raw["detail"])
    if raw["state"] not in (MarkerState.RUNNING.value, MarkerState.COMPLETE.value):
        raise ValueError("its state is none of a migration")
    fields = {name: raw[name] for name in wanted}
    if former:
        fields["after"] = None
    return MarkerValue(state=MarkerState(raw["state"]), **fields)


def _is_former(version: object) -> bool:
    """Whether a format is the former one. Raises ValueError for one that cannot be read."""
    if type(version) is int and version > VERSION:
        raise NewerValueError(f"its format is {version}, this version reads {VERSION}")
    if type(version) is not int or version not in (FORMER, VERSION):
        raise ValueError(f"version {version!r:.40}")
    return version == FORMER


def _check(raw: Mapping[str, Any], types: Mapping[str, tuple[type, ...]]) -> None:
    """Raise ValueError for a part of a wrong type or size; a boolean is no number."""
    for name, allowed in types.items():
        part = raw.get(name)
        if name in raw and type(part) not in allowed:
            raise ValueError(f"its {name} is of a wrong type")
        if isinstance(part, int | float) and not -LARGEST <= part <= LARGEST:
            raise ValueError(f"its {name} is too large")


def _check_engine(record: Mapping[str, Any]) -> None:
    """Raise ValueError for the record of an engine that cannot be gone on with.

    That of an engine which this version does not have is a NewerValueError: it may go on.
    """
    _check(record, _ENGINE)
    name = record.get("name")
    if name is not None and name not in set(EngineName):
        raise NewerValueError(f"its engine is {name!r:.40}, which this version does not have")
    if not all(type(one) is int and abs(one) <= LARGEST for one in record.get("restore_times", ())):
        raise ValueError("its restore_times are of a wrong type")


def _check_tree(detail: object) -> None:
    """Raise ValueError for what is nested too deep, or for a number that is none."""
    for depth, part in _parts(detail):
        if depth > DEPTH:
            raise ValueError("it is nested too deep")
        if isinstance(part, float) and not math.isfinite(part):
            raise ValueError("it holds a number that is too large")


def _parts(whole: object) -> Iterator[tuple[int, object]]:
    """Every part of a JSON value with its depth, without a recursion of its own."""
    waiting = [(0, whole)]
    while waiting:
        depth, part = waiting.pop()
        yield depth, part
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting += [(depth + 1, each) for each in inner]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _text(value: MarkerValue, detail: Mapping[str, Any]) -> str:
    fields = {name: getattr(value, name) for name in MarkerValue.__slots__}
    text = json.dumps({"version": VERSION, **fields, "detail": detail}, separators=(",", ":"))
    # Two braces are a reference to another parameter; they can only stand inside of a string.
    return text.replace("{{", "{\\u007b")


def requests_in(detail: Mapping[str, Any]) -> dict[str, Any]:
    """What people ask of a run, by topic."""
    return {topic: what for topic, what in detail.get(ASKED, {}).items() if topic != HEARD_AT}


def control_in(detail: Mapping[str, Any]) -> RunControl:
    """What of that is a pause or a rate. Raises ValueError for what cannot be done."""
    return RunControl.from_json(detail.get(ASKED, {}).get(CONTROL, {}))


def is_undone(detail: Mapping[str, Any]) -> bool:
    """Whether a cut-over on record is being undone."""
    record = detail.get(CUTOVER)
    return isinstance(record, dict) and record.get("state") in UNDO_WORDS


def was_switched(detail: Mapping[str, Any]) -> bool:
    """Whether the target of a record is in use since a cut-over."""
    record = detail.get(CUTOVER)
    return isinstance(record, dict) and record.get("state") in SWITCHED_WORDS
