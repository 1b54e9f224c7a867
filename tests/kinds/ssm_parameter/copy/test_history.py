"""How far one history of values is another one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.hidden_values import HiddenValue
from dataware.kinds.ssm_parameter.copy.history import (
    ParameterVersion,
    Replay,
    compare_histories,
)


def history(values: Sequence[str], first: int = 1) -> list[ParameterVersion]:
    """The versions of some values."""
    return [
        ParameterVersion(number, "String", HiddenValue(value))
        for number, value in enumerate(values, first)
    ]


@pytest.mark.parametrize(
    ("source", "target", "replay"),
    [
        ("abc", "", Replay(0, 1, is_free=True)),
        ("abc", "a", Replay(1, 1, is_free=True)),
        ("abc", "abc", Replay(3, 1, is_free=True)),
        ("abc", "xab", Replay(2, 2, is_free=False)),
        ("abc", "x", Replay(0, 2, is_free=False)),
        ("abc", "abcx", Replay(0, 5, is_free=False)),
        ("aab", "aa", Replay(2, 1, is_free=True)),
        ("ab", "ba", Replay(1, 2, is_free=False)),
        ("ab", "aba", Replay(1, 3, is_free=False)),
    ],
)
def test_a_copy_goes_on_where_the_target_ends(source: str, target: str, replay: Replay) -> None:
    """What the target ends with is what the source begins with, as much of it as fits."""
    assert compare_histories(history(source, 57), history(target)) == replay


@given(st.text("ab", min_size=1, max_size=8), st.integers(0, 8))
def test_a_copy_that_was_cut_off_ends_with_the_source(source: str, done: int) -> None:
    """Whatever was written, writing the rest makes the end of the target the source."""
    target = source[:done]
    replay = compare_histories(history(source), history(target))
    assert replay.is_free
    whole = target + source[replay.shared :]
    assert whole.endswith(source)
    assert replay.first_number == len(target) - replay.shared + 1


def test_another_type_is_another_value() -> None:
    """A secure string is not the plain one of the same text."""
    secure = [ParameterVersion(1, "SecureString", HiddenValue("a"))]
    assert compare_histories(secure, history("a")).shared == 0


def test_a_value_shows_itself_to_nobody() -> None:
    """Neither in a representation nor in a text."""
    (version,) = history(["PLANTED"])
    assert "PLANTED" not in f"{version} {version!r} {version.value}"
