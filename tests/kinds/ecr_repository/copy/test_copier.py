"""What a copy of images does where registries refuse, redirect, throttle and hold other things."""

from __future__ import annotations

import asyncio
import random

import pytest

from dataware.core.copier import CopyOutcome, SkipReason
from dataware.core.errors import (
    ConflictError,
    LookupFailedError,
    NotFoundError,
    WriteDeniedError,
)
from dataware.core.model import OnConflict
from dataware.core.ports import PlainRequest, Response
from dataware.kinds.ecr_repository.copy.token import RegistryToken
from support.copying import Killed
from support.dynamo import FakeClock, total
from support.images import OCI_INDEX, PushedImage, digest_of, image_of, index_of
from support.memory_registry import REGION, Copying, MemoryRegistry, RegistryAws, refuse

ELSEWHERE = "us-east-1"
BASE = b"a layer that several images stand on"
ALONE = b"a layer of one image"
UNTAGGED = image_of("untagged", layers=[ALONE])


@pytest.fixture
def registry() -> MemoryRegistry:
    """A source with an index, an untagged image, one of two tags, and a referrer of it."""
    registry = MemoryRegistry()
    old = registry.repository("old")
    platforms = [old.hold(image_of(word, layers=[BASE])) for word in ("amd64", "arm64")]
    old.hold(index_of(platforms), "1.0")
    old.hold(UNTAGGED)
    twice = old.hold(image_of("twice", layers=[BASE]), "v2", "stable")
    old.hold(image_of("attestation", subject=twice.digest))
    return registry


def copy(copying: Copying) -> CopyOutcome:
    """Copy all, without the engine."""

    async def run() -> CopyOutcome:
        copier, outcomes = copying.copier(), []
        async for page in copier.read("", None):
            outcomes.append(CopyOutcome(same=page.same, skipped=page.skipped))
            outcomes += [await copier.write(unit) for unit in page.units]
        return total(outcomes)

    return asyncio.run(run())


@pytest.mark.parametrize("region", [REGION, ELSEWHERE])
@pytest.mark.parametrize("mounts", [True, False])
def test_every_image_arrives_whether_layers_are_mounted_or_sent(
    registry: MemoryRegistry, region: str, mounts: bool
) -> None:
    """The sets of digests and tags are equal, each manifest is byte for byte the same."""
    registry.mounts = mounts
    copying = Copying(registry, region)
    assert copy(copying).copied == 6
    old, new = registry.repository("old"), registry.repository("new", region)
    assert (new.pairs, new.manifests, new.blobs) == (old.pairs, old.manifests, old.blobs)
    sent = [line for line in registry.written() if line.startswith("PATCH")]
    is_mounted = mounts and region == REGION
    assert len(sent) == (0 if is_mounted else len(old.blobs)), "a shared layer is sent once"
    again = copy(copying)
    assert (again.copied, again.same) == (0, 6)
    assert registry.written() == []


@pytest.mark.parametrize("requests", range(0, 34, 3))
def test_a_copy_that_is_killed_goes_on_from_what_the_target_holds(
    registry: MemoryRegistry, requests: int
) -> None:
    """Wherever it dies, no tag stands on an image that is not whole, and the next run ends it."""
    copying, left = Copying(registry, ELSEWHERE), iter(range(requests))

    def kill(_request: PlainRequest) -> Response | None:
        if next(left, None) is None:
            raise Killed
        return None

    registry.faults.append(kill)
    with pytest.raises(Killed):
        copy(copying)
    registry.faults.clear()
    old, new = registry.repository("old"), registry.repository("new", ELSEWHERE)
    before = {digest for digest, _ in new.pairs}
    assert set(new.tags.values()) <= new.manifests.keys()
    after = copy(copying)
    assert after.copied + after.same == 6
    assert after.copied >= 6 - len(before)
    assert (new.pairs, new.blobs) == (old.pairs, old.blobs)


def test_an_archived_image_is_skipped_by_name(registry: MemoryRegistry) -> None:
    """It cannot be pulled, so it is left out with the reason and nothing else is."""
    archived = UNTAGGED.digest
    registry.repository("old").archived.add(archived)
    outcome = copy(Copying(registry))
    (skipped,) = outcome.skipped
    assert (skipped.key, skipped.reason) == (archived, SkipReason.ARCHIVED)
    assert outcome.copied == 5


def test_an_index_is_skipped_with_what_it_names(registry: MemoryRegistry) -> None:
    """No registry takes an index without its images, so the reason is that of the image."""
    old = registry.repository("old")
    platforms = [image_of(word, layers=[BASE]) for word in ("amd64", "arm64")]
    old.archived.add(platforms[1].digest)
    index = index_of(platforms)
    outcome = copy(Copying(registry))
    assert {(one.key, one.reason) for one in outcome.skipped} == {
        (platforms[1].digest, SkipReason.ARCHIVED),
        (index.digest, SkipReason.ARCHIVED),
    }
    old.archived.clear()
    del old.manifests[platforms[1].digest]
    (skipped,) = copy(Copying(registry, ELSEWHERE)).skipped
    assert (skipped.key, skipped.reason) == (index.digest, SkipReason.FAILED)
    assert registry.repository("new", ELSEWHERE).tags.keys() == {"v2", "stable"}


@pytest.mark.parametrize("policy", [None, OnConflict.TARGET, OnConflict.SOURCE])
@pytest.mark.parametrize("immutable", [True, False])
def test_a_strangers_tag_moves_only_where_that_is_asked_for(
    registry: MemoryRegistry, policy: OnConflict | None, immutable: bool
) -> None:
    """The image comes over under its digest and its other tags all the same."""
    new = registry.repository("new")
    stranger = new.hold(image_of("stranger"), "v2")
    new.immutable = immutable
    outcome = copy(Copying(registry, on_conflict=policy))
    moves = policy is OnConflict.SOURCE and not immutable
    twice = image_of("twice", layers=[BASE]).digest
    assert new.tags["v2"] == (twice if moves else stranger.digest)
    assert new.tags["stable"] == twice
    assert [one.key for one in outcome.skipped] == ([] if moves else [twice])
    assert {one.reason for one in outcome.skipped} <= {SkipReason.CONFLICT}
    assert stranger.digest in new.manifests


def test_a_strangers_tag_stops_the_run_where_that_is_asked_for(registry: MemoryRegistry) -> None:
    """The error names the tag; its public sentence does not."""
    registry.repository("new").hold(image_of("stranger"), "v2")
    with pytest.raises(ConflictError, match="another image under the tag v2"):
        copy(Copying(registry, on_conflict=OnConflict.STOP))


def test_a_tag_that_appears_after_the_listing_is_not_overwritten(registry: MemoryRegistry) -> None:
    """Each tag is looked at right before it is put."""
    new, stranger = registry.repository("new"), image_of("stranger")

    def appear(request: PlainRequest) -> Response | None:
        if request.method == "PUT" and "/new/manifests/sha256" in request.url:
            new.hold(stranger, "stable")
        return None

    registry.faults.append(appear)
    outcome = copy(Copying(registry))
    assert new.tags["stable"] == stranger.digest
    assert len(outcome.skipped) == 1


def test_a_token_that_is_refused_is_renewed(registry: MemoryRegistry) -> None:
    """A registry that refuses a token is asked again with another one."""
    refusals = iter([refuse(401, "UNAUTHORIZED")])
    registry.faults.append(lambda _request: next(refusals, None))
    assert copy(Copying(registry)).copied == 6
    assert registry.tokens == 3, "one for each side, and one for what was refused"


def test_a_token_is_renewed_before_it_expires(registry: MemoryRegistry) -> None:
    """It is good for twelve hours, and one layer may take a while."""
    clock = FakeClock()
    token = RegistryToken(RegistryAws(registry), clock)  # type: ignore[arg-type]

    async def ask(seconds: float) -> str:
        clock.slept.append(seconds)
        return await token.header()

    first, second, third = (asyncio.run(ask(seconds)) for seconds in (1, 11 * 3600, 3000))
    assert (first, second, third) == ("Basic token-1", "Basic token-1", "Basic token-2")


def test_throttling_is_told_and_outlasted(registry: MemoryRegistry) -> None:
    """429 slows the copy down; server errors are asked again; neither fails an image."""
    chance = random.Random(1)
    answers = [refuse(429, "TOOMANYREQUESTS"), Response(500, {}, b""), Response(503, {}, b"")]
    registry.faults.append(
        lambda _request: chance.choice(answers) if chance.random() < 0.3 else None
    )
    copying = Copying(registry, ELSEWHERE)
    assert copy(copying).copied == 6
    assert copying.throttles
    assert all("returned 429" in one or "returned 503" in one for one in copying.throttles)
    assert registry.repository("new", ELSEWHERE).pairs == registry.repository("old").pairs


def test_a_registry_that_fails_for_good_ends_the_run(registry: MemoryRegistry) -> None:
    """Never a success, and never an endless loop."""
    registry.faults.append(lambda _request: Response(500, {}, b""))
    with pytest.raises(LookupFailedError, match="failed 10 times"):
        copy(Copying(registry))


def test_a_denied_push_is_a_denied_write(registry: MemoryRegistry) -> None:
    """The sentence names the action, as IAM does."""
    message = "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ecr:PutImage"
    registry.faults.append(
        lambda request: refuse(403, "DENIED", message) if request.method == "PUT" else None
    )
    with pytest.raises(WriteDeniedError, match="it needs ecr:PutImage"):
        copy(Copying(registry))


def test_a_denied_pull_and_a_missing_repository_end_the_run(registry: MemoryRegistry) -> None:
    """Neither looks like an image that is not there."""
    registry.faults.append(lambda _request: refuse(403, "DENIED"))
    with pytest.raises(LookupFailedError, match="ecr:BatchGetImage"):
        copy(Copying(registry))
    registry.faults[:] = [lambda _request: refuse(404, "NAME_UNKNOWN")]
    with pytest.raises(NotFoundError):
        copy(Copying(registry))


def test_content_that_is_not_that_of_its_digest_is_never_taken(registry: MemoryRegistry) -> None:
    """Neither a layer nor a manifest; the image is skipped, and no tag of it is put."""
    old = registry.repository("old")
    layer, other = UNTAGGED, image_of("twice", layers=[BASE])
    wrong = digest_of(ALONE)
    old.blobs[wrong] = b"something else"
    old.manifests[other.digest] = (other.content + b" ", other.media_type)
    outcome = copy(Copying(registry, ELSEWHERE))
    assert {(one.key, one.reason) for one in outcome.skipped} == {
        (layer.digest, SkipReason.FAILED),
        (other.digest, SkipReason.FAILED),
        (image_of("attestation", subject=other.digest).digest, SkipReason.FAILED),
    }
    new = registry.repository("new", ELSEWHERE)
    assert wrong not in new.blobs
    assert set(new.tags) == {"1.0"}


def test_an_image_that_is_deleted_meanwhile_has_changed(registry: MemoryRegistry) -> None:
    """The copy is made again, as for every source that changes."""
    gone = UNTAGGED.digest
    registry.faults.append(
        lambda request: refuse(404, "MANIFEST_UNKNOWN") if request.url.endswith(gone) else None
    )
    (skipped,) = copy(Copying(registry)).skipped
    assert (skipped.key, skipped.reason) == (gone, SkipReason.CHANGED)


def test_what_is_no_manifest_is_skipped(registry: MemoryRegistry) -> None:
    """Whatever stands under a digest, the copy goes on with the other images."""
    broken = [
        registry.repository("old").hold(PushedImage(content, OCI_INDEX))
        for content in (b"[]", b"{", b'{"manifests": [{"digest": 1}]}', b'"x"')
    ]
    outcome = copy(Copying(registry))
    assert {one.key for one in outcome.skipped} == {one.digest for one in broken}
    assert outcome.copied == 6
