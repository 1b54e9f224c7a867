"""`[defaults]` of a dataware.toml: options that hold unless a variable or an argument differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataware.ops.inputs.toml_fields import DEFAULTS
from support.cli import ALL_COMMANDS, bucket_app, run

TEXT = '[defaults]\nmax_rate = 500\nstrict = true\nregion = "eu-west-1"\n\n'


def with_defaults(path: Path, text: str = TEXT) -> Path:
    """A file of one bucket, behind its defaults."""
    bucket_app(path, "spaceport")
    path.write_text(text + path.read_text("utf-8"), encoding="utf-8")
    return path


def params(*arguments: str) -> dict[str, object]:
    """What `dataware apply` is given."""
    with ALL_COMMANDS["apply"].make_context("apply", list(arguments)) as context:
        return context.params


def test_every_default_is_an_option() -> None:
    """Each names a parameter of `apply`, and no setting that a resource has a field for."""
    assert set(DEFAULTS) <= {one.name for one in ALL_COMMANDS["apply"].params}
    assert not set(DEFAULTS) & {"on_error", "on_fallback_data", "import_mode", "allow_skipped"}


def test_the_file_in_this_folder_gives_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable wins over them, and an argument over both."""
    with_defaults(tmp_path / "dataware.toml")
    monkeypatch.chdir(tmp_path)
    given = params()
    assert (given["max_rate"], given["strict"], given["region"]) == (500.0, True, "eu-west-1")
    monkeypatch.setenv("DATAWARE_MAX_RATE", "40")
    assert params()["max_rate"] == 40.0
    assert params("--max-rate", "3")["max_rate"] == 3.0


def test_the_file_that_is_named_goes_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file brings its own defaults."""
    with_defaults(tmp_path / "dataware.toml")
    monkeypatch.chdir(tmp_path)
    other = with_defaults(tmp_path / "other.toml", "[defaults]\nmax_rate = 8\n\n")
    given = params(str(other))
    assert (given["max_rate"], given["strict"]) == (8.0, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[defaults]\nmax_rat = 1\n", "unknown field max_rat, did you mean max_rate"),
        ('[defaults]\nmax_rate = "fast"\n', "--max-rate"),
        ('[defaults]\non_error = "stop"\n', "unknown field on_error"),
        ("defaults = 3\n", "defaults must be a table"),
    ],
)
def test_a_wrong_default_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    """Nothing is passed over, and nothing is looked at."""
    path = with_defaults(tmp_path / "dataware.toml", text)
    monkeypatch.chdir(tmp_path)
    ran = run("apply", path)
    assert ran.code == 1
    assert said in ran.err
