"""The question before a deployment is answered with yes or no, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from dataware.cli.question import is_yes


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
