"""An account whose one service answers as a test says, checked against the service's own model."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import boto3
from botocore.stub import Stubber

from dataware.aws.errors import translate_errors


class StubbedAws:
    """The Aws port over a client of the SDK that is stubbed; `pauses` are the waits between."""

    account, region, partition = "111122223333", "eu-central-1", "aws"

    def __init__(self, service: str) -> None:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        self._client = boto3.client(service, region_name=self.region, **keys)
        self.stubber = Stubber(self._client)
        self.stubber.activate()
        self.pauses: list[float] = []

    def client(self, _service: str) -> Any:
        """The stubbed client."""
        return self._client

    def pause(self, seconds: float) -> None:
        """Wait no time."""
        self.pauses.append(seconds)

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """As in earnest."""
        return translate_errors(what, permission)
