"""What the probes of several resource types do alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import ESTIMATED, Content, Facts, Problem
from dataware.core.ports import Aws


def problem_of(error: LookupFailedError | NotFoundError, permission: str) -> Problem:
    """Make an unanswered question of an error; `permission` is the action that the call takes."""
    call = permission.partition(":")[2]
    return error.problem or Problem(call, type(error).__name__, permission, str(error))


def find_content(
    aws: Aws, what: str, permission: str, pages: Iterable[Mapping[str, Any]], rows: str
) -> tuple[Content, tuple[Problem, ...]]:
    """Look for the first row of a listing; a page may be empty although others follow.

    `what` names the listing in errors, `permission` is the action that it takes, and `rows` the
    field of a page that holds its rows.
    """
    try:
        with aws.translate_errors(what, permission):
            content = Content.DATA if any(page[rows] for page in pages) else Content.EMPTY
    except (LookupFailedError, NotFoundError) as error:
        return Content.UNKNOWN, (problem_of(error, permission),)
    return content, ()


def distrust_estimate(facts: Facts) -> Facts:
    """The facts for whoever would leave it behind: empty by an estimate alone is unknown."""
    if not (facts.is_estimate and facts.content is Content.EMPTY):
        return facts
    detail = f"that {facts.name} is empty, the service only estimates"
    problem = Problem("Estimate", ESTIMATED, None, detail)
    return replace(facts, content=Content.UNKNOWN, problems=(*facts.problems, problem))
