"""What a copying process is told, and how it reports its end: values that travel as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dataware.core import errors
from dataware.core.copier import CopyOrder
from dataware.core.model import Location, OnConflict, Problem
from dataware.core.object_headers import ObjectHeaders
from dataware.migrate.engine import EngineSettings

ERRORS = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.DatawareError)
}


class UnexpectedError(Exception):
    """What no process of the copy expected; its text names what it was."""


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """The copy that a process helps with: the resource type, from where to where, its bounds."""

    type_name: str
    order: CopyOrder
    settings: EngineSettings

    def to_json(self) -> dict[str, Any]:
        """The assignment as it is sent."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> WorkerTask:
        """The assignment that was sent."""
        order = dict(data["order"])
        policy, headers = order.pop("on_conflict"), ObjectHeaders(**order.pop("headers"))
        source, target = (Location(**order.pop(side)) for side in ("source", "target"))
        return WorkerTask(
            data["type_name"],
            CopyOrder(
                source,
                target,
                on_conflict=OnConflict(policy) if policy else None,
                headers=headers,
                **order,
            ),
            EngineSettings(**data["settings"]),
        )


def error_json(error: BaseException) -> dict[str, Any]:
    """An error as it travels: its class, its sentence, and the problem that it names."""
    problem = getattr(error, "problem", None)
    name, text = type(error).__name__, str(error)
    if not isinstance(error, errors.DatawareError):
        text = f"{name}: {text}" if text else name
    travelling: dict[str, Any] = {
        "error": name,
        "text": text,
        "problem": asdict(problem) if problem else None,
    }
    if isinstance(error, errors.WriteDeniedError):
        travelling |= {"attempts": error.attempts, "beside": error.beside}
    return travelling


def error_of(data: Mapping[str, Any]) -> Exception:
    """The error that travelled; one that is not dataware's own is an UnexpectedError."""
    kind = ERRORS.get(data["error"])
    if kind is None:
        return UnexpectedError(data["text"])
    problem = Problem(**data["problem"]) if data.get("problem") else None
    if issubclass(kind, errors.WriteDeniedError):
        denied = kind(data["text"], problem, data["attempts"])
        denied.beside = data["beside"]
        return denied
    if issubclass(kind, errors.ServiceError):
        return kind(data["text"], problem)
    return kind(data["text"])
