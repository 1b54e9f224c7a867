"""A Parameter Store in memory: versions, conflicts, and the service's clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from botocore.exceptions import ClientError

from dataware.aws.errors import translate_errors
from dataware.core.model import Owner
from dataware.core.ports import Wire
from support.transports import ManualClock

KEPT_VERSIONS = 100
"""Versions of a parameter that the service keeps."""


class FakeParameters:
    """The calls of SSM that markers make; also the Aws port around them.

    `denied` holds the operations that are refused; `between` runs right before each call.
    `clock` is the service's, and the only one.
    """

    account, region, partition = "111122223333", "eu-central-1", "aws"

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.denied: set[str] = set()
        self.between: Callable[[], None] = lambda: None
        self.stored: dict[str, dict[str, Any]] = {}
        self.versions: dict[tuple[str, int], dict[str, Any]] = {}

    def client(self, _service: str) -> FakeParameters:
        return self

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        return translate_errors(what, permission)

    def put_parameter(self, **given: Any) -> Mapping[str, Any]:
        """Write; the answer has the new version."""
        self._check("PutParameter")
        name, known = given["Name"], self.stored.get(given["Name"])
        if known and not given["Overwrite"]:
            raise _error("ParameterAlreadyExists", "PutParameter")
        version = known["Version"] + 1 if known else 1
        self.stored[name] = {
            "Name": name,
            "Value": given["Value"],
            "Version": version,
            "LastModifiedDate": datetime.fromtimestamp(self.clock.now(), UTC),
        }
        self.versions[name, version] = self.stored[name]
        self.versions.pop((name, version - KEPT_VERSIONS), None)
        return self._answer(Version=version)

    def get_parameter(self, **given: Any) -> Mapping[str, Any]:
        """Read the newest version, or the one whose number stands behind a colon."""
        self._check("GetParameter")
        name, _, version = given["Name"].partition(":")
        if name not in self.stored:
            raise _error("ParameterNotFound", "GetParameter")
        found = self.versions.get((name, int(version))) if version else self.stored[name]
        if found is None:
            raise _error("ParameterVersionNotFound", "GetParameter")
        return self._answer(Parameter=dict(found))

    def delete_parameter(self, **given: Any) -> Mapping[str, Any]:
        """Delete a parameter; one of the same name begins with version 1 again."""
        self._check("DeleteParameter")
        if self.stored.pop(given["Name"], None) is None:
            raise _error("ParameterNotFound", "DeleteParameter")
        for key in [key for key in self.versions if key[0] == given["Name"]]:
            del self.versions[key]
        return self._answer()

    def get_paginator(self, _operation: str) -> FakeParameters:
        return self

    def paginate(self, **_: Any) -> Iterator[Mapping[str, Any]]:
        self._check("GetParametersByPath")
        yield from (self._answer(Parameters=[dict(each)]) for each in self.stored.values())

    def owner_of(self, types: Collection[str], physical_id: str) -> Owner:
        """Nobody asks a Parameter Store for owners."""
        raise AssertionError((types, physical_id))

    def wire(self, on_throttle: Callable[[str], None]) -> Wire:
        """Markers use the control plane only."""
        raise AssertionError(on_throttle)

    def _check(self, operation: str) -> None:
        self.between()
        if operation in self.denied:
            raise _error("AccessDeniedException", operation)

    def _answer(self, **fields: Any) -> Mapping[str, Any]:
        date = formatdate(self.clock.now(), usegmt=True)
        return {**fields, "ResponseMetadata": {"HTTPHeaders": {"date": date}}}


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)
