"""A plan as its file has it, to be shown: also what `apply` does not read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.errors import InputError
from dataware.core.model import Content
from dataware.core.plan import Plan
from dataware.core.plan_shape import check_shown_parts
from dataware.ops.inputs.files import read_plan_document

READ_ALSO = ("settings", "problems")
"""What a file says of a name for people alone."""


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan out of a file, and `shown`, its JSON without what the app declares."""

    plan: Plan
    shown: Mapping[str, Any]


def read_saved_plan(path: Path) -> SavedPlan:
    """The plan in a file, whole; no question is asked. Raises InputError for anything else."""
    plan, data = read_plan_document(path)
    try:
        return saved_plan_of(plan, data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def saved_plan_of(plan: Plan, data: Mapping[str, Any]) -> SavedPlan:
    """A plan that was read, with what its JSON `data` holds for people. Raises InputError."""
    check_shown_parts(data)
    plan = replace(plan, guard=tuple(_losses(data)))
    # Only fields that were checked are shown.
    document = {**plan.to_json(), "guard": data.get("guard", [])}
    for resource, entry in zip(document["resources"], data["resources"], strict=True):
        del resource["wanted"]
        resource |= {name: entry[name] for name in ("differences",) if name in entry}
        names = (resource["preferred"], *resource["fallbacks"])
        saved_facts = (entry["preferred"], *entry["fallbacks"])
        for facts, saved in zip(names, saved_facts, strict=True):
            facts.update({field: saved[field] for field in READ_ALSO if field in saved})
    return SavedPlan(plan, document)


def _losses(data: Mapping[str, Any]) -> Iterator[DestructiveChange]:
    """What the guard said, as far as the sum of a plan needs it."""
    for loss in data.get("guard", []):
        yield DestructiveChange(
            stack=loss["stack"],
            logical_id=loss["logical_id"],
            type=loss["type"],
            noun="",
            name=loss["name"],
            loss=Loss(loss["loss"]),
            outcome="",
            recipe=loss["recipe"],
            content=Content(loss["content"]),
            allowed=loss["allowed"],
        )
