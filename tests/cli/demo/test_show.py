"""The demo stays on this machine, whatever the user's environment says."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from dataware.cli import main
from dataware.cli.demo import show
from dataware.cli.demo.show import enter
from dataware.embedded import EmbeddedAws


class Somewhere(EmbeddedAws):
    """An embedded AWS that was never started."""

    @property
    def endpoint(self) -> str:
        """An address at which nothing listens."""
        return "http://127.0.0.1:9"


def test_no_setting_of_the_users_aws_survives(tmp_path: Path) -> None:
    """A profile, a token or a service's own endpoint would lead out of the embedded AWS."""
    environ = {
        "PATH": "/bin",
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
    }
    aws = Somewhere()
    enter(environ, aws, tmp_path)
    assert environ == {"PATH": "/bin", "DATAWARE_STATE": str(tmp_path), **aws.environ()}


@pytest.mark.parametrize("option", ["--profile", "--region", "--endpoint-url", "--format"])
def test_the_demo_takes_no_option_that_names_an_aws(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the demo would not follow, it refuses."""
    assert main(["demo", option, "x"]) == 1
    assert f"No such option '{option}'" in capsys.readouterr().err


def test_a_demo_that_is_stopped_has_nothing_to_continue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its emulator ends with it, so Ctrl-C is no incomplete run that the same command resumes."""

    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "EmbeddedAws", lambda **_settings: nullcontext(Somewhere()))
    monkeypatch.setattr(show, "enter", lambda *_arguments: None)
    monkeypatch.setattr(show, "_Show", lambda *_arguments, **_more: SimpleNamespace(run=stop))
    assert main(["demo"]) == 1
    assert f"❌ {show.STOPPED}" in capsys.readouterr().err


@pytest.mark.parametrize("items", [1, 2000, show.QUICKLY_COPIED - 1])
def test_a_small_copy_lasts_until_it_is_killed(items: int) -> None:
    """A copy that had ended by then would be said to be interrupted."""
    option, rate = show.slow_down(items)
    assert option == "--max-rate"
    assert float(rate) >= 1
    assert items / float(rate) >= min(items, show.LEAST_SECONDS)


def test_a_large_copy_takes_its_time_without_being_told() -> None:
    """The demo shows how quickly it goes."""
    assert show.slow_down(show.QUICKLY_COPIED) == ()
