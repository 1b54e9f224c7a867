"""Puts on record what the writes of many keys have made, by as few transactions as possible.

Before anything is written, the ETags that are meant to be copied are on disk. A copy in one piece
keeps that ETag, so its record may wait for the end of the chunk: if the run dies before, what was
intended explains it. Any other ETag (of parts, or under a key of KMS; Amazon S3 API Reference,
"Object": ETag) is on disk before its write counts, together with those of the same moment.
"""

from __future__ import annotations

import asyncio

from dataware.core.follow.written import WrittenKeys, WrittenVersion

TOGETHER_SECONDS = 0.02


class WriteRecorder:
    """The records of one chunk of keys; for one event loop."""

    def __init__(self, written: WrittenKeys) -> None:
        self._written = written
        self._noted: dict[bytes, WrittenVersion] = {}
        self._forgotten: set[bytes] = set()
        self._late: dict[bytes, WrittenVersion] = {}
        self._saving: asyncio.Task[None] | None = None

    async def save(self, key: bytes, version: WrittenVersion) -> None:
        """Keep what a write has made; what nothing explains is on disk when this returns."""
        if version.source == version.target:
            self._noted[key] = version
            return
        self._late[key] = version
        if self._saving is None:
            self._saving = asyncio.ensure_future(self._save_soon())
        await asyncio.shield(self._saving)

    def forget(self, key: bytes) -> None:
        """Keep that nothing of a key is there any more."""
        self._forgotten.add(key)

    def flush(self) -> None:
        """Put the rest on disk, before the chunk is acknowledged."""
        noted, self._noted = self._noted, {}
        forgotten, self._forgotten = self._forgotten, set()
        if noted:
            self._written.save_written(noted)
        if forgotten:
            self._written.forget_written(forgotten)

    async def _save_soon(self) -> None:
        await asyncio.sleep(TOGETHER_SECONDS)
        self._saving = None
        late, self._late = self._late, {}
        self._written.save_written(late)
