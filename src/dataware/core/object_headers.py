"""What is sent with every object that a copy writes: how it is encrypted, and its canned ACL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

ENCRYPTIONS: Final = ("AES256", "aws:kms", "aws:kms:dsse")
"""What S3 takes for ``x-amz-server-side-encryption`` (Amazon S3 API Reference, CopyObject)."""

_KEY_ID = re.compile(r"mrk-[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ALIAS = re.compile(r"alias/[A-Za-z0-9:/_-]{1,250}")
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?P<key>key/.+|alias/.+)")


@dataclass(frozen=True, slots=True)
class ObjectHeaders:
    """What goes with each object that is written; what is empty, the target bucket decides.

    `kms_key` is the id, alias or ARN of a key, and needs an `encryption` by KMS.
    """

    encryption: str = ""
    kms_key: str = ""
    acl: str = ""

    def __bool__(self) -> bool:
        return bool(self.encryption or self.acl)

    @property
    def hides_content_hash(self) -> bool:
        """Whether the ETags of what is written are no digests of the content.

        Amazon S3 API Reference, "Object": the ETag of an object that is encrypted by SSE-KMS or
        DSSE-KMS is no MD5 digest.
        """
        return self.encryption.startswith("aws:kms")

    def problem(self) -> str | None:
        """What is wrong with the values, in a clause; None if S3 can take them."""
        if self.kms_key and not self.hides_content_hash:
            return "a KMS key needs the encryption aws:kms or aws:kms:dsse"
        if self.kms_key and not is_kms_key(self.kms_key):
            return f"{self.kms_key} is not a KMS key: give its ARN, its id or alias/NAME"
        return None

    def over(self, other: ObjectHeaders) -> ObjectHeaders:
        """These, and where they say nothing what `other` says."""
        by = self if self.encryption else other
        return ObjectHeaders(by.encryption, by.kms_key, self.acl or other.acl)


NO_HEADERS: Final = ObjectHeaders()
"""The target bucket decides everything."""


def is_kms_key(text: str) -> bool:
    """Whether a text names a key of KMS by id, alias or ARN (AWS KMS Developer Guide, "Key
    identifiers")."""
    arn = _KEY_ARN.fullmatch(text)
    name = arn["key"].removeprefix("key/") if arn else text
    return bool(_KEY_ID.fullmatch(name) or _ALIAS.fullmatch(name))
