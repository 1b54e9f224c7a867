"""The calls that a copy of a secret makes; what they raise holds no value.

Source: AWS Secrets Manager API Reference, each operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataware.core.errors import NotFoundError
from dataware.core.hidden_values import HiddenValue, hide_values
from dataware.core.model import Location
from dataware.core.page_cursor import PageCursor, list_pages
from dataware.core.ports import Aws
from dataware.core.tags import own_tags
from dataware.kinds.secret.copy.versions import SecretVersion, SecretVersions

SERVICE_KEY = "alias/aws/secretsmanager"


class SecretClient:
    """One secret, by its name or ARN."""

    def __init__(self, aws: Aws, place: Location) -> None:
        self._aws = aws
        self.place = place

    def list_versions(self) -> SecretVersions:
        """The labelled versions; of a secret that is not there none."""
        try:
            rows = [row for page in self._pages() for row in page.get("Versions") or ()]
        except NotFoundError:
            return SecretVersions(exists=False)
        versions = [
            SecretVersion(
                row["VersionId"],
                frozenset(row["VersionStages"]),
                row["CreatedDate"].timestamp() if row.get("CreatedDate") else 0.0,
            )
            for row in rows
            if row.get("VersionStages")
        ]
        return SecretVersions(versions={one.id: one for one in versions})

    def read_value(self, version: SecretVersion) -> Mapping[str, HiddenValue]:
        """The value of a version, as the argument by which it is written: a text or bytes."""
        with hide_values(self._aws, self._what, "secretsmanager:GetSecretValue"):
            answer = self._client.get_secret_value(SecretId=self.place.name, VersionId=version.id)
            if answer.get("SecretString") is not None:
                return {"SecretString": HiddenValue(answer["SecretString"])}
            return {"SecretBinary": HiddenValue(answer["SecretBinary"])}
        raise AssertionError  # what is hidden is raised

    def put_value(
        self, version: SecretVersion, labels: frozenset[str], value: Mapping[str, HiddenValue]
    ) -> None:
        """Write a version under its own id, which the service takes once only."""
        with hide_values(self._aws, self._what, "secretsmanager:PutSecretValue", writes=True):
            self._client.put_secret_value(
                SecretId=self.place.name,
                ClientRequestToken=version.id,
                VersionStages=sorted(labels),
                **{name: one.reveal() for name, one in value.items()},
            )

    def move_label(self, label: str, to: str | None, away_from: str | None) -> None:
        """Move a label from one version to another."""
        both = {"MoveToVersionId": to, "RemoveFromVersionId": away_from}
        permission = "secretsmanager:UpdateSecretVersionStage"
        with hide_values(self._aws, self._what, permission, writes=True):
            self._client.update_secret_version_stage(
                SecretId=self.place.name,
                VersionStage=label,
                **{name: one for name, one in both.items() if one is not None},
            )

    def describe(self) -> Mapping[str, Any]:
        """What a new secret gets of this one: description, tags, key and replica regions."""
        with hide_values(self._aws, self._what, "secretsmanager:DescribeSecret"):
            secret: Mapping[str, Any] = self._client.describe_secret(SecretId=self.place.name)
        return secret

    def create_like(self, secret: Mapping[str, Any], source: Location) -> None:
        """Make the secret, without any version, like the one that is copied.

        A key means nothing in another region or account, so there it is the service's own.
        """
        arguments: dict[str, Any] = {"Name": self.place.name}
        if secret.get("Description"):
            arguments["Description"] = secret["Description"]
        if tags := own_tags(secret.get("Tags") or ()):
            arguments["Tags"] = tags
        key = secret.get("KmsKeyId")
        is_near = (source.region, source.owner) == (self.place.region, self.place.owner)
        if key and is_near and not key.endswith(SERVICE_KEY):
            arguments["KmsKeyId"] = key
        regions = [one["Region"] for one in secret.get("ReplicationStatus") or ()]
        if others := [{"Region": one} for one in regions if one != self.place.region]:
            arguments["AddReplicaRegions"] = others
        with hide_values(self._aws, self._what, "secretsmanager:CreateSecret", writes=True):
            self._client.create_secret(**arguments)

    @property
    def _client(self) -> Any:
        return self._aws.client("secretsmanager")

    @property
    def _what(self) -> str:
        return f"secret {self.place.name}"

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        """The pages of the labelled versions; the SDK has no paginator for them."""

        def ask(**more: str) -> Mapping[str, Any]:
            with hide_values(self._aws, self._what, "secretsmanager:ListSecretVersionIds"):
                return dict(self._client.list_secret_version_ids(SecretId=self.place.name, **more))

        return list_pages(PageCursor("ListSecretVersionIds", self._what), ask)
