"""The calls that a copy of a parameter makes; what they raise holds no value.

Source: AWS Systems Manager API Reference, each operation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dataware.core.errors import IncompleteError, NotFoundError
from dataware.core.hidden_values import HiddenValue, hide_values
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.core.tags import own_tags
from dataware.kinds.ssm_parameter.copy.history import ParameterVersion

SERVICE_KEY: Final = "alias/aws/ssm"
_CARRIED: Final = ("Description", "AllowedPattern", "Tier", "DataType", "KeyId")


class ParameterClient:
    """One parameter."""

    def __init__(self, aws: Aws, place: Location) -> None:
        self._aws = aws
        self._what = f"parameter {place.name}"
        self.name = place.name

    def read_history(self) -> Sequence[ParameterVersion]:
        """Every value that is kept, oldest first; of a parameter that is not there none."""
        pages = self._client.get_paginator("get_parameter_history")
        try:
            with hide_values(self._aws, self._what, "ssm:GetParameterHistory"):
                versions = [
                    _read_version(row)
                    for page in pages.paginate(Name=self.name, WithDecryption=True)
                    for row in page["Parameters"]
                ]
        except NotFoundError:
            return ()
        return sorted(versions, key=lambda one: one.number)

    def put(self, version: ParameterVersion, number: int, *, is_newest: bool) -> None:
        """Write a value as version `number`, which it has to become.

        Policies go with the newest value alone, because those of older ones have been applied.
        Raises IncompleteError where somebody else writes at the same time.
        """
        settings = dict(version.settings)
        if not is_newest:
            settings.pop("Policies", None)
        with hide_values(self._aws, self._what, "ssm:PutParameter", writes=True):
            answer = self._client.put_parameter(
                Name=self.name,
                Type=version.type,
                Value=version.value.reveal(),
                Overwrite=number > 1,
                **settings,
            )
        if answer["Version"] != number:
            raise IncompleteError(
                f"{self._what} is written to by somebody else while it is copied; pause its "
                "writers and run the same command again"
            )

    def put_labels(self, number: int, labels: Iterable[str]) -> None:
        """Move labels to a version."""
        with hide_values(self._aws, self._what, "ssm:LabelParameterVersion", writes=True):
            self._client.label_parameter_version(
                Name=self.name, ParameterVersion=number, Labels=sorted(labels)
            )

    def read_tags(self) -> Sequence[Mapping[str, str]]:
        """The tags, without those of AWS."""
        with hide_values(self._aws, self._what, "ssm:ListTagsForResource"):
            answer = self._client.list_tags_for_resource(
                ResourceType="Parameter", ResourceId=self.name
            )
        tags: Sequence[Mapping[str, str]] = own_tags(answer.get("TagList") or ())
        return tags

    def add_tags(self, tags: Sequence[Mapping[str, str]]) -> None:
        """Add tags."""
        with hide_values(self._aws, self._what, "ssm:AddTagsToResource", writes=True):
            self._client.add_tags_to_resource(
                ResourceType="Parameter", ResourceId=self.name, Tags=list(tags)
            )

    @property
    def _client(self) -> Any:
        return self._aws.client("ssm")


def _read_version(row: Mapping[str, Any]) -> ParameterVersion:
    settings = {name: row[name] for name in _CARRIED if row.get(name)}
    if settings.get("KeyId", SERVICE_KEY).endswith(SERVICE_KEY):
        settings.pop("KeyId", None)
    texts = [one["PolicyText"] for one in row.get("Policies") or () if one.get("PolicyText")]
    if texts:
        settings["Policies"] = json.dumps([json.loads(text) for text in texts])
    return ParameterVersion(
        int(row["Version"]),
        str(row["Type"]),
        HiddenValue(row["Value"]),
        frozenset(row.get("Labels") or ()),
        settings,
    )
