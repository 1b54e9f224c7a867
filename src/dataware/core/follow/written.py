"""What a follow has written itself, so that a value of somebody else is never replaced.

Where a type's service compares tags before it writes (``If-Match``), a carry replaces a value only
while it has the tag that the follow gave it:

    target lacks the key                    write only if it still lacks it
    its tag is `target`, or `intended`      ours: replace or delete it only while it has this tag
    any other tag                           somebody else's: kept, and listed as a conflict

`intended` is on disk before a write is sent. So a run that dies between the write and the record of
it leaves a value that the next run knows for its own, wherever a copy keeps the tag of its source.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol


class WrittenVersion(NamedTuple):
    """The tag of the source's version that was written last, and the tag that it got.

    `intended` is the source's tag of a write that has begun and is not on record as done. A tag
    stands for content, such as an ETag without its quotes; "" is none.
    """

    source: str = ""
    target: str = ""
    intended: str = ""

    def explains(self, tag: str) -> bool:
        """Whether a value with this tag is one that the follow wrote."""
        return bool(tag) and tag in (self.target, self.intended)

    def settle(self, tag: str) -> WrittenVersion:
        """The version of which `tag` was seen in the target; nothing is under way any more."""
        if tag == self.target:
            return WrittenVersion(self.source, tag)
        return WrittenVersion(self.intended, tag)


NOT_WRITTEN = WrittenVersion()


class TrustedVersion(WrittenVersion):
    """What stands under a key to which no one else has written, though its tag is on no record."""

    def explains(self, tag: str) -> bool:
        """Any value is one that may be replaced."""
        return bool(tag)

    def settle(self, tag: str) -> WrittenVersion:
        """The version of which `tag` was seen."""
        return WrittenVersion("", tag)


TRUSTED = TrustedVersion("trusted")
"""Unlike `NOT_WRITTEN` it is one of which a delete is to be remembered."""


class WrittenKeys(Protocol):
    """The durable record of what a follow wrote, by key."""

    def find_written(self, keys: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """The versions of those of `keys` that were written."""
        ...

    def save_written(self, versions: Mapping[bytes, WrittenVersion]) -> None:
        """Put versions on record in place of what is there; on disk when this returns."""
        ...

    def forget_written(self, keys: Collection[bytes]) -> None:
        """Forget keys that were deleted; on disk when this returns."""
        ...
