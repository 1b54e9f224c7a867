"""Copies a secret into another one: every labelled version, oldest first, under its own id.

The service takes a version id once only, and refuses another value under it, so a run that was
killed resumes from what the target holds. A version that somebody else has made current in the
target is never moved away unless the order says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dataware.core.copier import (
    CopyOrder,
    CopyOutcome,
    CopyTools,
    PageBound,
    SkippedKey,
    SkipReason,
    Unit,
    UnitPage,
    no_page_bound,
)
from dataware.core.errors import ConflictError
from dataware.core.model import OnConflict, Size
from dataware.kinds.ordered_copier import OrderedCopier
from dataware.kinds.secret.copy.client import SecretClient
from dataware.kinds.secret.copy.versions import (
    SecretVersion,
    SecretVersions,
    find_strangers,
    find_wrong,
    is_generated,
    is_set_back,
    plan_moves,
)

PAGE: Final = 5
"""Versions between two checkpoints."""

UNIT_BYTES: Final = PAGE * 64 * 1024
"""A value has 64 KB at most (User Guide, "AWS Secrets Manager quotas")."""


@dataclass(frozen=True, slots=True)
class VersionBatch:
    """Some versions to write; the last batch also puts the labels right. `done` says it is."""

    versions: Sequence[SecretVersion]
    is_last: bool
    done: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)


class SecretCopier(OrderedCopier):
    """The copier of secrets; `order` tells from where to where."""

    def __init__(self, tools: CopyTools, order: CopyOrder) -> None:
        super().__init__(tools, order)
        self._source, self._target = (
            SecretClient(tools.aws.for_region(place.region), place)
            for place in (order.source, order.target)
        )
        self._both_versions: tuple[SecretVersions, SecretVersions] | None = None

    async def size(self) -> Size:
        """How many labelled versions there are; how large they are, nobody tells."""
        source, _ = await self._look()
        return Size(len(source.versions), 0)

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage[VersionBatch]]:
        """The versions that the target lacks, in order; a page comes once the one before is done.

        So whatever the number of writers is, versions are written one after another.
        """
        del partition
        source, target = await self._look()
        wrong = {one.id for one in find_wrong(source, target)}
        order = source.in_order
        ids = [one.id for one in order]
        rest = order[ids.index(after) + 1 if after in ids else 0 :]
        if skipped := self._find_conflict(source, target, [one for one in rest if one.id in wrong]):
            unchanged = [one for one in rest if one.id not in wrong]
            yield UnitPage((), None, same=len(unchanged), skipped=skipped)
            return
        while rest:
            length = min(PAGE, bound() or PAGE)
            page, rest = rest[:length], rest[length:]
            lacking = [one for one in page if one.id in wrong]
            batch = VersionBatch(lacking, is_last=not rest)
            units = (Unit(batch, len(lacking), UNIT_BYTES),) if lacking else ()
            cursor = page[-1].id if rest else None
            yield UnitPage(units, cursor, same=len(page) - len(lacking))
            if units:
                await batch.done.wait()
        if not order or after == ids[-1]:
            yield UnitPage((), None)

    async def write(self, unit: Unit[VersionBatch]) -> CopyOutcome:
        """Bring some versions over, and in the end their labels."""
        batch = unit.payload
        source, target = await self._look()
        if not target.exists:
            await self._create_target()
        for version in batch.versions:
            if version.id not in target.versions:
                value = await self._call(self._source.read_value, version)
                labels = source.labels_to_write(version)
                await self._call(self._target.put_value, version, labels, value)
        if batch.is_last:
            await self._set_labels()
        batch.done.set()
        return CopyOutcome(copied=len(batch.versions))

    async def _create_target(self) -> None:
        """Make the target, which nobody has made before."""
        secret = await self._call(self._source.describe)
        await self._call(self._target.create_like, secret, self._order.source)
        source, _ = await self._look()
        self._both_versions = source, SecretVersions()

    async def _set_labels(self) -> None:
        source, _ = await self._look()
        target = await self._call(self._target.list_versions)
        for move in plan_moves(source, target):
            await self._call(self._target.move_label, move.label, move.to, move.away_from)

    def _find_conflict(
        self, source: SecretVersions, target: SecretVersions, wrong: Sequence[SecretVersion]
    ) -> tuple[SkippedKey, ...]:
        """The versions that are left out, because the target has its own under a label of theirs.

        Raises ConflictError where that is to stop.
        """
        strangers = find_strangers(source, target)
        if self._may_replace(strangers, source, target) or not wrong:
            return ()
        labels = ", ".join(strangers)
        if self._order.on_conflict is OnConflict.STOP:
            raise ConflictError(
                f"secret {self._order.target.name} has a version of its own under {labels}; "
                "nothing was written, and the run stops because of --on-conflict stop"
            )
        detail = f"the target has a version of its own under {labels}"
        return tuple(SkippedKey(one.id, SkipReason.CONFLICT, detail) for one in wrong)

    def _may_replace(
        self,
        strangers: Mapping[str, SecretVersion],
        source: SecretVersions,
        target: SecretVersions,
    ) -> bool:
        order = self._order
        if not strangers or order.exclusive or order.on_conflict is OnConflict.SOURCE:
            return True
        own = {one.id: one for one in strangers.values()}
        return (
            order.made_here
            and not is_set_back(source, target)
            and len(own) == 1
            and all(is_generated(one, target) for one in own.values())
        )

    async def _look(self) -> tuple[SecretVersions, SecretVersions]:
        """The versions of both sides, as they were first seen."""
        if self._both_versions is None:
            source = await self._call(self._source.list_versions)
            self._both_versions = source, await self._call(self._target.list_versions)
        return self._both_versions
