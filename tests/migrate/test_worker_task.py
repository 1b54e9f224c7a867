"""What travels between the processes of a crew arrives as it was."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.copier import CopyOrder
from dataware.core.errors import DatawareError, ServiceError
from dataware.core.model import Problem
from dataware.migrate.engine import EngineSettings
from dataware.migrate.worker_task import ERRORS, UnexpectedError, WorkerTask, error_json, error_of

problems = st.none() | st.builds(Problem, st.text(), st.text(), st.none() | st.text(), st.text())


rates = st.none() | st.floats(min_value=0, exclude_min=True, allow_infinity=False)
bounds = st.builds(EngineSettings, max_rate=rates, max_share=rates)


@given(st.builds(WorkerTask, st.text(), st.from_type(CopyOrder), bounds))
def test_an_assignment_arrives_as_it_was_sent(assignment: WorkerTask) -> None:
    """Every field of the order and of the bounds survives the way through JSON."""
    assert WorkerTask.from_json(json.loads(json.dumps(assignment.to_json()))) == assignment


@pytest.mark.parametrize("name", ERRORS)
@given(text=st.text(), problem=problems)
def test_an_error_arrives_as_it_was(name: str, text: str, problem: Problem | None) -> None:
    """Class, sentence, exit code and problem are those of the worker's error."""
    kind = ERRORS[name]
    error = kind(text, problem) if issubclass(kind, ServiceError) else kind(text)
    arrived = error_of(json.loads(json.dumps(error_json(error))))
    assert (type(arrived), str(arrived)) == (kind, text)
    assert getattr(arrived, "problem", None) == getattr(error, "problem", None)


def test_every_error_of_dataware_has_its_name() -> None:
    """A class that is added to the tree travels, too."""

    def tree(kind: type[DatawareError]) -> set[type[DatawareError]]:
        return {kind}.union(*(tree(one) for one in kind.__subclasses__()))

    own = {kind for kind in tree(DatawareError) if kind.__module__ == DatawareError.__module__}
    assert set(ERRORS.values()) == own


def test_what_nobody_expected_keeps_its_name() -> None:
    """The text of another error names its class."""
    arrived = error_of(error_json(ValueError("odd")))
    assert (type(arrived), str(arrived)) == (UnexpectedError, "ValueError: odd")
    assert str(error_of(error_json(MemoryError()))) == "MemoryError"


def test_nothing_but_places_and_bounds_is_sent() -> None:
    """An assignment has no room for credentials."""
    assert {field.name for field in fields(WorkerTask)} == {"type_name", "order", "settings"}
