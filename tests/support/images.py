"""Images for tests: made of a few bytes, and pushed through the registry of the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from dataware.aws import Account
from support.servers import Seen

OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class PushedImage:
    """A manifest with the blobs that it names."""

    content: bytes
    media_type: str
    blobs: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of the manifest."""
        return digest_of(self.content)


@dataclass(frozen=True)
class PushTo:
    """A repository of the embedded AWS."""

    aws: Account
    name: str

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a request to the registry; raises for every answer but a success."""
        endpoint = self.aws.client("ecr").meta.endpoint_url
        host = f"{self.aws.account}.dkr.ecr.{self.aws.region}.amazonaws.com"
        request = Request(
            f"{endpoint}/v2/{self.name}/{path}",
            data=body or None,
            method=method,
            headers={"Host": host, **(headers or {})},
        )
        with urlopen(request) as answer:
            answer.read()


def digest_of(content: bytes) -> str:
    """The digest of some bytes."""
    return f"sha256:{sha256(content).hexdigest()}"


def image_of(
    seed: str,
    media_type: str = OCI,
    *,
    layers: Sequence[bytes] = (),
    subject: str | None = None,
) -> PushedImage:
    """An image that is told by a word, and stands on `layers` and on a configuration of all images.

    Its manifest is spelt as no library would spell it, so that only a copy of bytes is one.
    """
    blobs = [b"configuration", *layers]
    config, *rest = [
        {"mediaType": "application/octet-stream", "digest": digest_of(one), "size": len(one)}
        for one in blobs
    ]
    note = {"example.word": seed}
    document: dict[str, Any] = {
        "layers": rest,
        "schemaVersion": 2,
        "annotations": note,
        "config": config,
    }
    if subject is not None:
        document["subject"] = {"mediaType": OCI, "digest": subject, "size": 1}
    content = json.dumps(document, indent=3).encode()
    return PushedImage(content, media_type, {digest_of(one): one for one in blobs})


def index_of(children: Iterable[PushedImage]) -> PushedImage:
    """An index of images, one a platform."""
    manifests = [
        {
            "mediaType": one.media_type,
            "digest": one.digest,
            "size": len(one.content),
            "platform": {"os": "linux", "architecture": f"arch{number}"},
        }
        for number, one in enumerate(children)
    ]
    document = {"manifests": manifests, "schemaVersion": 2, "mediaType": OCI_INDEX}
    return PushedImage(json.dumps(document).encode(), OCI_INDEX)


def push(where: PushTo, image: PushedImage, tags: Sequence[str] = ()) -> PushedImage:
    """Push an image, under its digest and some tags."""
    for digest, blob in image.blobs.items():
        path = f"blobs/uploads/?digest={quote(digest, safe='')}"
        where.send("POST", path, blob, {"Content-Type": "application/octet-stream"})
    for reference in (image.digest, *tags):
        push_manifest(where, image, reference)
    return image


def push_image(where: PushTo, seed: str, tags: Sequence[str] = ()) -> PushedImage:
    """Push a simple image, under its digest and some tags."""
    return push(where, image_of(seed), tags)


def push_manifest(where: PushTo, image: PushedImage, reference: str) -> None:
    """Put the manifest of an image under a reference."""
    headers = {"Content-Type": image.media_type}
    where.send("PUT", f"manifests/{reference}", image.content, headers)


def images_of(aws: Account, name: str) -> dict[str, tuple[tuple[str, ...], str, str]]:
    """Every image of a repository: its tags, its manifest and the type of that, by digest."""
    ecr = aws.client("ecr")
    rows = ecr.describe_images(repositoryName=name)["imageDetails"]
    found = {}
    for row in rows:
        digest = row["imageDigest"]
        (image,) = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageDigest": digest}])[
            "images"
        ]
        tags = tuple(sorted(row.get("imageTags") or ()))
        found[digest] = (tags, image["imageManifest"], row["imageManifestMediaType"])
    return found


def registry_actions(seen: Seen) -> tuple[str, ...]:
    """The IAM actions of a request to a registry.

    Source: Amazon ECR User Guide, "IAM permissions for pushing an image" and "… pulling an image".
    """
    is_blob, method = "/blobs/" in seen.path, seen.method
    if not is_blob:
        return ("ecr:PutImage",) if method == "PUT" else ("ecr:BatchGetImage",)
    if "/uploads/" not in seen.path:
        reading = {"HEAD": "ecr:BatchCheckLayerAvailability", "GET": "ecr:GetDownloadUrlForLayer"}
        return (reading[method],)
    writing = {
        "POST": "ecr:InitiateLayerUpload",
        "PATCH": "ecr:UploadLayerPart",
        "PUT": "ecr:CompleteLayerUpload",
    }
    return (writing[method],)
