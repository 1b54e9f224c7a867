"""One migration by workers in the account, in the form in which it travels to them.

Step Functions passes JSON; nothing here holds data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dataware.core.copier import CopyOrder
from dataware.core.kind import Kind
from dataware.core.model import Location, OnConflict
from dataware.core.names import full_name
from dataware.kinds import load
from dataware.ops.context import ComparisonSpec, CopySettings
from dataware.ops.marker_names import on_record
from dataware.ops.migrate import order_of
from dataware.ops.migration_policy import DEPLOYMENT, MigrationPolicy


@dataclass(frozen=True, slots=True)
class MigrationJob:
    """One migration by workers in the account.

    `execution` names the run that has the lock, or, with `by_command`, the one that works for a
    command, which has the lock itself; one that `compares_only` needs neither lock nor record,
    because it writes nothing; `deadline`, in seconds since the epoch, is when
    it gives up; `round` counts the copies, because what changes meanwhile is copied again;
    `workers` is how many shards are copied at the same time; `environment` holds the variables
    that apply to this migration alone. Where changes are carried afterwards, `carrier` is the ARN
    of the function that does, and `stream` that of the source's stream.
    """

    type: str
    source: Location
    target: Location
    settings: CopySettings
    execution: str
    deadline: float
    workers: int = 1
    round: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    carrier: str = ""
    stream: str = ""
    by_command: bool = False
    compares_only: bool = False

    @property
    def kind(self) -> Kind:
        """The card of the resource type."""
        return load(self.type)

    @property
    def order(self) -> CopyOrder:
        """The copy; guarded, because the target belongs to a stack."""
        return order_of(self.source, self.target, self.settings)

    @property
    def pair(self) -> ComparisonSpec:
        """Both sides, as they are compared."""
        return ComparisonSpec(self.type, self.source, self.target, self.settings.all_versions)

    @property
    def record(self) -> tuple[str, str]:
        """The kind and the target under which the migration is on record."""
        return self.kind.names.slug, on_record(self.kind, self.order)[1]

    @property
    def words(self) -> dict[str, object]:
        """The fields that the events of this migration carry."""
        source = full_name(self.kind, self.source, self.target)
        return {"source": source, "name": self.target.name}

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of the custom resource, for what the template makes of them."""
        return {"Stream": self.stream} if self.stream else {}

    @property
    def policy(self) -> MigrationPolicy:
        """The rules by which this migration goes on and ends."""
        return MigrationPolicy.of(self.words, self.kind, self.settings, DEPLOYMENT)

    def again(self) -> MigrationJob:
        """The same job for the next round."""
        return replace(self, round=self.round + 1)

    def to_json(self) -> dict[str, Any]:
        """The job as the state machine carries it."""
        plain = {
            name: getattr(self, name)
            for name in ("execution", "deadline", "workers", "round", "carrier", "stream")
        }
        return {
            "type": self.type,
            "source": asdict(self.source),
            "target": asdict(self.target),
            "on_conflict": self.settings.on_conflict,
            "all_versions": self.settings.all_versions,
            "allow_skipped": self.settings.allow_skipped,
            "max_rate": self.settings.max_rate,
            "environment": dict(self.environment),
            **({"by_command": True} if self.by_command else {}),
            **({"compares_only": True} if self.compares_only else {}),
            **plain,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> MigrationJob:
        """The job that `to_json` wrote."""
        policy = data["on_conflict"]
        settings = CopySettings(
            on_conflict=OnConflict(policy) if policy else None,
            all_versions=data["all_versions"],
            allow_skipped=data["allow_skipped"],
            max_rate=data["max_rate"],
            follow=bool(data.get("carrier")),
        )
        return MigrationJob(
            data["type"],
            Location(**data["source"]),
            Location(**data["target"]),
            settings,
            data["execution"],
            data["deadline"],
            data["workers"],
            data["round"],
            data.get("environment", {}),
            data.get("carrier", ""),
            data.get("stream", ""),
            data.get("by_command", False),
            data.get("compares_only", False),
        )
