"""A registry in memory: the API of ECR and the HTTP of its registry, with faults in front of them.

Nothing of dataware judges here: answers are written as the OCI Distribution Specification and the
Amazon ECR API Reference document them, and a test looks at `repositories` directly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from dataware.core.copier import CopyOrder, CopyTools
from dataware.core.model import Location, OnConflict
from dataware.core.ports import PlainRequest, Response
from dataware.kinds.ecr_repository.copy.copier import RepositoryCopier
from support.dynamo import FakeClock
from support.images import PushedImage, digest_of
from support.world import NoWire

ACCOUNT, REGION = "111122223333", "eu-central-1"

Fault = Callable[[PlainRequest], Response | None]


@dataclass
class MemoryRepository:
    """What a repository holds; `immutable` are its tags, and `archived` some of its digests."""

    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    immutable: bool = False

    def hold(self, image: PushedImage, *tags: str) -> PushedImage:
        """Put an image with its blobs and tags."""
        self.manifests[image.digest] = (image.content, image.media_type)
        self.blobs.update(image.blobs)
        self.tags.update(dict.fromkeys(tags, image.digest))
        return image

    @property
    def pairs(self) -> set[tuple[str, str | None]]:
        """Every digest with each of its tags."""
        tagged = set(self.tags.values())
        return {(digest, tag) for tag, digest in self.tags.items()} | {
            (digest, None) for digest in self.manifests.keys() - tagged
        }


@dataclass
class MemoryRegistry:
    """The registries of an account, one a region; `mounts` says whether blobs may be mounted."""

    repositories: dict[tuple[str, str], MemoryRepository] = field(default_factory=dict)
    sent: list[PlainRequest] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    mounts: bool = True
    tokens: int = 0
    uploads: dict[str, bytes] = field(default_factory=dict)

    def repository(self, name: str, region: str = REGION) -> MemoryRepository:
        """A repository, made if need be."""
        return self.repositories.setdefault((region, name), MemoryRepository())

    def written(self) -> list[str]:
        """The requests that change something, since the last look."""
        found = [f"{r.method} {urlsplit(r.url).path}" for r in self.sent if r.method not in READS]
        self.sent.clear()
        return found

    async def send(self, request: PlainRequest, _permit: object = None) -> Response:
        """Answer one request."""
        self.sent.append(request)
        for fault in self.faults:
            if (answer := fault(request)) is not None:
                return answer
        return self._answer(request)

    async def relay(
        self,
        source: PlainRequest,
        target: PlainRequest,
        take: Callable[[bytes], None],
        _permit: object = None,
    ) -> tuple[Response, Response | None]:
        """Hand a body on in two pieces."""
        found = await self.send(source)
        if found.status != 200:
            return found, None
        half = len(found.body) // 2
        for piece in (found.body[:half], found.body[half:], b""):
            take(piece)
        return found, await self.send(target._replace(body=found.body))

    def _answer(self, request: PlainRequest) -> Response:
        scheme, _, number = request.headers["authorization"].rpartition("-")
        assert (scheme, int(number) <= self.tokens) == ("Basic token", True)
        parts = urlsplit(request.url)
        region = parts.netloc.split(".")[3]
        name, _, reference = parts.path.removeprefix("/v2/").rpartition("/manifests/")
        if name:
            return _of_manifest(self.repository(name, region), request, unquote(reference))
        name, _, rest = parts.path.removeprefix("/v2/").partition("/blobs/")
        there, query = self.repository(name, region), parse_qs(parts.query)
        if not rest.startswith("uploads/"):
            blob = there.blobs.get(rest)
            return refuse(404, "BLOB_UNKNOWN") if blob is None else Response(200, {}, blob)
        if request.method == "POST":
            return self._begin(there, query, region, parts.path)
        if request.method == "PATCH":
            self.uploads[parts.path] = request.body
            return Response(202, {"location": parts.path + "?state=1"}, b"")
        (digest,) = query["digest"]
        if digest_of(self.uploads[parts.path]) != digest:
            return refuse(400, "DIGEST_INVALID")
        there.blobs[digest] = self.uploads.pop(parts.path)
        return Response(201, {}, b"")

    def _begin(
        self, there: MemoryRepository, query: Mapping[str, list[str]], region: str, path: str
    ) -> Response:
        if "mount" in query and self.mounts:
            blob = self.repository(query["from"][0], region).blobs.get(query["mount"][0])
            if blob is not None:
                there.blobs[query["mount"][0]] = blob
                return Response(201, {}, b"")
        return Response(202, {"location": f"{path}upload-{len(self.sent)}"}, b"")


READS = ("GET", "HEAD")


def refuse(status: int, code: str, message: str = "") -> Response:
    """A refusal as registries write it."""
    errors = [{"code": code, "message": message}]
    return Response(status, {}, json.dumps({"errors": errors}).encode())


def _of_manifest(there: MemoryRepository, request: PlainRequest, reference: str) -> Response:
    digest = there.tags.get(reference, reference)
    if request.method == "PUT":
        return _put_manifest(there, request, reference)
    if digest not in there.manifests:
        return refuse(404, "MANIFEST_UNKNOWN")
    content, media_type = there.manifests[digest]
    return Response(200, {"content-type": media_type, "docker-content-digest": digest}, content)


def _put_manifest(there: MemoryRepository, request: PlainRequest, reference: str) -> Response:
    document, digest = json.loads(request.body), digest_of(request.body)
    named = [document.get("config"), *document.get("layers", ())]
    if any(one and one["digest"] not in there.blobs for one in named):
        return refuse(404, "LayersNotFoundException")
    if any(one["digest"] not in there.manifests for one in document.get("manifests", ())):
        return refuse(404, "ReferencedImagesNotFoundException")
    if not reference.startswith("sha256:"):
        if there.immutable and there.tags.get(reference, digest) != digest:
            return refuse(400, "TAG_INVALID", "the tag is immutable")
        there.tags[reference] = digest
    there.manifests[digest] = (request.body, request.headers["content-type"])
    return Response(201, {}, b"")


@dataclass(frozen=True)
class RegistryAws:
    """The control plane of one region of a `MemoryRegistry`."""

    registry: MemoryRegistry
    region: str = REGION
    account: str = ACCOUNT

    def for_region(self, region: str) -> Self:
        """The same account elsewhere."""
        return type(self)(self.registry, region)

    def plain_http(self) -> MemoryRegistry:
        """The registry itself."""
        return self.registry

    def translate_errors(self, *_what: object) -> AbstractContextManager[None]:
        """No call fails here."""
        return nullcontext()

    def client(self, _service: str) -> Any:
        """A client of ECR."""
        return SimpleNamespace(
            meta=SimpleNamespace(endpoint_url=f"https://api.ecr.{self.region}.amazonaws.com"),
            describe_repositories=self._describe,
            get_authorization_token=self._token,
            get_paginator=lambda _name: SimpleNamespace(paginate=self._pages),
            batch_get_image=self._images,
        )

    def _describe(self, repositoryNames: list[str], **_: object) -> dict[str, Any]:  # noqa: N803 - as the SDK has it
        host = f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"
        return {"repositories": [{"repositoryUri": f"{host}/{repositoryNames[0]}"}]}

    def _token(self) -> dict[str, Any]:
        self.registry.tokens += 1
        token = f"token-{self.registry.tokens}"
        return {"authorizationData": [{"authorizationToken": token, "expiresAt": 43200.0}]}

    def _pages(self, repositoryName: str, **more: Any) -> Iterator[dict[str, Any]]:  # noqa: N803 - as above
        assert more["filter"] == {"imageStatus": "ANY"}
        there = self.registry.repository(repositoryName, self.region)
        for digest in there.manifests:
            row = {
                "imageDigest": digest,
                "imageTags": [tag for tag, one in there.tags.items() if one == digest],
                "imageSizeInBytes": 10,
                "imageStatus": "ARCHIVED" if digest in there.archived else "ACTIVE",
            }
            yield {"imageDetails": [row]}

    def _images(self, repositoryName: str, imageIds: Any, **_: Any) -> dict[str, Any]:  # noqa: N803 - as above
        there = self.registry.repository(repositoryName, self.region)
        wanted = [one["imageDigest"] for one in imageIds]
        found = [
            {"imageId": {"imageDigest": one}, "imageManifest": there.manifests[one][0].decode()}
            for one in wanted
            if one in there.manifests
        ]
        failures = [
            {"imageId": {"imageDigest": one}, "failureCode": "ImageNotFound"}
            for one in wanted
            if one not in there.manifests
        ]
        return {"images": found, "failures": failures}


@dataclass
class Copying:
    """A copy between two repositories of a registry, without the engine."""

    registry: MemoryRegistry
    target_region: str = REGION
    on_conflict: OnConflict | None = None
    throttles: list[str] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)

    def copier(self) -> RepositoryCopier:
        """A new copier, as a new run makes it."""
        aws = RegistryAws(self.registry, self.target_region)
        wire = NoWire()
        tools = CopyTools(aws, wire, self.clock, self.throttles.append)  # type: ignore[arg-type]
        places = (Location("old", ACCOUNT, REGION), Location("new", ACCOUNT, self.target_region))
        return RepositoryCopier(tools, CopyOrder(*places, on_conflict=self.on_conflict))
