"""Carries objects: looks at both sides of each key, and swaps what the follow wrote itself.

For each key, with what is on record of it (`core.follow.written`):

    source    target                 then
    there     absent                 copy, only if the target still lacks the key
    there     ours, another version  copy, only while the target has the ETag that was seen
    there     ours, the same         nothing; other headers, metadata or tags count as another one
    gone      ours                   delete, only while the target has the ETag that was seen
    gone      absent                 nothing
    any       somebody else's        nothing; a conflict is listed

Each copy is pinned to the ETag that was seen in the source, so the target moves only from a state
that the follow wrote to one that the source had. Whoever is faster on either side makes S3 refuse
(412), and the key is looked at again. Amazon S3 User Guide, "Add preconditions to S3 operations
with conditional requests"; API Reference, CopyObject and DeleteObject, If-Match.

A delete without an answer may arrive after the same bytes, with the same ETag, were copied again,
so a chunk with such a request is uncertain as a whole, and waits before it is carried once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from dataware.core.copier import CopyOrder
from dataware.core.errors import LookupFailedError, WriteDeniedError
from dataware.core.follow.feed import CarryOutcome, Conflict
from dataware.core.follow.tracked_wire import TrackedWire
from dataware.core.follow.written import NOT_WRITTEN, WrittenKeys, WrittenVersion
from dataware.core.ports import Wire
from dataware.http.error_answer import ErrorAnswer, RequestRefusedError
from dataware.kinds.s3_bucket.copy.client import ObjectHead, S3Client
from dataware.kinds.s3_bucket.copy.conflicts import copy
from dataware.kinds.s3_bucket.copy.objects import BucketPair, left_by, only_if, skip_if_archived
from dataware.kinds.s3_bucket.copy.requests import S3Request
from dataware.kinds.s3_bucket.copy.xml import ListedObject
from dataware.kinds.s3_bucket.follow.write_recorder import WriteRecorder

T = TypeVar("T")

AT_ONCE = 64
"""Keys that are looked at, or written, at the same time."""

TAG_COUNT = "x-amz-tagging-count"
NOT_OURS = "the target holds an object that this follow did not write; it was kept"
_CHANGED = frozenset({404, 409, 412})
"""Refusals of what has changed since it was looked at (409: a write to the key goes on)."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key as both sides have it, and what is on record of it.

    `has_same_marks` says that headers, metadata and tags are equal where there are two objects.
    """

    key: bytes
    source: ObjectHead | None
    target: ObjectHead | None
    written: WrittenVersion
    has_same_marks: bool = True

    @property
    def is_ours(self) -> bool:
        """Whether nothing of anybody else stands in the target."""
        if self.target is None or self.written.explains(self.target.etag):
            return True
        # Equal content of anybody is what a carry would put there.
        same = self.source is not None and self.source.etag == self.target.etag
        return same and self.has_same_marks

    @property
    def is_current(self) -> bool:
        """Whether the target has what the source has."""
        if self.source is None or self.target is None:
            return self.source is self.target
        return self.has_same_marks and self.has_same_content

    @property
    def has_same_content(self) -> bool:
        """Whether two objects are the same bytes, as far as their ETags and the record tell."""
        if self.source is None or self.target is None:
            return False
        if self.source.etag == self.target.etag:
            return True
        return self.written[:2] == (self.source.etag, self.target.etag)


class BucketCarrier:
    """The carrier of buckets."""

    def __init__(
        self, reading: Wire, writing: Wire, order: CopyOrder, written: WrittenKeys
    ) -> None:
        self._looking = BucketPair.of(S3Client(reading), order)
        self._order = order
        self._writing = writing
        self._written = written
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def carry(self, keys: Collection[bytes]) -> CarryOutcome:
        """Bring `keys`, relative to the prefixes, to the current state of the source.

        Raises WriteDeniedError and what else no later try cures.
        """
        on_record = self._written.find_written(keys)
        looked = await _gather(self._look(key, on_record.get(key, NOT_WRITTEN)) for key in keys)
        states = [one for one in looked if isinstance(one, KeyState)]
        unseen = [one for one in looked if isinstance(one, CarryOutcome)]
        self._record_intentions(states)
        watched = TrackedWire(self._writing)
        pair, recorder = BucketPair.of(S3Client(watched), self._order), WriteRecorder(self._written)
        try:
            swapped = await _gather(self._swap(pair, recorder, state) for state in states)
        finally:
            recorder.flush()
        whole = CarryOutcome.join([*unseen, *swapped])
        return whole.as_uncertain() if watched.unclear else whole

    async def _look(self, key: bytes, written: WrittenVersion) -> KeyState | CarryOutcome:
        """Both sides of a key, or what becomes of it where they cannot be seen."""
        pair = self._looking
        async with self._turn:
            try:
                source = await pair.calls.head(pair.source, pair.source.prefix + key)
                target = await pair.calls.head(pair.target, pair.target.prefix + key)
                state = KeyState(key, source, target, written)
                return replace(state, has_same_marks=await self._compare_marks(state))
            except RequestRefusedError as refusal:
                if refusal.answer.status in _CHANGED:
                    return CarryOutcome(failed=frozenset({key}))
                skipped = await left_by(
                    pair, ListedObject(pair.source.prefix + key), refusal.answer
                )
                return CarryOutcome(conflicts=(Conflict(key, skipped.detail, is_refused=True),))
            except LookupFailedError as error:
                if error.lacks_permission:
                    raise
                return CarryOutcome(failed=frozenset({key}))

    async def _compare_marks(self, state: KeyState) -> bool:
        """Whether what ETags do not tell of is equal: headers, metadata and tags.

        Tags are asked for only where nothing else differs. Raises RequestRefusedError.
        """
        one, other, pair = state.source, state.target, self._looking
        if one is None or other is None or not state.has_same_content:
            return True
        counts = [head.headers.get(TAG_COUNT, "0") for head in (one, other)]
        if one.attributes != other.attributes or counts[0] != counts[1]:
            return False
        if counts[0] == "0":
            return True
        sides = (pair.source, pair.target)
        tags = [await pair.calls.tags(side, side.prefix + state.key) for side in sides]
        return tags[0] == tags[1]

    def _record_intentions(self, states: Iterable[KeyState]) -> None:
        """Put on disk what is about to be written, and what is known of what stands there."""
        versions = {}
        for state in states:
            if state.source is None or not state.is_ours:
                continue
            tag = "" if state.target is None else state.target.etag
            settled = state.written.settle(tag) if tag else NOT_WRITTEN
            if state.is_current:
                versions[state.key] = WrittenVersion(state.source.etag, tag)
            else:
                versions[state.key] = settled._replace(intended=state.source.etag)
        self._written.save_written(versions)

    async def _swap(
        self, pair: BucketPair, recorder: WriteRecorder, state: KeyState
    ) -> CarryOutcome:
        key = frozenset({state.key})
        if not state.is_ours:
            return CarryOutcome(conflicts=(Conflict(state.key, NOT_OURS),))
        if state.is_current:
            if state.target is None and state.written != NOT_WRITTEN:
                recorder.forget(state.key)
            return CarryOutcome(carried=key)
        async with self._turn:
            try:
                if state.source is None:
                    await self._delete(pair, recorder, state)
                else:
                    return await self._copy(pair, recorder, state, state.source)
            except RequestRefusedError as refusal:
                return await self._judge(pair, state, refusal.answer)
            except LookupFailedError as error:
                if isinstance(error, WriteDeniedError) or error.lacks_permission:
                    raise
                return CarryOutcome(uncertain=key)
        return CarryOutcome(carried=key)

    async def _copy(
        self, pair: BucketPair, recorder: WriteRecorder, state: KeyState, source: ObjectHead
    ) -> CarryOutcome:
        entry = _entry_of(pair, state.key, source)
        if skipped := await skip_if_archived(pair, entry):
            return CarryOutcome(conflicts=(Conflict(state.key, skipped.detail, is_refused=True),))
        etag = None if state.target is None else state.target.etag
        tag = await copy(pair, entry, expected=etag)
        await recorder.save(state.key, WrittenVersion(source.etag, tag.strip('"')))
        return CarryOutcome(carried=frozenset({state.key}))

    async def _delete(self, pair: BucketPair, recorder: WriteRecorder, state: KeyState) -> None:
        if state.target is not None:
            condition = only_if(state.target.etag)
            ask = S3Request(pair.target.prefix + state.key, headers=condition)
            await pair.calls.plain(pair.target, "DeleteObject", "DELETE", ask)
        recorder.forget(state.key)

    async def _judge(self, pair: BucketPair, state: KeyState, answer: ErrorAnswer) -> CarryOutcome:
        """What a refusal means: look again, or leave the key as it is and say why."""
        if answer.status in _CHANGED:
            return CarryOutcome(failed=frozenset({state.key}))
        if answer.status == 403 and state.source is None:
            raise answer.to_error(f"bucket {pair.target.name}", "s3:DeleteObject")
        entry = _entry_of(pair, state.key, state.source)
        skipped = await left_by(pair, entry, answer)
        return CarryOutcome(conflicts=(Conflict(state.key, skipped.detail, is_refused=True),))


def _entry_of(pair: BucketPair, key: bytes, head: ObjectHead | None) -> ListedObject:
    """An object of the source as a listing would show it."""
    full = pair.source.prefix + key
    if head is None:
        return ListedObject(full)
    checksum = head.algorithm[0] if head.algorithm else None
    return ListedObject(full, head.size, head.etag, head.storage_class, checksum, head.restored)


async def _gather(work: Iterable[Awaitable[T]]) -> list[T]:
    """The results of all; what one raises, once all have ended."""
    results = await asyncio.gather(*work, return_exceptions=True)
    done: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done
