"""Repositories are copied by the command line, as buckets and tables are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dataware.aws import Account
from support.cli import run
from support.dynamo import account
from support.images import (
    DOCKER,
    PushTo,
    image_of,
    images_of,
    index_of,
    push,
    push_manifest,
)
from support.servers import FaultProxy

OLD, NEW = "app/old", "app/new"
PAIR = (f"ecr://{OLD}", f"ecr://{NEW}")
BASE = b"a layer that several images stand on"


@dataclass(frozen=True)
class Repositories:
    """A source with images of every sort, and an empty target."""

    aws: Account
    proxy: FaultProxy

    def sent(self) -> list[str]:
        """What was written to the registry since the last look."""
        seen = [
            f"{one.method} {one.path}"
            for one in self.proxy.seen
            if one.path.startswith("/v2/") and one.method not in ("GET", "HEAD")
        ]
        self.proxy.clear()
        return seen


@pytest.fixture
def repositories(fault_proxy: FaultProxy) -> Iterator[Repositories]:
    """An index of two platforms, an untagged image, one with two tags, a signature, a referrer."""
    aws = account()
    for name in (OLD, NEW):
        aws.client("ecr").create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    where = PushTo(aws, OLD)
    platforms = [push(where, image_of(word, layers=[BASE])) for word in ("amd64", "arm64")]
    push(where, index_of(platforms), ["1.0"])
    push(where, image_of("untagged", DOCKER))
    twice = push(where, image_of("twice", layers=[BASE]), ["v2", "stable"])
    push(where, image_of("signature"), [f"{twice.digest.replace(':', '-')}.sig"])
    push(where, image_of("attestation", subject=twice.digest))
    fault_proxy.clear()
    yield Repositories(aws, fault_proxy)
    fault_proxy.clear()


def test_images_of_every_sort_are_copied_by_digest_and_verified(repositories: Repositories) -> None:
    """Indexes, untagged and signed images and immutable tags arrive; a second run moves nothing."""
    ended = run("migrate", *PAIR)
    assert ended.code == 0, ended.err
    aws = repositories.aws
    assert images_of(aws, NEW) == images_of(aws, OLD)
    assert len(images_of(aws, NEW)) == 7
    written = repositories.sent()
    assert not any(line.startswith("PATCH") for line in written), "layers are mounted"
    put = [line.rpartition("/")[2] for line in written if "/manifests/" in line]
    index = index_of(image_of(word, layers=[BASE]) for word in ("amd64", "arm64"))
    assert put.index("1.0") > put.index(index.digest), "a tag is put on what is whole"
    assert all(
        put.index(index.digest) > put.index(image_of(word, layers=[BASE]).digest)
        for word in ("amd64", "arm64")
    )
    again = run("migrate", *PAIR)
    assert again.code == 0, again.err
    assert repositories.sent() == []
    deep = run("verify", *PAIR, "--deep")
    assert (deep.code, "7 images" in deep.out + deep.err) == (0, True)


def test_a_strangers_tag_is_never_moved(repositories: Repositories) -> None:
    """Neither by default nor, in a repository of immutable tags, by --on-conflict source."""
    aws = repositories.aws
    stranger = push(PushTo(aws, NEW), image_of("stranger"), ["v2"])
    ended = run("migrate", *PAIR)
    assert ended.code == 4
    assert "1 image not copied" in ended.err
    assert "the target has another image under v2" in ended.out + ended.err
    there, twice = images_of(aws, NEW), image_of("twice", layers=[BASE]).digest
    assert there[stranger.digest][0] == ("v2",)
    assert there[twice][0] == ("stable",)
    forced = run("migrate", *PAIR, "--on-conflict", "source")
    assert forced.code == 4
    assert images_of(aws, NEW)[stranger.digest][0] == ("v2",)
    kept = run("migrate", *PAIR, "--on-conflict", "target", "--allow-skipped")
    assert kept.code == 0, kept.err


def test_a_tag_is_moved_where_that_is_asked_for(repositories: Repositories) -> None:
    """The source wins in a repository whose tags may be moved."""
    aws = repositories.aws
    aws.client("ecr").put_image_tag_mutability(repositoryName=NEW, imageTagMutability="MUTABLE")
    push(PushTo(aws, NEW), image_of("stranger"), ["v2"])
    stopped = run("migrate", *PAIR, "--on-conflict", "stop")
    assert stopped.code == 3
    ended = run("migrate", *PAIR, "--on-conflict", "source")
    assert ended.code == 0, ended.err
    assert images_of(aws, NEW)[image_of("twice", layers=[BASE]).digest][0] == ("stable", "v2")


def test_a_verification_names_the_image_whose_manifest_or_tag_is_another(
    repositories: Repositories,
) -> None:
    """The reader trusts no listing: it hashes what stands under each digest."""
    assert run("migrate", *PAIR).code == 0
    aws = repositories.aws
    aws.client("ecr").put_image_tag_mutability(repositoryName=NEW, imageTagMutability="MUTABLE")
    other, twice = image_of("untagged", DOCKER), image_of("twice", layers=[BASE])
    push_manifest(PushTo(aws, NEW), other, "stable")
    found = run("verify", *PAIR)
    assert found.code == 2
    assert twice.digest in found.out + found.err
    assert other.digest not in found.out + found.err


def test_a_plan_tells_images_and_bytes_and_is_applied(
    repositories: Repositories, tmp_path: Path
) -> None:
    """A copy from a fallback into a repository to be created is planned as that of a bucket."""
    app = tmp_path / "dataware.toml"
    text = f'''[[resource]]
type = "AWS::ECR::Repository"
preferred = "app/made"
fallback = "{OLD}"

[resource.properties]
LifecyclePolicy = {{ LifecyclePolicyText = '{{"rules": []}}' }}
'''
    app.write_text(text, encoding="utf-8")
    planned = run("plan", app)
    assert planned.code == 0, planned.err
    shown = " ".join((planned.out + planned.err).split())
    assert "7 images" in shown
    assert "its lifecycle policy may delete images during the copy" in shown
    applied = run("apply", app, "--yes")
    assert applied.code == 0, applied.err
    assert images_of(repositories.aws, "app/made") == images_of(repositories.aws, OLD)
