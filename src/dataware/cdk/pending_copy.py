"""What a deployment still has to copy, as the construct that copies it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from dataware.core.model import Size
from dataware.kinds import load


@dataclass(frozen=True, slots=True)
class PendingCopy:
    """Data that has to be copied into a resource while its stack is deployed.

    `source` and `target` are physical names; `no_overwrite` forbids to replace anything. `size`
    is what was seen in the source, `key` encrypts the target. With `if_needed` nobody has looked,
    and nothing is copied unless the source holds data and the target none.
    """

    cfn_type: str
    source: str
    target: str
    no_overwrite: bool
    size: Size | None = None
    key: kms.IKey | None = None
    if_needed: bool = False

    @property
    def advice(self) -> str:
        """How the data comes over without a deployment that copies."""
        return (
            "run `dataware deploy`, which copies before it deploys, or `dataware migrate "
            f"{self._address(self.source)} {self._address(self.target)}` once both exist"
        )

    def _address(self, name: str) -> str:
        scheme = load(self.cfn_type).require_copying().scheme
        return name if name.startswith("arn:") else f"{scheme}://{name}"


class MakeMigration(Protocol):
    """What a construct's `migration` argument is: makes the construct that copies."""

    def __call__(self, scope: Construct, id: str, copy: PendingCopy, /) -> IConstruct:
        """The construct on which everything may depend that needs the data."""
        ...
