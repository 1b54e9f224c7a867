"""The question before a deployment is answered with yes or no, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest

from dataware.cli.deployment.deploy import _ask
from dataware.cli.question import is_yes
from dataware.core.errors import InputError


@pytest.mark.parametrize(
    ("answers", "result", "complaints"),
    [
        (["y"], True, 0),
        (["YES"], True, 0),
        (["no"], False, 0),
        ([""], False, 0),
        (["maybe", "perhaps", "y"], True, 2),
        (["1", "N"], False, 1),
    ],
)
def test_an_answer_that_is_neither_is_asked_again(
    answers: list[str],
    result: bool,
    complaints: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a sentence of our own, and nothing is taken for a yes."""
    given: Iterator[str] = iter(answers)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: next(given))
    assert is_yes("Deploy?") is result
    assert capsys.readouterr().err.count("is neither") == complaints


@pytest.mark.parametrize("yes", [False, True])
def test_where_nobody_can_answer_a_deployment_asks_for_yes(
    yes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe nothing is asked and nothing taken for a yes; `--yes` goes on without a word."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    plan, deployment = cast(Any, SimpleNamespace(changes=1)), cast(Any, SimpleNamespace(yes=yes))
    asked = nullcontext() if yes else pytest.raises(InputError, match="pass --yes to continue")
    with asked:
        _ask(cast(Any, None), plan, deployment)
