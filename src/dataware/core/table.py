"""The rows of the decision table, in the order in which they are tried.

Two rules hold for this module. Every situation has an answer: the last row of each block leaves
nothing over. And the first row that fits decides, so the order is part of the table.
`docs/decisions.md` is printed from it.
"""

from __future__ import annotations

from dataware.core.model import MarkerState, OnFallbackData, Ownership
from dataware.core.refusals import COULD_STRAND, MIGRATION_ON_RECORD, REFUSALS, TWO_DATA_SETS
from dataware.core.row import (
    ABSENT,
    CREATE,
    DATA,
    EMPTY,
    EXISTS,
    HIDDEN,
    IMPORT,
    KEEP,
    MIGRATE,
    OURS,
    STOP,
    THEIRS,
    UNSEEN,
    WITH_DATA,
    DecisionRow,
    when,
)
from dataware.core.situation import Fallback, SchemaFit

TWO_SETS = (
    "two resources hold data, and no migration is recorded{sizes}: {source} is not used; {way_out}"
)
NEEDS_COPY = when(fallback=WITH_DATA)
NOT_SEEN = "data would have to be copied to {name}, but not enough is known to do that safely "
NOT_SEEN += "({problems}); {cure}"
OTHER_SCHEMA = (
    "{source} has the key schema {source_schema}, but {name} {other_keys}: items cannot be copied "
    "as they are; {same_keys}"
)
IMPORT_FALLBACK = "{source} has data; the app asks to import the fallback instead of migrating"

ABSENT_ROWS = (
    DecisionRow(
        6,
        STOP,
        "this stack owns {name}, which was deleted outside of CloudFormation; restore it from a "
        "backup, or remove it from the stack and deploy once",
        when(preferred=ABSENT, owner=OURS),
    ),
    DecisionRow(
        10,
        STOP,
        "{name} does not exist, but still belongs to {owner}, which would delete a new one: "
        "choose another name, or remove it from that stack first",
        when(preferred=ABSENT, owner=THEIRS),
    ),
    DecisionRow(
        15,
        IMPORT,
        IMPORT_FALLBACK,
        when(preferred=ABSENT, on_fallback_data=OnFallbackData.IMPORT) | NEEDS_COPY,
        reference=True,
    ),
    DecisionRow(
        14, STOP, NOT_SEEN, when(preferred=ABSENT, marker=MarkerState.UNKNOWN) | NEEDS_COPY
    ),
    DecisionRow(14, STOP, NOT_SEEN, when(preferred=ABSENT, shape=SchemaFit.UNKNOWN) | NEEDS_COPY),
    DecisionRow(
        13, STOP, OTHER_SCHEMA, when(preferred=ABSENT, shape=SchemaFit.DIFFERENT) | NEEDS_COPY
    ),
    DecisionRow(
        3, MIGRATE, "{name} is absent and {source} has data", when(preferred=ABSENT) | NEEDS_COPY
    ),
    DecisionRow(
        14,
        CREATE,
        "{name} is absent and no data was found under its fallbacks",
        when(preferred=ABSENT, fallback=Fallback.UNKNOWN),
    ),
    DecisionRow(
        4,
        CREATE,
        "{name} is absent and its fallbacks are empty",
        when(preferred=ABSENT, fallback=Fallback.EMPTY),
    ),
    DecisionRow(5, CREATE, "neither {name} nor a fallback exists", when(preferred=ABSENT)),
)

UNSEEN_ROWS = (
    DecisionRow(6, KEEP, "{name} belongs to this stack", when(preferred=UNSEEN, owner=OURS)),
    DecisionRow(14, STOP, NOT_SEEN, when(preferred=UNSEEN) | NEEDS_COPY),
    DecisionRow(
        10,
        IMPORT,
        "{name} belongs to {owner}",
        when(preferred=UNSEEN, owner=THEIRS),
        reference=True,
    ),
    DecisionRow(
        14,
        CREATE,
        "it is unknown whether {name} exists; if it does, creating it fails without harm",
        when(preferred=UNSEEN),
        adopt=True,
    ),
)

OWN_ROWS = (
    DecisionRow(
        6,
        KEEP,
        "{name} belongs to this stack",
        when(
            preferred=EXISTS,
            owner=OURS,
            fallback=WITH_DATA,
            content=DATA,
            marker=MarkerState.NONE,
        ),
        warning=TWO_SETS,
    ),
    DecisionRow(
        6, KEEP, "{name} belongs to this stack", when(preferred=EXISTS, owner=OURS, content=DATA)
    ),
    DecisionRow(
        6,
        KEEP,
        "{name} belongs to this stack",
        when(preferred=EXISTS, owner=OURS, on_fallback_data=OnFallbackData.IMPORT) | NEEDS_COPY,
        warning="{source} has data that {name} lacks, and the app asks not to migrate; {way_out}",
    ),
    DecisionRow(
        14,
        STOP,
        NOT_SEEN,
        when(preferred=EXISTS, owner=OURS, marker=MarkerState.UNKNOWN) | NEEDS_COPY,
    ),
    DecisionRow(
        14, STOP, NOT_SEEN, when(preferred=EXISTS, owner=OURS, shape=SchemaFit.UNKNOWN) | NEEDS_COPY
    ),
    DecisionRow(
        13,
        STOP,
        OTHER_SCHEMA,
        when(preferred=EXISTS, owner=OURS, shape=SchemaFit.DIFFERENT) | NEEDS_COPY,
    ),
    DecisionRow(
        6,
        MIGRATE,
        "{name} belongs to this stack and is empty, and {source} has data",
        when(preferred=EXISTS, owner=OURS, content=EMPTY) | NEEDS_COPY,
        no_overwrite=True,
    ),
    DecisionRow(
        14,
        MIGRATE,
        "{name} belongs to this stack, shows no data, and {source} has data",
        when(preferred=EXISTS, owner=OURS) | NEEDS_COPY,
        no_overwrite=True,
    ),
    DecisionRow(6, KEEP, "{name} belongs to this stack", when(preferred=EXISTS, owner=OURS)),
)

OTHER_STACK_ROWS = (
    DecisionRow(
        10,
        STOP,
        "{name} belongs to {owner}, shows no data, and {source} has data; dataware never migrates "
        "into another stack's resource: {stack_of_app}",
        when(preferred=EXISTS, owner=THEIRS, content=(EMPTY, HIDDEN)) | NEEDS_COPY,
    ),
    DecisionRow(
        10,
        IMPORT,
        "{name} belongs to {owner}",
        when(preferred=EXISTS, owner=THEIRS, content=DATA, marker=MarkerState.NONE) | NEEDS_COPY,
        reference=True,
        warning=TWO_SETS,
    ),
    DecisionRow(
        10,
        IMPORT,
        "{name} belongs to {owner}",
        when(preferred=EXISTS, owner=THEIRS),
        reference=True,
    ),
)

UNKNOWN_OWNER = (
    "{name} exists; it is not referenced, because it is unknown whether this stack owns it"
)

UNKNOWN_OWNER_ROWS = (
    DecisionRow(
        14,
        STOP,
        NOT_SEEN,
        when(preferred=EXISTS, owner=Ownership.UNKNOWN, content=(EMPTY, HIDDEN)) | NEEDS_COPY,
    ),
    DecisionRow(
        14,
        IMPORT,
        UNKNOWN_OWNER,
        when(preferred=EXISTS, owner=Ownership.UNKNOWN, content=DATA, marker=MarkerState.NONE)
        | NEEDS_COPY,
        adopt=True,
        warning=TWO_SETS,
    ),
    DecisionRow(
        14,
        IMPORT,
        UNKNOWN_OWNER,
        when(preferred=EXISTS, owner=Ownership.UNKNOWN),
        adopt=True,
    ),
)

UNMANAGED_ROWS = (
    DecisionRow(
        14,
        STOP,
        "{name} and {source} may both hold data, and it is unknown whether a migration was "
        "interrupted ({problems}); {cure}",
        when(
            preferred=EXISTS,
            content=DATA,
            marker=MarkerState.UNKNOWN,
            fallback=(*WITH_DATA, Fallback.UNKNOWN),
        ),
    ),
    DecisionRow(
        8,
        IMPORT,
        "{name} has data, and so does {source}",
        when(preferred=EXISTS, content=DATA, marker=MarkerState.NONE) | NEEDS_COPY,
        warning=TWO_SETS,
    ),
    DecisionRow(1, IMPORT, "{name} has data", when(preferred=EXISTS, content=DATA)),
    DecisionRow(
        15,
        IMPORT,
        IMPORT_FALLBACK,
        when(
            preferred=EXISTS,
            content=(EMPTY, HIDDEN),
            on_fallback_data=OnFallbackData.IMPORT,
            fallback=WITH_DATA,
        ),
        reference=True,
    ),
    DecisionRow(
        14, STOP, NOT_SEEN, when(preferred=EXISTS, marker=MarkerState.UNKNOWN) | NEEDS_COPY
    ),
    DecisionRow(14, STOP, NOT_SEEN, when(preferred=EXISTS, shape=SchemaFit.UNKNOWN) | NEEDS_COPY),
    DecisionRow(
        13, STOP, OTHER_SCHEMA, when(preferred=EXISTS, shape=SchemaFit.DIFFERENT) | NEEDS_COPY
    ),
    DecisionRow(
        3,
        MIGRATE,
        "{name} is empty and {source} has data",
        when(preferred=EXISTS, content=EMPTY) | NEEDS_COPY,
        no_overwrite=True,
    ),
    DecisionRow(
        14,
        MIGRATE,
        "{name} shows no data and {source} has data; nothing in {name} is replaced",
        when(preferred=EXISTS) | NEEDS_COPY,
        no_overwrite=True,
    ),
    DecisionRow(
        12,
        CREATE,
        "{name} exists, is empty and not in any stack: it is used as it is",
        when(preferred=EXISTS, content=EMPTY),
    ),
    DecisionRow(
        14,
        CREATE,
        "{name} exists and shows no data: it is used as it is",
        when(preferred=EXISTS),
    ),
)

TABLE: tuple[DecisionRow, ...] = (
    *REFUSALS,
    *MIGRATION_ON_RECORD,
    *COULD_STRAND,
    *TWO_DATA_SETS,
    *ABSENT_ROWS,
    *UNSEEN_ROWS,
    *OWN_ROWS,
    *OTHER_STACK_ROWS,
    *UNKNOWN_OWNER_ROWS,
    *UNMANAGED_ROWS,
)
