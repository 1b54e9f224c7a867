"""The rows of the decision table, in the order in which they are tried.

Two rules hold for this module. Every situation has an answer: the last row of each block leaves
nothing over. And the first row that fits decides, so the order is part of the table.
`docs/decisions.md` is printed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dataware.core.model import (
    Action,
    Content,
    Existence,
    MarkerState,
    OnError,
    OnFallbackData,
    Ownership,
)
from dataware.core.situation import Fallback, Resumable, Seen, Shape, Situation


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the conditions on columns (a missing column allows everything) and the answer.

    `because` and `warning` are sentences with the words that `dataware.core.rules` knows;
    `reference` and `adopt` fix the import mode; `guarded` forbids to replace anything.
    """

    rule: int
    action: Action
    because: str
    when: Mapping[str, frozenset[StrEnum]] = field(default_factory=dict)
    reference: bool = False
    adopt: bool = False
    guarded: bool = False
    warning: str = ""

    def fits(self, situation: Situation) -> bool:
        """Whether every condition of the row holds."""
        return all(getattr(situation, column) in allowed for column, allowed in self.when.items())


ABSENT, EXISTS, UNSEEN = Existence.ABSENT, Existence.EXISTS, Existence.UNKNOWN
HIDDEN, EMPTY, DATA = Content.UNKNOWN, Content.EMPTY, Content.DATA
RUNNING, COMPLETE = MarkerState.RUNNING, MarkerState.COMPLETE
STOP, KEEP, IMPORT, CREATE = Action.STOP, Action.KEEP, Action.IMPORT, Action.CREATE
MIGRATE, RESUME = Action.MIGRATE, Action.RESUME
OURS, THEIRS = Ownership.THIS_STACK, Ownership.OTHER_STACK

CLEAR_MARKER = "if that is meant to be so, delete the record {marker} and run again"


def when(**columns: StrEnum | tuple[StrEnum, ...]) -> dict[str, frozenset[StrEnum]]:
    """Conditions on columns; a tuple allows any of its values."""
    return {
        column: frozenset(value if isinstance(value, tuple) else (value,))
        for column, value in columns.items()
    }


REFUSALS = (
    Row(
        11,
        STOP,
        "the bucket {name} is not shown to be of this account, so nothing is read from it or "
        "written to it; choose another name, or allow s3:ListAllMyBuckets and s3:ListBucket if "
        "it is yours ({problems})",
        when(owner=Ownership.FOREIGN),
    ),
    Row(
        11,
        STOP,
        "the fallback bucket {foreign} is not shown to be of this account, so it is not read; "
        "take it out of the fallbacks, or allow s3:ListAllMyBuckets and s3:ListBucket if it is "
        "yours",
        when(fallback=Fallback.FOREIGN),
    ),
    Row(
        14,
        STOP,
        "not everything could be seen ({problems}) and on_error is stop; allow the calls and run "
        "again",
        when(seen=Seen.PART, on_error=OnError.STOP),
    ),
    Row(
        16,
        STOP,
        "this stack owns {name} under the logical id {logical_id}, but the app declares it as "
        "{declared}, which would drop it; rename the construct back or move it with `cdk refactor`",
        when(owner=Ownership.MOVED),
    ),
)

MIGRATION_ON_RECORD = (
    Row(
        10,
        STOP,
        "a migration into {name} has begun, but {name} now belongs to {owner}, and dataware never "
        "writes into another stack's resource; finish it from that stack's app",
        when(marker=RUNNING, owner=THEIRS),
    ),
    Row(
        7,
        STOP,
        "a migration from {source} to {name} has begun and cannot end, because {source} no longer "
        "exists: {name} may hold only a part of the data; restore {source} from a backup, or "
        + CLEAR_MARKER.replace("that is meant to be so", "{name} is good as it is"),
        when(marker=RUNNING, resumable=Resumable.GONE),
    ),
    Row(
        14,
        STOP,
        "a migration from {source} to {name} has begun, but not enough can be seen to go on "
        "({problems}); allow the calls and run again",
        when(marker=RUNNING, resumable=Resumable.UNKNOWN),
    ),
    Row(
        14,
        STOP,
        "a migration from {source} to {name} has begun, but {name} itself cannot be seen "
        "({problems}); allow the calls and run again",
        when(marker=RUNNING, preferred=UNSEEN),
    ),
    Row(
        14,
        STOP,
        "a migration from {source} to {name} has begun, but it cannot be seen who owns {name} "
        "({problems}); allow the calls and run again",
        when(marker=RUNNING, owner=Ownership.UNKNOWN),
    ),
    Row(
        13,
        STOP,
        "{source} has the key schema {source_schema}, but {name} wants {schema}: items cannot be "
        "copied as they are; declare the same key schema",
        when(marker=RUNNING, shape=(Shape.DIFFERENT, Shape.UNKNOWN)),
    ),
    Row(7, RESUME, "a migration from {source} has begun (run {run})", when(marker=RUNNING)),
    Row(
        9,
        STOP,
        "the migration into {name} was complete, and now {name} does not exist: its data has been "
        "lost since; restore it from a backup, or " + CLEAR_MARKER,
        when(marker=COMPLETE, preferred=ABSENT),
    ),
    Row(
        14,
        STOP,
        "the migration into {name} was complete, and it cannot be seen whether {name} still exists "
        "({problems}); allow the calls and run again",
        when(marker=COMPLETE, preferred=UNSEEN, owner=(Ownership.NOBODY, Ownership.UNKNOWN)),
    ),
    Row(
        9,
        STOP,
        "the migration into {name} was complete, and now {name} is empty while {source} has data: "
        "copying again could bring back what was deleted on purpose; " + CLEAR_MARKER,
        when(marker=COMPLETE, preferred=EXISTS, content=EMPTY, fallback=Fallback.DATA),
    ),
)

NEEDS_COPY = when(fallback=Fallback.DATA)
NOT_SEEN = "data would have to be copied to {name}, but not enough can be seen to do that safely "
NOT_SEEN += "({problems}); allow the calls and run again"
OTHER_SCHEMA = (
    "{source} has the key schema {source_schema}, but {name} {other_keys}: items cannot be copied "
    "as they are; {same_keys}"
)
NOBODYS_FALLBACK = "{source} has data; the app asks to import the fallback instead of migrating"

ABSENT_ROWS = (
    Row(
        6,
        STOP,
        "this stack owns {name}, but it does not exist any more: it was deleted outside of "
        "CloudFormation; restore it from a backup, or take it out of the stack and deploy once",
        when(preferred=ABSENT, owner=OURS),
    ),
    Row(
        10,
        STOP,
        "{name} does not exist, but it still belongs to {owner}, which would delete what is "
        "created under that name: choose another name, or take it out of that stack first",
        when(preferred=ABSENT, owner=THEIRS),
    ),
    Row(
        15,
        IMPORT,
        NOBODYS_FALLBACK,
        when(preferred=ABSENT, on_fallback_data=OnFallbackData.IMPORT) | NEEDS_COPY,
        reference=True,
    ),
    Row(14, STOP, NOT_SEEN, when(preferred=ABSENT, marker=MarkerState.UNKNOWN) | NEEDS_COPY),
    Row(14, STOP, NOT_SEEN, when(preferred=ABSENT, shape=Shape.UNKNOWN) | NEEDS_COPY),
    Row(13, STOP, OTHER_SCHEMA, when(preferred=ABSENT, shape=Shape.DIFFERENT) | NEEDS_COPY),
    Row(3, MIGRATE, "{name} is absent and {source} has data", when(preferred=ABSENT) | NEEDS_COPY),
    Row(
        14,
        CREATE,
        "{name} is absent and no data was seen under its fallbacks",
        when(preferred=ABSENT, fallback=Fallback.UNKNOWN),
    ),
    Row(
        4,
        CREATE,
        "{name} is absent and its fallbacks are empty",
        when(preferred=ABSENT, fallback=Fallback.EMPTY),
    ),
    Row(5, CREATE, "neither {name} nor a fallback exists", when(preferred=ABSENT)),
)

UNSEEN_ROWS = (
    Row(6, KEEP, "{name} belongs to this stack", when(preferred=UNSEEN, owner=OURS)),
    Row(14, STOP, NOT_SEEN, when(preferred=UNSEEN) | NEEDS_COPY),
    Row(
        10,
        IMPORT,
        "{name} belongs to {owner}",
        when(preferred=UNSEEN, owner=THEIRS),
        reference=True,
    ),
    Row(
        14,
        CREATE,
        "it cannot be seen whether {name} exists; if it does, creating it fails without harm",
        when(preferred=UNSEEN),
        adopt=True,
    ),
)

OWN_ROWS = (
    Row(
        6,
        KEEP,
        "{name} belongs to this stack",
        when(
            preferred=EXISTS,
            owner=OURS,
            fallback=Fallback.DATA,
            content=DATA,
            marker=MarkerState.NONE,
        ),
        warning="two live data sets, and no migration on record ({sizes}): {source} is not used",
    ),
    Row(6, KEEP, "{name} belongs to this stack", when(preferred=EXISTS, owner=OURS, content=DATA)),
    Row(
        6,
        KEEP,
        "{name} belongs to this stack",
        when(preferred=EXISTS, owner=OURS, on_fallback_data=OnFallbackData.IMPORT) | NEEDS_COPY,
        warning="{source} has data that {name} has not, and the app asks not to migrate",
    ),
    Row(
        14,
        STOP,
        NOT_SEEN,
        when(preferred=EXISTS, owner=OURS, marker=MarkerState.UNKNOWN) | NEEDS_COPY,
    ),
    Row(14, STOP, NOT_SEEN, when(preferred=EXISTS, owner=OURS, shape=Shape.UNKNOWN) | NEEDS_COPY),
    Row(
        13,
        STOP,
        OTHER_SCHEMA,
        when(preferred=EXISTS, owner=OURS, shape=Shape.DIFFERENT) | NEEDS_COPY,
    ),
    Row(
        6,
        MIGRATE,
        "{name} belongs to this stack and is empty, and {source} has data",
        when(preferred=EXISTS, owner=OURS, content=EMPTY) | NEEDS_COPY,
        guarded=True,
    ),
    Row(
        14,
        MIGRATE,
        "{name} belongs to this stack, shows no data, and {source} has data",
        when(preferred=EXISTS, owner=OURS) | NEEDS_COPY,
        guarded=True,
    ),
    Row(6, KEEP, "{name} belongs to this stack", when(preferred=EXISTS, owner=OURS)),
)

OTHER_STACK_ROWS = (
    Row(
        10,
        STOP,
        "{name} belongs to {owner}, shows no data, and {source} has data; dataware never migrates "
        "into another stack's resource: choose another name, or migrate in that stack's app",
        when(preferred=EXISTS, owner=THEIRS, content=(EMPTY, HIDDEN)) | NEEDS_COPY,
    ),
    Row(
        10,
        IMPORT,
        "{name} belongs to {owner}",
        when(preferred=EXISTS, owner=THEIRS),
        reference=True,
    ),
)

UNKNOWN_OWNER_ROWS = (
    Row(
        14,
        STOP,
        NOT_SEEN,
        when(preferred=EXISTS, owner=Ownership.UNKNOWN, content=(EMPTY, HIDDEN)) | NEEDS_COPY,
    ),
    Row(
        14,
        IMPORT,
        "{name} exists; it is not referenced, because it cannot be seen whether this stack owns it",
        when(preferred=EXISTS, owner=Ownership.UNKNOWN),
        adopt=True,
    ),
)

NOBODYS_ROWS = (
    Row(
        14,
        STOP,
        "{name} and {source} may both hold data, and it cannot be seen whether a migration was cut "
        "short ({problems}); allow the calls and run again",
        when(
            preferred=EXISTS,
            content=DATA,
            marker=MarkerState.UNKNOWN,
            fallback=(Fallback.DATA, Fallback.UNKNOWN),
        ),
    ),
    Row(
        8,
        IMPORT,
        "{name} has data, and so has {source}",
        when(preferred=EXISTS, content=DATA, marker=MarkerState.NONE) | NEEDS_COPY,
        warning="two live data sets, and no migration on record ({sizes}): {source} is not used",
    ),
    Row(1, IMPORT, "{name} has data", when(preferred=EXISTS, content=DATA)),
    Row(
        15,
        IMPORT,
        NOBODYS_FALLBACK,
        when(
            preferred=EXISTS,
            content=(EMPTY, HIDDEN),
            on_fallback_data=OnFallbackData.IMPORT,
            fallback=Fallback.DATA,
        ),
        reference=True,
    ),
    Row(14, STOP, NOT_SEEN, when(preferred=EXISTS, marker=MarkerState.UNKNOWN) | NEEDS_COPY),
    Row(14, STOP, NOT_SEEN, when(preferred=EXISTS, shape=Shape.UNKNOWN) | NEEDS_COPY),
    Row(13, STOP, OTHER_SCHEMA, when(preferred=EXISTS, shape=Shape.DIFFERENT) | NEEDS_COPY),
    Row(
        3,
        MIGRATE,
        "{name} is empty and {source} has data",
        when(preferred=EXISTS, content=EMPTY) | NEEDS_COPY,
        guarded=True,
    ),
    Row(
        14,
        MIGRATE,
        "{name} shows no data and {source} has data; nothing in {name} is replaced",
        when(preferred=EXISTS) | NEEDS_COPY,
        guarded=True,
    ),
    Row(
        12,
        CREATE,
        "{name} exists, is empty and belongs to nobody: it is taken over",
        when(preferred=EXISTS, content=EMPTY),
    ),
    Row(
        14,
        CREATE,
        "{name} exists and shows no data: it is taken over as it is",
        when(preferred=EXISTS),
    ),
)

TABLE: tuple[Row, ...] = (
    *REFUSALS,
    *MIGRATION_ON_RECORD,
    *ABSENT_ROWS,
    *UNSEEN_ROWS,
    *OWN_ROWS,
    *OTHER_STACK_ROWS,
    *UNKNOWN_OWNER_ROWS,
    *NOBODYS_ROWS,
)
