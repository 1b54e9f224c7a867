"""The rows that are tried first: what is never done, and what goes before any other decision.

The rows of a block stand in the order in which they are tried, as in `dataware.core.table`.
"""

from __future__ import annotations

from dataware.core.model import MarkerState, OnError, Ownership
from dataware.core.row import (
    ABSENT,
    COMPLETE,
    DATA,
    EMPTY,
    EXISTS,
    HIDDEN,
    OURS,
    RESUME,
    RUNNING,
    STOP,
    THEIRS,
    UNSEEN,
    WITH_DATA,
    DecisionRow,
    when,
)
from dataware.core.situation import Fallback, Resumable, SchemaFit, Visibility

CLEAR_MARKER = "if that is intended, delete the record {marker} and run again"

REFUSALS = (
    DecisionRow(
        11,
        STOP,
        "cannot confirm that {short} {name} belongs to this account, so it is not touched; choose "
        "another name, or allow {ownership} if it is yours ({problems})",
        when(owner=Ownership.FOREIGN),
    ),
    DecisionRow(
        11,
        STOP,
        "cannot confirm that fallback {short} {foreign} belongs to this account, so it is not "
        "read; remove it, or allow {ownership} if it is yours",
        when(fallback=Fallback.FOREIGN),
    ),
    DecisionRow(
        14,
        STOP,
        "not everything could be checked ({problems}) and on_error is stop; {cure}",
        when(visibility=Visibility.PART, on_error=OnError.STOP),
    ),
    DecisionRow(
        16,
        STOP,
        "this stack owns {name} as {logical_id}, but the app declares it as {declared}, which "
        "would drop it; rename the construct back or run `cdk refactor`",
        when(owner=Ownership.MOVED),
    ),
)

MIGRATION_ON_RECORD = (
    DecisionRow(
        10,
        STOP,
        "a migration into {name} has begun, but {name} now belongs to {owner}, where dataware "
        "never writes; finish it from that stack's app",
        when(marker=RUNNING, owner=THEIRS),
    ),
    DecisionRow(
        7,
        STOP,
        "a migration from {source} to {name} cannot finish, because {source} no longer exists: "
        "{name} may hold only part of the data; restore {source} from a backup, or "
        + CLEAR_MARKER.replace("that is intended", "{name} is good as it is"),
        when(marker=RUNNING, resumable=Resumable.GONE),
    ),
    DecisionRow(
        14,
        STOP,
        "a migration from {source} to {name} has begun, but not enough is known to resume it "
        "({problems}); {cure}",
        when(marker=RUNNING, resumable=Resumable.UNKNOWN),
    ),
    DecisionRow(
        14,
        STOP,
        "a migration from {source} to {name} has begun, but {name} itself cannot be read "
        "({problems}); {cure}",
        when(marker=RUNNING, preferred=UNSEEN),
    ),
    DecisionRow(
        14,
        STOP,
        "a migration from {source} to {name} has begun, but the owner of {name} is unknown "
        "({problems}); {cure}",
        when(marker=RUNNING, owner=Ownership.UNKNOWN),
    ),
    DecisionRow(
        13,
        STOP,
        "{source} has the key schema {source_schema}, but {name} declares {schema}: items "
        "cannot be copied as they are; declare the same key schema",
        when(marker=RUNNING, shape=(SchemaFit.DIFFERENT, SchemaFit.UNKNOWN)),
    ),
    DecisionRow(7, RESUME, "a migration from {source} has begun (run {run})", when(marker=RUNNING)),
    DecisionRow(
        9,
        STOP,
        "{name} does not exist: it was deleted after the migration into it was complete; restore "
        "it from a backup, or " + CLEAR_MARKER,
        when(marker=COMPLETE, preferred=ABSENT),
    ),
    DecisionRow(
        14,
        STOP,
        "the migration into {name} was complete, and it is unknown whether {name} still exists "
        "({problems}); {cure}",
        when(marker=COMPLETE, preferred=UNSEEN, owner=(Ownership.UNMANAGED, Ownership.UNKNOWN)),
    ),
    DecisionRow(
        9,
        STOP,
        "the migration into {name} was complete, and now {name} is empty: copying {source} again "
        "could bring back deleted data; " + CLEAR_MARKER,
        when(marker=COMPLETE, preferred=EXISTS, content=EMPTY, fallback=WITH_DATA),
    ),
)

UNMANAGED_OR_UNKNOWN = (Ownership.UNMANAGED, Ownership.UNKNOWN)
UNREAD = (Fallback.UNKNOWN, Fallback.LATER)
"""Some fallback that would come first may hold data, and cannot be looked into."""
WITHOUT_DATA = (EMPTY, HIDDEN)

COULD_STRAND = (
    DecisionRow(
        14,
        STOP,
        "{hidden}; an empty {name} beside it could strand that data: {next_step}",
        when(
            on_error=OnError.SAFE,
            preferred=ABSENT,
            owner=UNMANAGED_OR_UNKNOWN,
            fallback=Fallback.UNKNOWN,
        ),
    ),
    DecisionRow(
        14,
        STOP,
        "{source} has data, but {hidden}, and comes first; using {source} could strand that data: "
        "{next_step}",
        when(
            on_error=OnError.SAFE,
            preferred=ABSENT,
            owner=UNMANAGED_OR_UNKNOWN,
            fallback=Fallback.LATER,
        ),
    ),
    DecisionRow(
        14,
        STOP,
        "{name} shows no data, and {hidden}; using {name} as it is could strand that data: "
        "{next_step}",
        when(on_error=OnError.SAFE, preferred=UNSEEN, fallback=UNREAD),
    ),
    DecisionRow(
        14,
        STOP,
        "{name} shows no data, and {hidden}; using {name} as it is could strand that data: "
        "{next_step}",
        when(on_error=OnError.SAFE, preferred=EXISTS, content=WITHOUT_DATA, fallback=UNREAD),
    ),
    DecisionRow(
        14,
        STOP,
        "{source} has data, and {name} of this stack cannot be read ({problems}); keeping {name} "
        "could strand that data: {cure}",
        when(on_error=OnError.SAFE, preferred=UNSEEN, owner=OURS, fallback=Fallback.DATA),
    ),
    DecisionRow(
        14,
        STOP,
        "the migration into {name} was complete, and {name} may be empty now ({problems}): "
        "copying {source} again could bring back deleted data; {cure}",
        when(
            on_error=OnError.SAFE,
            preferred=EXISTS,
            content=HIDDEN,
            marker=COMPLETE,
            fallback=Fallback.DATA,
        ),
    ),
    DecisionRow(
        14,
        STOP,
        "{name} has data, a fallback has or may have data, and it is unknown whether a "
        "migration was interrupted ({problems}); {cure}",
        when(
            on_error=OnError.SAFE,
            preferred=EXISTS,
            content=DATA,
            marker=MarkerState.UNKNOWN,
            fallback=(*WITH_DATA, Fallback.UNKNOWN),
        ),
    ),
)
"""What `on_error` "safe" stops at, because "no data" would be a guess that can strand data."""

TWO_DATA_SETS = (
    DecisionRow(
        8,
        STOP,
        "{name} and {source} both hold data, no migration is recorded{sizes}, and on_error is "
        "stop; {way_out}, or remove {source} from the fallbacks",
        when(
            on_error=OnError.STOP,
            preferred=EXISTS,
            content=DATA,
            marker=MarkerState.NONE,
            fallback=WITH_DATA,
        ),
    ),
)
