"""What a command was given: the values of its options, in one object for each use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from dataware.core.engines.card import EngineName
from dataware.core.model import ImportMode, OnConflict, OnError, OnFallbackData
from dataware.report import Format


@dataclass(frozen=True, slots=True)
class AwsOptions:
    """Where AWS is, and how results are shown.

    A `role`, an ARN, is assumed with the credentials of the profile. With `request_payer` every
    request to S3 says that the caller pays for it; `source_profile` reads the source.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    format: Format = Format.TEXT
    plain: bool = False
    debug: bool = False
    full: bool = False
    role: str | None = None
    external_id: str | None = None
    request_payer: bool = False
    source_profile: str | None = None


@dataclass(frozen=True, slots=True)
class AppOptions:
    """Which resources are meant, and the settings that win over those in the app."""

    app: Path | None
    stack: str | None
    strict: bool
    on_error: OnError | None
    on_fallback_data: OnFallbackData | None
    import_mode: ImportMode | None
    exclusively: bool = False
    context: tuple[str, ...] = ()
    cdk_app: str | None = None
    parameter: tuple[str, ...] = ()
    parameters_file: Path | None = None
    fallback: tuple[str, ...] = ()
    all_stateful: bool = False
    credentials: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What `plan` writes and how it ends."""

    out: Path | None
    lock: bool
    prune: bool
    detailed_exitcode: bool
    change_set: bool = False
    engine: EngineName | None = None
    batch_role: str | None = None
    follow: bool = False
    enable_stream: bool = False
    export_to: str | None = None
    deep: bool = False
    restore_secrets: bool = False


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """How a copy is made."""

    on_conflict: OnConflict | None
    versions: str
    max_rate: float | None
    max_share: float | None
    processes: int | None
    allow_skipped: bool
    deep: bool
    multipart_threshold: int
    part_size: int
    notify: tuple[str, ...]
    max_parallel: int | None = None
    follow: bool = False
    enable_stream: bool = False
    export_to: str | None = None
    rehearse: bool = False
    allow_partial: bool = False
    engine: EngineName | None = None
    batch_role: str | None = None
    sse: str | None = None
    sse_kms_key_id: str | None = None
    acl: str | None = None
    request_payer: bool = False


@dataclass(frozen=True, slots=True)
class PairOptions:
    """Both sides of a copy or a comparison."""

    source: str
    target: str
    source_owner: str | None
    target_owner: str | None


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """Which losses a person said yes to."""

    allow_loss: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CutoverOptions:
    """When and how to cut over."""

    freeze: str | None
    thaw: str | None
    frozen: bool
    freeze_limit: float
    postpone: Path | None
    at: float | None
    watch: float
    source: str | None
    max_rate: float | None
    enable_stream: bool = False
    await_approval: bool = False
    approve: str | None = None


@dataclass(frozen=True, slots=True)
class UndoOptions:
    """How to go back from a cut-over."""

    freeze: str | None
    thaw: str | None
    frozen: bool
    freeze_limit: float
    on_conflict: str | None
    dry_run: bool
    yes: bool
    source: str | None
    max_rate: float | None


Options = TypeVar(
    "Options",
    AwsOptions,
    AppOptions,
    PlanOptions,
    CopyOptions,
    CutoverOptions,
    UndoOptions,
    PairOptions,
    GuardOptions,
)


def pick(kind: type[Options], given: Mapping[str, Any]) -> Options:
    """The options of one kind out of all that a command was given; others have their defaults.

    Raises TypeError where the command lacks an option that has none.
    """
    values: Any = {field.name: given[field.name] for field in fields(kind) if field.name in given}
    return kind(**values)


def check_feed_options(copy: CopyOptions | PlanOptions) -> None:
    """Raise UsageError for options of a feed that do not go together."""
    if copy.enable_stream and not copy.follow:
        raise click.UsageError("--enable-stream needs --follow: only a follow reads a stream")
    if copy.export_to and not copy.follow:
        raise click.UsageError("--export-to needs --follow: only a follow reads exports")
    if copy.export_to and copy.enable_stream:
        raise click.UsageError("--export-to leaves the source as it is: leave out --enable-stream")
    if copy.export_to and not copy.export_to.startswith("s3://"):
        raise click.UsageError("--export-to takes a bucket, such as s3://exports/dataware")


def check_follow_options(copy: CopyOptions) -> None:
    """Raise UsageError for options of a follow that do not go together."""
    check_feed_options(copy)
    if copy.follow and copy.on_conflict is not None:
        raise click.UsageError(
            "--follow takes no --on-conflict, because its target may have no other writers"
        )
