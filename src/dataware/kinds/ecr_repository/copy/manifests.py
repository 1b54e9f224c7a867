"""What the manifest of an image names: other manifests, and blobs; pure.

Sources: OCI Image Specification, "Image Manifest" and "Image Index"; Docker Registry, "Image
Manifest V 2, Schema 2".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.artifact.manifest.v1+json",
)
"""What a registry is asked for; it converts nothing that is among them."""

_ELSEWHERE = ("foreign", "nondistributable")
"""In the type of layers that lie outside of the registry, such as those of Windows."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest byte for byte, with its media type."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """The digest that the content has."""
        return f"sha256:{sha256(self.content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class ManifestParts:
    """What a manifest names by digest.

    `children` have to be there before it, `subject` is what it says something of (a signature, an
    attestation), which may be missing.
    """

    children: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    subject: str | None = None


def read_parts(manifest: Manifest) -> ManifestParts:
    """What a manifest names. Raises ValueError for what is none."""
    try:
        document = json.loads(manifest.content)
        children = tuple(_digests(document.get("manifests") or ()))
        config = [document["config"]] if document.get("config") else []
        layers = [*(document.get("layers") or ()), *(document.get("blobs") or ())]
        stored = (one for one in (*config, *layers) if not _lies_elsewhere(one))
        subject = (document.get("subject") or {}).get("digest")
        return ManifestParts(children, tuple(dict.fromkeys(_digests(stored))), subject)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("the manifest is not that of an image") from error


def _digests(descriptors: Any) -> Iterator[str]:
    for one in descriptors:
        digest = one["digest"]
        if not isinstance(digest, str):
            raise TypeError(digest)
        yield digest


def _lies_elsewhere(descriptor: Mapping[str, Any]) -> bool:
    media_type = str(descriptor.get("mediaType") or "")
    return bool(descriptor.get("urls")) or any(word in media_type for word in _ELSEWHERE)
