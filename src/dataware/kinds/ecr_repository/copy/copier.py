"""Copies a repository into another one: every image by its digest, byte for byte, then its tags.

What is there is not copied again, so a run that was killed resumes from what the target holds. A
tag that stands on another image of the target is never moved unless the order says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from dataware.core.copier import (
    CopyOrder,
    CopyOutcome,
    CopyTools,
    PageBound,
    Rates,
    SkippedKey,
    SkipReason,
    Unit,
    UnitPage,
    no_page_bound,
)
from dataware.core.errors import ConflictError
from dataware.core.model import OnConflict, Size
from dataware.http.error_answer import RequestRefusedError
from dataware.kinds.ecr_repository.copy.images import ACTIVE, Image, list_images
from dataware.kinds.ecr_repository.copy.manifests import Manifest, ManifestParts, read_parts
from dataware.kinds.ecr_repository.copy.registry import Registry, WrongContentError

PAGE: Final = 5
"""Images between two checkpoints; one may be gigabytes."""

BLOBS: Final = 16
"""Blobs that are looked at or handed on at once; each holds a piece of a megabyte."""

UNIT_BYTES: Final = 2 * 1024**2

_IMMUTABLE = ("immutable", "alreadyexists", "already exists")


class ImageSkippedError(Exception):
    """An image that cannot be carried, and why."""

    def __init__(self, reason: SkipReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class RepositoryCopier:
    """The copier of repositories; `order` tells from where to where."""

    def __init__(self, tools: CopyTools, order: CopyOrder) -> None:
        self._tools = tools
        self._order = order
        self._source = Registry(tools, order.source)
        self._target = Registry(tools, order.target)
        self._slots = asyncio.Semaphore(BLOBS)
        self._blobs: dict[str, asyncio.Task[int]] = {}
        self._listing: asyncio.Task[tuple[list[Image], dict[str, Image]]] | None = None
        self._under_way: dict[str, asyncio.Task[int]] = {}
        self._statuses: dict[str, str] | None = None

    async def size(self) -> Size:
        """Every image, and their bytes as the service counts them: shared layers several times."""
        images, _ = await self._images()
        return Size(len(images), sum(image.size for image in images))

    async def rates(self) -> Rates:
        """Nothing: registries have no provisioned capacity."""
        return Rates()

    async def partitions(self) -> Sequence[str]:
        """One: images share their layers."""
        return ("",)

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage[Image]]:
        """The images that the target lacks, or lacks tags of, in the order of their digests."""
        del partition
        images, there = await self._images()
        rest = [image for image in images if after is None or image.digest > after]
        while rest:
            length = min(PAGE, bound() or PAGE)
            page, rest = rest[:length], rest[length:]
            missing = [image for image in page if not _is_there(image, there)]
            units = tuple(Unit(one, 1, UNIT_BYTES) for one in missing if one.status == ACTIVE)
            yield UnitPage(
                units,
                page[-1].digest if rest else None,
                same=len(page) - len(missing),
                skipped=tuple(_skip_archived(one) for one in missing if one.status != ACTIVE),
            )
        if not images or (after is not None and images[-1].digest <= after):
            yield UnitPage((), None)

    async def write(self, unit: Unit[Image]) -> CopyOutcome:
        """Bring one image over, with all it consists of, and then its tags."""
        image = unit.payload
        try:
            moved = await self._carry(image.digest)
            await self._set_tags(image)
        except ImageSkippedError as skipped:
            key = SkippedKey(image.digest, skipped.reason, skipped.detail)
            return CopyOutcome(skipped=(key,))
        return CopyOutcome(copied=1, bytes=moved)

    async def _images(self) -> tuple[list[Image], dict[str, Image]]:
        """The images of the source, and those of the target by digest, as they were first seen."""
        if self._listing is None:
            self._listing = asyncio.ensure_future(self._list())
        return await self._listing

    async def _list(self) -> tuple[list[Image], dict[str, Image]]:
        source, target = self._order.source, self._order.target
        aws = self._tools.aws
        mine = await asyncio.to_thread(list_images, aws.for_region(source.region), source)
        theirs = await asyncio.to_thread(list_images, aws.for_region(target.region), target)
        return mine, {image.digest: image for image in theirs}

    async def _carry(self, digest: str) -> int:
        """Bring a manifest over once, whoever names it; answers with the bytes that were moved."""
        _, there = await self._images()
        if digest in there:
            return 0
        if digest not in self._under_way:
            self._under_way[digest] = asyncio.ensure_future(self._carry_now(digest))
        return await self._under_way[digest]

    async def _carry_now(self, digest: str) -> int:
        """Bring over what a manifest names, then the manifest, which so is never without it."""
        manifest = await self._manifest(digest)
        parts = self._parts_of(manifest)
        moved = [await self._carry_child(child) for child in parts.children]
        if parts.subject is not None and await self._status_of(parts.subject) == ACTIVE:
            moved.append(await self._carry(parts.subject))
        moved += await asyncio.gather(*map(self._bring_blob, parts.blobs))
        await self._put(digest, manifest)
        return sum(moved) + len(manifest.content)

    async def _carry_child(self, digest: str) -> int:
        """Bring over what an index names, without which no registry takes the index."""
        status = await self._status_of(digest)
        if status is None:
            detail = f"it names an image that the source does not hold ({digest})"
            raise ImageSkippedError(SkipReason.FAILED, detail)
        if status != ACTIVE:
            detail = f"it names an archived image ({digest}): restore that first"
            raise ImageSkippedError(SkipReason.ARCHIVED, detail)
        return await self._carry(digest)

    async def _status_of(self, digest: str) -> str | None:
        """Whether an image of the source can be pulled; None for one that is not there."""
        if self._statuses is None:
            images, _ = await self._images()
            self._statuses = {image.digest: image.status for image in images}
        return self._statuses.get(digest)

    async def _manifest(self, digest: str) -> Manifest:
        """A manifest of the source, whose bytes are those of its digest."""
        try:
            manifest = await self._source.manifest(digest)
        except RequestRefusedError as refused:
            if refused.answer.status == 404:
                detail = "it was deleted since it was listed"
                raise ImageSkippedError(SkipReason.CHANGED, detail) from None
            raise _to_skip(refused) from None
        if manifest.digest != digest:
            detail = "the registry converts its manifest, such as one of schema 1"
            raise ImageSkippedError(SkipReason.FAILED, detail)
        return manifest

    @staticmethod
    def _parts_of(manifest: Manifest) -> ManifestParts:
        try:
            return read_parts(manifest)
        except ValueError as error:
            raise ImageSkippedError(SkipReason.FAILED, str(error)) from None

    async def _bring_blob(self, digest: str) -> int:
        """Bring a blob over once, however many images share it; answers with the bytes moved."""
        if digest not in self._blobs:
            self._blobs[digest] = asyncio.ensure_future(self._bring_blob_now(digest))
        return await self._blobs[digest]

    async def _bring_blob_now(self, digest: str) -> int:
        """Bring a blob over, if it is not there; within one registry that moves no bytes."""
        async with self._slots:
            try:
                if await self._target.has_blob(digest):
                    return 0
                address = None
                if await self._target.shares_blobs(self._source):
                    address = await self._target.mount_blob(digest, self._source)
                    if address is None:
                        return 0
                return await self._target.upload_blob(digest, self._source, address)
            except RequestRefusedError as refused:
                raise _to_skip(refused) from None
            except WrongContentError:
                detail = f"the source holds other bytes under its layer {digest}"
                raise ImageSkippedError(SkipReason.FAILED, detail) from None

    async def _put(self, digest: str, manifest: Manifest) -> None:
        try:
            await self._target.put_manifest(digest, manifest)
        except RequestRefusedError as refused:
            raise _to_skip(refused) from None

    async def _set_tags(self, image: Image) -> None:
        """Put the tags that the image lacks in the target. Raises ConflictError as is ordered."""
        _, there = await self._images()
        current = there.get(image.digest)
        lacking = [tag for tag in image.tags if current is None or tag not in current.tags]
        if not lacking:
            return
        manifest = await self._manifest(image.digest)
        unmoved = [tag for tag in lacking if not await self._set_tag(tag, image.digest, manifest)]
        if unmoved:
            tags = ", ".join(unmoved)
            detail = f"the target has another image under {tags}"
            raise ImageSkippedError(SkipReason.CONFLICT, detail)

    async def _set_tag(self, tag: str, digest: str, manifest: Manifest) -> bool:
        """Put a tag that is free, or may be moved; False where it stays on another image."""
        held = await self._target.find_tag(tag)
        if held == digest:
            return True
        policy = self._order.on_conflict
        if held is not None and policy is OnConflict.STOP:
            raise ConflictError(
                f"repository {self._target.place.name} has another image under the tag {tag}; it "
                "was not moved, and the run stops because of --on-conflict stop"
            )
        if held is not None and policy is not OnConflict.SOURCE:
            return False
        try:
            await self._target.put_manifest(tag, manifest)
        except RequestRefusedError as refused:
            if _is_immutable(refused):
                return False
            raise _to_skip(refused) from None
        return True


def _is_there(image: Image, there: dict[str, Image]) -> bool:
    """Whether the target holds an image with all its tags."""
    current = there.get(image.digest)
    return current is not None and set(image.tags) <= set(current.tags)


def _skip_archived(image: Image) -> SkippedKey:
    """An image that cannot be pulled (Amazon ECR User Guide, "Archiving an image")."""
    return SkippedKey(image.digest, SkipReason.ARCHIVED, "it is archived: restore it first")


def _to_skip(refused: RequestRefusedError) -> ImageSkippedError:
    answer = refused.answer
    return ImageSkippedError(SkipReason.FAILED, f"{answer.operation} returned {answer.code}")


def _is_immutable(refused: RequestRefusedError) -> bool:
    """Whether a tag may not be moved (Amazon ECR User Guide, "Preventing image tags …")."""
    answer = refused.answer
    text = f"{answer.code} {answer.message}".casefold()
    return answer.code == "TAG_INVALID" or any(word in text for word in _IMMUTABLE)
