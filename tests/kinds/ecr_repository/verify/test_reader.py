"""What tells two repositories apart."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.errors import LookupFailedError
from dataware.core.model import Location
from dataware.kinds.ecr_repository.verify.reader import RepositoryReader
from dataware.verify.run import compare
from dataware.verify.verdict import Verdict
from support.images import image_of
from support.memory_registry import ACCOUNT, REGION, MemoryRegistry, RegistryAws

MANY = 600
"""So many images that they are read in several parts."""


def compared(registry: MemoryRegistry) -> Verdict:
    """What a comparison of both repositories finds."""
    aws = RegistryAws(registry)
    old, new = (
        RepositoryReader(aws, Location(name, ACCOUNT, REGION))  # type: ignore[arg-type]
        for name in ("old", "new")
    )
    return compare(old, new, ordered=True)


def filled() -> MemoryRegistry:
    """Two repositories of the same many images."""
    registry = MemoryRegistry()
    for name in ("old", "new"):
        for number in range(MANY):
            registry.repository(name).hold(image_of(f"{number}"), f"v{number}")
    return registry


def test_every_image_of_every_part_is_compared_by_its_content() -> None:
    """The parts cover both sides."""
    verdict = compared(filled())
    assert (verdict.compared, verdict.differences) == (MANY, 0)
    assert verdict.grounds() == "all by content"


def test_a_missing_an_extra_and_a_changed_image_are_named() -> None:
    """Also where the listing says that all is the same: the bytes of each manifest decide."""
    registry = filled()
    new, digests = registry.repository("new"), [image_of(f"{i}").digest for i in range(5)]
    del new.manifests[digests[0]]
    new.tags["v1"] = digests[2]
    new.manifests[digests[3]] = (b"{}", "x")
    extra = new.hold(image_of("extra"))
    found = {(str(one.kind), one.label) for one in compared(registry).listed}
    assert found == {
        ("missing", digests[0]),
        ("different", digests[1]),
        ("different", digests[3]),
        ("extra", extra.digest),
    }


def test_an_image_that_an_answer_passes_over_is_not_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Left out on both sides, it would count as equal."""
    whole = RegistryAws._images

    def images(aws: RegistryAws, **given: Any) -> dict[str, Any]:
        answer = whole(aws, **given)
        return {**answer, "images": answer["images"][1:]}

    monkeypatch.setattr(RegistryAws, "_images", images)
    with pytest.raises(LookupFailedError, match="neither the image nor a failure"):
        compared(filled())


def test_more_tags_in_the_target_are_no_difference() -> None:
    """What the source asks for is there."""
    registry = filled()
    registry.repository("new").tags["latest"] = image_of("7").digest
    assert compared(registry).differences == 0
    assert compared(registry).grounds() == "all by content"


def test_images_that_cannot_be_read_count_by_their_digest_alone() -> None:
    """Archived on both sides: equal by what is said of them; on one side: different."""
    registry = filled()
    archived = image_of("9").digest
    registry.repository("old").archived.add(archived)
    assert [one.label for one in compared(registry).listed] == [archived]
    registry.repository("new").archived.add(archived)
    verdict = compared(registry)
    assert verdict.differences == 0
    assert "1 by size and metadata" in verdict.grounds()
