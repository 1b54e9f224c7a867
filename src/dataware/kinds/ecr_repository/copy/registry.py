"""What a registry can be asked of one repository: manifests, tags and blobs.

Sources: OCI Distribution Specification 1.1 (pull, push, mount); Amazon ECR User Guide, "Pushing a
Docker image to an Amazon ECR private repository" (the actions that each step takes).
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote

from dataware.core.copier import CopyTools
from dataware.core.model import Location
from dataware.core.ports import Response
from dataware.kinds.ecr_repository.copy.exchange import RegistryExchange
from dataware.kinds.ecr_repository.copy.images import repository_name
from dataware.kinds.ecr_repository.copy.manifests import MEDIA_TYPES, Manifest

_ACCEPT = {"accept": ", ".join(MEDIA_TYPES)}
_OK, _STORED = frozenset({200}), frozenset({200, 201, 202, 204})
_IF_THERE = frozenset({200, 307, 404})
"""A blob to which one is redirected is there, wherever it lies."""


class WrongContentError(Exception):
    """The source holds other bytes under a digest than those of the digest."""


class Registry:
    """One repository as its registry shows it; each method raises what `RegistryExchange` does."""

    def __init__(self, tools: CopyTools, place: Location) -> None:
        self.place = place
        self._exchange = RegistryExchange(tools, place)

    async def shares_blobs(self, other: Registry) -> bool:
        """Whether both repositories are in one registry, so that blobs can be mounted."""
        return await self._exchange.registry() == await other._exchange.registry()

    async def manifest(self, reference: str) -> Manifest:
        """A manifest by digest or tag, byte for byte."""
        path = f"manifests/{reference}"
        answer = await self._exchange.ask("BatchGetImage", _OK, "GET", path, _ACCEPT)
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
        return Manifest(answer.body, media_type)

    async def find_tag(self, tag: str) -> str | None:
        """The digest of what stands under a tag now; None for a free one."""
        path = f"manifests/{tag}"
        answer = await self._exchange.ask("BatchGetImage", _IF_THERE, "HEAD", path, _ACCEPT)
        if answer.status == 404:
            return None
        digest = answer.headers.get("docker-content-digest")
        return digest or (await self.manifest(tag)).digest

    async def put_manifest(self, reference: str, manifest: Manifest) -> None:
        """Put a manifest under its digest, or under a tag."""
        headers = {"content-type": manifest.media_type}
        path = f"manifests/{reference}"
        await self._exchange.ask("PutImage", _STORED, "PUT", path, headers, manifest.content)

    async def has_blob(self, digest: str) -> bool:
        """Whether a blob is there."""
        call = "BatchCheckLayerAvailability"
        answer = await self._exchange.ask(call, _IF_THERE, "HEAD", f"blobs/{digest}")
        return answer.status != 404

    async def mount_blob(self, digest: str, source: Registry) -> str | None:
        """Take a blob over from another repository of this registry, which moves no bytes.

        None once it is there; else the address of an upload, where the registry does not mount.
        """
        name = quote(repository_name(source.place), safe="")
        path = f"blobs/uploads/?mount={quote(digest, safe='')}&from={name}"
        answer = await self._exchange.ask("InitiateLayerUpload", _STORED, "POST", path)
        return None if answer.status == 201 else await self._exchange.find_place(answer)

    async def upload_blob(self, digest: str, source: Registry, address: str | None = None) -> int:
        """Hand a blob on from another registry, and answer with its size.

        `address` is that of an upload that has begun. One that breaks off is begun again, and none
        counts before the registry has seen that it is whole. Raises WrongContentError.
        """
        upload = _Upload(self._exchange, source._exchange, digest, address)
        await self._exchange.insist("UploadLayerPart", _STORED, upload.attempt)
        return upload.size


class _Upload:
    """The tries to hand one blob on."""

    def __init__(
        self,
        target: RegistryExchange,
        source: RegistryExchange,
        digest: str,
        address: str | None,
    ) -> None:
        self._target = target
        self._source = source
        self._digest = digest
        self._address = address
        self._sha256 = sha256()
        self.size = 0

    async def attempt(self) -> Response:
        """Begin, send all of it, and end; answers with what went wrong, if something did."""
        address, self._address = self._address, None
        if address is None:
            begun = await self._target.send(await self._target.request("POST", "blobs/uploads/"))
            if begun.status != 202:
                return begun
            address = await self._target.find_place(begun)
        self._sha256, self.size = sha256(), 0
        get = await self._source.request("GET", f"blobs/{self._digest}")
        binary = {"content-type": "application/octet-stream"}
        patch = await self._target.request("PATCH", address, binary)
        response, taken = await self._target.relay(get, patch, self._take)
        if taken is None:
            await self._source.judge("GetDownloadUrlForLayer", response)
            raise ConnectionError(f"the source answered {response.status}")
        if taken.status not in _STORED:
            return taken
        if f"sha256:{self._sha256.hexdigest()}" != self._digest:
            raise WrongContentError(self._digest)
        place = await self._target.find_place(taken)
        sign = "&" if "?" in place else "?"
        url = f"{place}{sign}digest={quote(self._digest, safe='')}"
        return await self._target.send(await self._target.request("PUT", url, binary))

    def _take(self, piece: bytes) -> None:
        self._sha256.update(piece)
        self.size += len(piece)
