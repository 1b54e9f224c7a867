"""Prepares a migration between two places that exist: looks at both, and refuses what cannot be."""

from __future__ import annotations

from dataclasses import replace

from dataware.calc.words import with_article
from dataware.core.copier import CopyOrder
from dataware.core.engines.unfinished_work import refuse_service_work
from dataware.core.errors import InputError, LookupFailedError, RefusedError
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import (
    NO_MARKER,
    Content,
    Existence,
    Facts,
    Location,
    Marker,
    MarkerState,
    Ownership,
)
from dataware.kinds import list_copied, load
from dataware.ops.context import Context, CopySettings, aws_of
from dataware.ops.history_check import check_history
from dataware.ops.marker_names import on_record
from dataware.ops.migration_policy import DEEP, FOLLOWED, Migration
from dataware.ops.named_resources import check_part, warn_of_slashes
from dataware.ops.object_headers import check_object_headers, with_recorded_headers
from dataware.ops.partial_copy import require_consent
from dataware.ops.probe import look
from dataware.ops.verify import describe_schemas, with_real_region
from dataware.state.marker_value import was_switched


def check_source(context: Context, migration: Migration) -> None:
    """Raise InputError where a named part of the source holds nothing."""
    order = migration.order
    aws = aws_of(context, order.source)
    check_part(migration.kind, aws, order.source, all_versions=order.all_versions)


def is_switched(migration: Migration) -> bool:
    """Whether the target is in use since a cut-over from this very source."""
    marker = migration.marker
    return marker.state is MarkerState.COMPLETE and was_switched(marker.detail)


def refuse_after_switch(migration: Migration) -> None:
    """Raise RefusedError where the target is in use since a cut-over, and the source is not.

    A copy would bring back what was deleted in the target since.
    """
    if is_switched(migration):
        name = migration.order.target.name
        raise RefusedError(
            f"nothing was changed, because {name} has been in use since the cut-over from "
            f"{migration.order.source.name} and a copy could restore deleted data; to start over: "
            f"`dataware forget {name}`"
        )


def report_target(context: Context, migration: Migration) -> None:
    """What a person should know of the target, and of how keys are put together."""
    order = migration.order
    for note in migration.target.notes:
        text = f"{order.target.name}: {note}"
        context.emit(event("note", text=text, name=order.target.name))
    warn_of_slashes(context.emit, migration.kind, order.source, order.target)


def prepare_migration(
    context: Context, type_name: str, source: Location, target: Location, settings: CopySettings
) -> Migration:
    """A migration of which both sides and the record were looked at; changes nothing.

    Raises InputError and Refused where it cannot be, as `migrate` says.
    """
    kind = load(type_name)
    if kind.copying is None:
        raise InputError(
            f"dataware cannot copy {with_article(kind.noun)}; it copies {list_copied()}"
        )
    require_consent(kind, settings)
    check_object_headers(settings, [kind])
    order = order_of(source, target, settings)
    marker = context.markers.get(kind.names.slug, on_record(kind, order)[1])
    settings = with_recorded_depth(with_recorded_headers(settings, marker), marker)
    order = order_of(source, target, settings)
    source, target = order.source, order.target
    before = _existing(context, kind, source)
    after = _existing(context, kind, target, may_be_made=kind.copying.makes_target)
    if before.schema and after.schema and before.schema != after.schema:
        raise InputError(
            f"{describe_schemas(source, before.schema, target, after.schema)}: items cannot be "
            "copied as they are; make a target with the same keys"
        )
    if not source.prefix:
        check_history([(kind, before)], all_versions=settings.all_versions)
    source, target = (with_real_region(context, kind, place) for place in (source, target))
    if kind.indirect:
        kind.indirect.check_pair(source, target)
    _check_whole(_record_of(context, kind, source), source)
    order = replace(order, source=source, target=target)
    _check_marker(marker, *on_record(kind, order))
    refuse_service_work(marker, source.name, target.name, settings.engine)
    empty = before.content is Content.EMPTY and marker.state is not MarkerState.RUNNING
    migration = Migration(kind, order, settings, marker, after, nothing_to_copy=empty)
    refuse_unfollowed(migration)
    return migration


def with_recorded_depth(settings: CopySettings, marker: Marker) -> CopySettings:
    """The settings of a follow that compares as deep as the one on record does.

    What its rounds saw and carried would else be missed by the cut-over, and by the way back.
    """
    recorded = marker.detail.get(FOLLOWED) and marker.detail.get(DEEP)
    return replace(settings, deep=True) if settings.follow and recorded else settings


def refuse_content(migration: Migration) -> None:
    """Raise RefusedError where a follow would replace what it did not put into its target."""
    name, short = migration.order.target.name, migration.kind.short
    followed = migration.same_target and migration.marker.detail.get(FOLLOWED)
    if followed or migration.made_here or migration.target.content is Content.EMPTY:
        return
    raise RefusedError(
        f"nothing was changed, because {short} {name} may not be empty, and a follow replaces what "
        "it finds: name an empty one, or leave out --follow"
    )


def refuse_unfollowed(migration: Migration) -> None:
    """Raise RefusedError where an earlier run follows, and this one is to copy alone."""
    marker, order = migration.marker, migration.order
    if migration.resumes and marker.detail.get(FOLLOWED) and not migration.settings.follow:
        raise RefusedError(
            f"{order.target.name} follows {order.source.name} (run {marker.run}), so a copy alone "
            "would leave later changes out; run the same command with --follow"
        )


def order_of(source: Location, target: Location, settings: CopySettings) -> CopyOrder:
    """The order for a copy; guarded, until the run shows that the target is its own."""
    if settings.requester_pays:
        source, target = (replace(place, requester_pays=True) for place in (source, target))
    return CopyOrder(
        source,
        target,
        on_conflict=settings.on_conflict,
        all_versions=settings.all_versions,
        multipart_threshold=settings.multipart_threshold,
        part_size=settings.part_size,
        headers=settings.object_headers,
    )


def _existing(context: Context, kind: Kind, place: Location, *, may_be_made: bool = False) -> Facts:
    there = replace(context, aws=aws_of(context, place))
    facts = look(there, kind, place.name)
    if facts.obstacle:
        raise RefusedError(f"{place.name} {facts.obstacle}; nothing was changed")
    if facts.existence is Existence.ABSENT and may_be_made:
        return facts
    if facts.existence is Existence.ABSENT:
        raise InputError(
            f"there is no {kind.noun} {place.name} in account {place.owner}, {place.region}; "
            "check the name, the region and the profile"
        )
    if facts.owner.ownership is Ownership.FOREIGN:
        raise RefusedError(
            f"cannot confirm that the {kind.noun} {place.name} belongs to account {place.owner}, "
            "so it is not touched; name its account with --source-owner or --target-owner"
        )
    return facts


def _record_of(context: Context, kind: Kind, source: Location) -> Marker:
    """The record of a migration into the source, which lies in its own account and region.

    Who only reads the source may not be allowed to see it, which is told.
    """
    if not source.profile:
        if source.owner != context.aws.account:
            return NO_MARKER
        return context.in_region(source.region).markers.get(kind.names.slug, source.name)
    reader = context.open_profile(source.profile)
    if source.owner != reader.account:
        return NO_MARKER
    there = context.move(replace(context, aws=reader), source.region)
    try:
        return there.markers.get(kind.names.slug, source.name)
    except LookupFailedError as error:
        text = f"whether a migration into {source.name} is unfinished there is unknown: {error}"
        context.emit(event("warning", text=text, name=source.name))
        return NO_MARKER


def _check_whole(marker: Marker, source: Location) -> None:
    """A source that is itself being filled holds only a part of its data."""
    if marker.state is MarkerState.RUNNING:
        raise RefusedError(
            f"{source.name} holds only part of the data, because its own migration from "
            f"{marker.source} has not ended (run {marker.shown_run}); finish that first, or copy "
            f"from {marker.source}"
        )


def _check_marker(marker: Marker, source: str, target: str) -> None:
    if marker.state is MarkerState.RUNNING and marker.source != source:
        raise RefusedError(
            f"a migration from {marker.source} into {target} is unfinished (run "
            f"{marker.shown_run}); finish it first with `dataware migrate`, from {marker.source}"
        )
