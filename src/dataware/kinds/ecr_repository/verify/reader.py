"""Reads the images of a repository: their digests and tags, and the hash of every manifest.

A registry takes a manifest only once all its layers are there, and refuses layers that do not match
their digests, so equal manifests mean equal images; with `deep` it is asked for every layer.
Source: Amazon ECR API Reference, DescribeImages, BatchGetImage, BatchCheckLayerAvailability.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b, sha256
from itertools import islice
from threading import Lock
from typing import Any, Final, NamedTuple

from dataware.calc.key_range import KeyRange, ranges
from dataware.core.errors import LookupFailedError
from dataware.core.model import Location, Problem
from dataware.core.ports import Aws
from dataware.core.reader import Evidence, FingerprintPage, KeyFingerprint, Reader

BATCH: Final = 100
"""Images, or layers, of one call (API Reference, BatchGetImage)."""

PARALLEL_FROM: Final = 500
"""Images from which parts are read at the same time."""

MANIFESTS: Final = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.artifact.manifest.v1+json",
)
_UNREADABLE: Final = b"unreadable:"


class ImageRecord(NamedTuple):
    """An image: its digest, the hash of what stands under it, its tags, and its layers if asked."""

    key: bytes
    content: bytes
    tags: tuple[str, ...]
    layers: bytes = b""


class RepositoryReader(Reader):
    """Reads one repository, in the order of its digests."""

    def __init__(self, aws: Aws, place: Location, *, deep: bool = False) -> None:
        self._aws = aws
        self._place = place
        self._deep = deep
        self._lock = Lock()
        self._image_rows: list[Mapping[str, Any]] | None = None
        name = place.name
        self._which = {
            "registryId": place.owner,
            "repositoryName": name.split("repository/", 1)[1] if name[:4] == "arn:" else name,
        }

    def parts(self) -> Sequence[str]:
        """Ranges of digests, which are spread evenly."""
        if len(self._images()) < PARALLEL_FROM:
            return ("",)
        return [part.text for part in ranges(b"sha256:%x" % digit for digit in range(2, 16, 2))]

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """The images of a range of digests."""
        span, last = KeyRange.of(part), bytes.fromhex(after or "")
        rows = (
            row
            for row in self._images()
            if (key := row["imageDigest"].encode()) in span and key > last
        )
        while some := list(islice(rows, BATCH)):
            yield FingerprintPage(self._read(some))

    def digest_raw(self, record: Any) -> bytes:
        """Sixteen bytes of an image."""
        return self.entry(record).digest

    digest_canonical = digest_raw

    def entry(self, record: Any) -> KeyFingerprint:
        """An image as an entry; one with other tags may still have all that are wanted."""
        content = repr((record.content, record.tags, record.layers)).encode()
        digest = blake2b(content, digest_size=16).digest()
        return KeyFingerprint(record.key, digest, record.key.decode(), conclusive=False)

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The present entries under some keys."""
        wanted = {one.key for one in keys}
        rows = [row for row in self._images() if row["imageDigest"].encode() in wanted]
        return {record.key: self.entry(record) for record in self._read(rows)}

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Whether the other side has the image with all its tags; it may have more of them."""
        if not isinstance(other, RepositoryReader):
            raise TypeError("a repository is only compared with a repository")
        one, two = (reader._look(at.key) for reader, at in ((self, mine), (other, theirs)))
        if one is None or two is None or not set(one.tags) <= set(two.tags):
            return None
        if one.layers != two.layers:
            return None
        unread = [record.content.startswith(_UNREADABLE) for record in (one, two)]
        if any(unread):
            return Evidence.METADATA if all(unread) else None
        return Evidence.CONTENT if one.content == two.content else None

    def _look(self, key: bytes) -> ImageRecord | None:
        rows = [row for row in self._images() if row["imageDigest"].encode() == key]
        return next(iter(self._read(rows)), None)

    def _images(self) -> list[Mapping[str, Any]]:
        """Every image, as the service describes it; listed once."""
        with self._lock:
            if self._image_rows is None:
                pages = self._aws.client("ecr").get_paginator("describe_images")
                what = f"the images of repository {self._place.name}"
                with self._aws.translate_errors(what, "ecr:DescribeImages"):
                    every = pages.paginate(**self._which, filter={"imageStatus": "ANY"})
                    rows = [row for page in every for row in page["imageDetails"]]
                self._image_rows = sorted(rows, key=lambda row: str(row["imageDigest"]))
            return self._image_rows

    def _read(self, rows: Sequence[Mapping[str, Any]]) -> list[ImageRecord]:
        """Some images with their manifests; what is gone by now is left out."""
        active = [row for row in rows if row.get("imageStatus", "ACTIVE") == "ACTIVE"]
        manifests = self._manifests([str(row["imageDigest"]) for row in active])
        records = []
        for row in rows:
            digest, tags = str(row["imageDigest"]), tuple(sorted(row.get("imageTags") or ()))
            if digest in manifests:
                text = manifests[digest].encode()
                layers = self._layers(text) if self._deep else b""
                records.append(ImageRecord(digest.encode(), sha256(text).digest(), tags, layers))
            elif row not in active:
                # Never equal to what another repository holds under the digest.
                unread = _UNREADABLE + self._which["repositoryName"].encode()
                records.append(ImageRecord(digest.encode(), unread, tags))
        return records

    def _manifests(self, digests: Sequence[str]) -> dict[str, str]:
        if not digests:
            return {}
        with self._aws.translate_errors(f"repository {self._place.name}", "ecr:BatchGetImage"):
            answer = self._aws.client("ecr").batch_get_image(
                **self._which,
                imageIds=[{"imageDigest": digest} for digest in digests],
                acceptedMediaTypes=list(MANIFESTS),
            )
        failures = answer.get("failures") or ()
        for failure in failures:
            if failure.get("failureCode") != "ImageNotFound":
                raise self._unread_error(str(failure.get("failureCode")))
        read = {one["imageId"]["imageDigest"]: one["imageManifest"] for one in answer["images"]}
        gone = {(failure.get("imageId") or {}).get("imageDigest") for failure in failures}
        if not set(digests) <= read.keys() | gone:
            raise self._unread_error("neither the image nor a failure")
        return read

    def _unread_error(self, code: str) -> LookupFailedError:
        return LookupFailedError(
            f"cannot read an image of repository {self._place.name}: BatchGetImage returned "
            f"{code}; run the same command again later",
            Problem("BatchGetImage", code),
        )

    def _layers(self, manifest: bytes) -> bytes:
        """A digest of the layers that a manifest names, by what the service has of each."""
        document = json.loads(manifest)
        named = [document.get("config"), *document.get("layers", ()), *document.get("blobs", ())]
        digests = sorted({one["digest"] for one in named if one and not one.get("urls")})
        layers = []
        for start in range(0, len(digests), BATCH):
            permission = "ecr:BatchCheckLayerAvailability"
            with self._aws.translate_errors(f"repository {self._place.name}", permission):
                answer = self._aws.client("ecr").batch_check_layer_availability(
                    **self._which, layerDigests=digests[start : start + BATCH]
                )
            layers += [
                (one["layerDigest"], one.get("layerAvailability"), one.get("layerSize"))
                for one in answer.get("layers") or ()
            ]
        return blake2b(repr(sorted(layers)).encode(), digest_size=16).digest()
