"""The versions of a secret and their labels, and what the target lacks of them; pure.

Source: AWS Secrets Manager User Guide, "What's in a secret" (a version without a label is
deprecated, and the service may delete it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """A version by its id; `labels` are never empty, `created` orders."""

    id: str
    labels: frozenset[str]
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class SecretVersions:
    """The labelled versions of a secret, by id; none of one that is not there."""

    exists: bool = True
    versions: Mapping[str, SecretVersion] = field(default_factory=dict)

    @property
    def in_order(self) -> list[SecretVersion]:
        """Oldest first, the current one last, so that it comes into use when all are there."""
        return sorted(
            self.versions.values(),
            key=lambda one: (CURRENT in one.labels, PREVIOUS in one.labels, one.created, one.id),
        )

    def labels_to_write(self, version: SecretVersion) -> frozenset[str]:
        """The labels with which a version is written, so that it gets its own in the end.

        The previous version is written as the current one: the service makes it the previous one
        when the next is (API Reference, PutSecretValue, `VersionStages`), and takes that label away
        from whatever else has it.
        """
        if PREVIOUS in version.labels and self.holder(CURRENT) is not None:
            return version.labels - {PREVIOUS} | {CURRENT}
        return version.labels

    def holder(self, label: str) -> SecretVersion | None:
        """The version that has a label."""
        return next((one for one in self.versions.values() if label in one.labels), None)


def find_strangers(source: SecretVersions, target: SecretVersions) -> dict[str, SecretVersion]:
    """The versions of the target that stand, by a label of the source, where a copy would.

    So does a copied one to which somebody has gone back (`is_set_back`).
    """
    wanted = {label for one in source.versions.values() for label in one.labels}
    held = {label: target.holder(label) for label in sorted(wanted)}
    return {
        label: one
        for label, one in held.items()
        if one is not None
        and (one.id not in source.versions or (label == CURRENT and is_set_back(source, target)))
    }


def is_set_back(source: SecretVersions, target: SecretVersions) -> bool:
    """Whether the source's current version was current in the target, and is so no more.

    A copy puts it last, and at once as the current one; the service makes it the previous one when
    somebody makes another one current (API Reference, UpdateSecretVersionStage, `MoveToVersionId`).
    """
    current = source.holder(CURRENT)
    there = target.versions.get(current.id) if current else None
    return there is not None and PREVIOUS in there.labels and CURRENT not in there.labels


def is_generated(stranger: SecretVersion, target: SecretVersions) -> bool:
    """Whether a stranger can be what the creation of the target made: the first of all there."""
    return all(stranger.created <= one.created for one in target.versions.values())


def find_wrong(source: SecretVersions, target: SecretVersions) -> list[SecretVersion]:
    """The versions that the target lacks, or has under other labels, in order."""
    there = target.versions
    return [
        one for one in source.in_order if one.id not in there or there[one.id].labels != one.labels
    ]


@dataclass(frozen=True, slots=True)
class LabelMove:
    """A label that goes to a version, away from another one; None where there is no such side."""

    label: str
    to: str | None
    away_from: str | None


def plan_moves(source: SecretVersions, target: SecretVersions) -> Sequence[LabelMove]:
    """How the labels of the copied versions become those of the source.

    Labels of strangers that the source does not use stay where they are.
    """
    moves = []
    for one in source.in_order:
        has = target.versions[one.id].labels if one.id in target.versions else frozenset()
        for label in sorted(one.labels - has):
            holder = target.holder(label)
            moves.append(LabelMove(label, one.id, holder.id if holder else None))
    moved = {move.label for move in moves}
    for one in source.in_order:
        has = target.versions[one.id].labels if one.id in target.versions else frozenset()
        moves += [
            LabelMove(label, None, one.id) for label in sorted(has - one.labels - moved - {CURRENT})
        ]
    return moves
