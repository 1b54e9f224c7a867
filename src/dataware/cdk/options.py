"""The keywords that constructs share, spelled and explained once.

A construct takes these and, beside them, the properties of CDK's own construct.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias, TypedDict

from dataware.cdk.pending_copy import MakeMigration

AUTO: Literal["auto"] = "auto"
"""Copies during the deployment, wherever the decision is to copy."""

MigrationSetting: TypeAlias = MakeMigration | Literal["auto"] | None
"""None asks for no copying during a deployment, which then is an error where data has to move."""


class DataAwareOptions(TypedDict, total=False):
    """Where data may be, and what follows from what is found.

    `fallback_names` are older names under which the data may be, in order of preference; `on_error`
    is "safe", "no-data" or "stop", `on_fallback_data` "migrate" or "import", `import_mode` "adopt"
    or "reference" (only that where CloudFormation cannot adopt the type). What is left out is taken
    from the app's context, or is the first of these words but for `import_mode`, which is
    "reference".
    """

    fallback_names: Iterable[str]
    on_error: str | None
    on_fallback_data: str | None
    import_mode: str | None


class MigrationOptions(DataAwareOptions, total=False):
    """The same for a type whose data is copied.

    `migration` makes what copies during a deployment; None forbids that.
    """

    migration: MigrationSetting


OPTIONS = frozenset(DataAwareOptions.__annotations__)
"""The names of the options that every construct takes."""
