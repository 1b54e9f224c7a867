"""What a copy of a secret has to do, and whose version it never takes a label from."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.kinds.secret.copy.versions import (
    CURRENT,
    PREVIOUS,
    SecretVersion,
    SecretVersions,
    find_strangers,
    find_wrong,
    is_generated,
    plan_moves,
)

LABELS = (CURRENT, PREVIOUS, "AWSPENDING", "own", "other")


def secret(labels: Mapping[str, str]) -> SecretVersions:
    """The versions of a secret, by their ids, with labels; created in the order of their ids."""
    return SecretVersions(
        versions={
            id_: SecretVersion(id_, frozenset(some.split()), float(ord(id_[0])))
            for id_, some in labels.items()
        }
    )


class Service:
    """A secret as the service keeps it: a label stands on one version.

    Source: AWS Secrets Manager API Reference, PutSecretValue and UpdateSecretVersionStage.
    """

    def __init__(self, there: SecretVersions) -> None:
        self.labels = {label: one.id for one in there.versions.values() for label in one.labels}
        self.ids = set(there.versions)

    def put(self, id_: str, labels: frozenset[str]) -> None:
        """Write a version; the first one is current in any case."""
        is_first = not self.ids
        self.ids.add(id_)
        for label in labels | ({CURRENT} if is_first else set()):
            self.move(label, id_)

    def move(self, label: str, id_: str | None) -> None:
        """Move a label; what was current becomes the previous version."""
        before = self.labels.pop(label, None)
        if id_ is not None:
            self.labels[label] = id_
        if label == CURRENT and before not in (None, id_):
            self.labels[PREVIOUS] = str(before)

    def seen(self) -> SecretVersions:
        """The labelled versions."""
        found: dict[str, set[str]] = {}
        for label, id_ in self.labels.items():
            found.setdefault(id_, set()).add(label)
        return SecretVersions(
            versions={
                id_: SecretVersion(id_, frozenset(some), float(ord(id_[0])))
                for id_, some in found.items()
            }
        )


def copy(source: SecretVersions, service: Service, *, writes: int = 100) -> None:
    """Copy as the copier does, and be killed after so many writes."""
    left = iter(range(writes))
    target = service.seen()
    for version in find_wrong(source, target):
        if next(left, None) is None:
            return
        if version.id not in target.versions:
            service.put(version.id, source.labels_to_write(version))
    for move in plan_moves(source, service.seen()):
        if next(left, None) is None:
            return
        service.move(move.label, move.to)


@st.composite
def secrets(draw: st.DrawFn) -> SecretVersions:
    """A secret whose labels each stand on one of a few versions; one is current."""
    ids = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True))
    where = {label: draw(st.sampled_from([*ids, None])) for label in LABELS[1:]}
    where[CURRENT] = draw(st.sampled_from(ids))
    if where[PREVIOUS] == where[CURRENT]:
        where[PREVIOUS] = None
    found: dict[str, list[str]] = {}
    for label, id_ in where.items():
        if id_ is not None:
            found.setdefault(id_, []).append(label)
    return secret({id_: " ".join(some) for id_, some in found.items()})


@given(secrets(), st.lists(st.integers(0, 6), max_size=3))
def test_a_copy_that_is_killed_and_begun_again_ends_with_the_labels_of_the_source(
    source: SecretVersions, kills: list[int]
) -> None:
    """Wherever it dies, the next run goes on, and a last one has nothing to do."""
    service = Service(SecretVersions(exists=False))
    for writes in kills:
        copy(source, service, writes=writes)
    copy(source, service)
    there = service.seen()
    assert {id_: one.labels for id_, one in there.versions.items()} == {
        id_: one.labels for id_, one in source.versions.items()
    }
    assert find_wrong(source, there) == []
    assert plan_moves(source, there) == []


@given(secrets())
def test_a_generated_version_gives_way_and_keeps_what_the_source_does_not_use(
    source: SecretVersions,
) -> None:
    """What the creation of a target made is current no more once all is copied."""
    service = Service(secret({"Z": CURRENT}))
    copy(source, service)
    there = service.seen()
    assert {id_: there.versions[id_].labels for id_ in source.versions} == {
        id_: one.labels for id_, one in source.versions.items()
    }


@pytest.mark.parametrize(
    ("target", "strangers"),
    [
        ({}, {}),
        ({"a": "own"}, {}),
        ({"a": "AWSCURRENT"}, {}),
        ({"x": "AWSCURRENT"}, {"AWSCURRENT": "x"}),
        ({"x": "AWSCURRENT", "y": "own"}, {"AWSCURRENT": "x", "own": "y"}),
        ({"x": "theirs"}, {}),
    ],
)
def test_only_a_version_that_stands_under_a_label_of_the_source_is_in_the_way(
    target: Mapping[str, str], strangers: Mapping[str, str]
) -> None:
    """Ids are the service's and unique, so what is not of the source is somebody else's."""
    source = secret({"a": "own", "b": "AWSCURRENT"})
    found = find_strangers(source, secret(target))
    assert {label: one.id for label, one in found.items()} == strangers


def test_only_the_oldest_version_can_be_that_of_a_creation() -> None:
    """Whatever was made after a copied version was made by somebody."""
    there = secret({"a": "AWSCURRENT", "b": "own", "c": "other"})
    assert is_generated(there.versions["a"], there)
    assert not is_generated(there.versions["c"], there)
