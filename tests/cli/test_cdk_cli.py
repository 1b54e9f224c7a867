"""The user's own CDK: found where people install it, refused with a sentence where it cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataware.cli.cdk_cli import check_arguments, find_cdk, names_app
from dataware.core.errors import BadInput, DatawareError

HELP = "Options: --import-existing-resources  Indicates if ..."


def make_cdk(path: Path, version: str = "2.1148.1 (build 1)", help_text: str = HELP) -> Path:
    """A stand-in for the CDK command line, which keeps what it was called with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""#!/bin/sh
echo "$@" >> "{path}.calls"
case "$*" in
  --version) echo "{version}" ;;
  "deploy --help") echo "{help_text}" ;;
  deploy*) exit "${{CDK_EXIT:-0}}" ;;
  synth*) exit "${{CDK_EXIT:-0}}" ;;
esac
"""
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A path with nothing but the shell on it."""
    (tmp_path / "bin").mkdir()
    return {"PATH": f"{tmp_path / 'bin'}:/bin"}


def test_the_projects_own_cdk_comes_first(tmp_path: Path, environ: dict[str, str]) -> None:
    """A CDK that the project installs wins over one on the path, also from a folder below."""
    own = make_cdk(tmp_path / "project/node_modules/.bin/cdk")
    make_cdk(tmp_path / "bin/cdk")
    below = tmp_path / "project/infra"
    below.mkdir()
    assert find_cdk(below, environ).command == (str(own),)


def test_a_cdk_on_the_path_will_do(tmp_path: Path, environ: dict[str, str]) -> None:
    """Without one in the project, the installed one is taken."""
    installed = make_cdk(tmp_path / "bin/cdk")
    assert find_cdk(tmp_path, environ).command == (str(installed),)


def test_npx_is_asked_last_and_may_not_install(tmp_path: Path, environ: dict[str, str]) -> None:
    """npx runs what it has; it is never asked to fetch something."""
    npx = tmp_path / "bin/npx"
    npx.write_text('#!/bin/sh\nshift 2\nexec "$(dirname "$0")/hidden" "$@"\n')
    npx.chmod(0o755)
    make_cdk(tmp_path / "bin/hidden")
    assert find_cdk(tmp_path, environ).command == (str(npx), "--no-install", "cdk")


def test_no_cdk_is_a_sentence(tmp_path: Path, environ: dict[str, str]) -> None:
    """A missing CDK says how to install one."""
    with pytest.raises(BadInput, match="not found: install it"):
        find_cdk(tmp_path, environ)


@pytest.mark.parametrize(
    ("version", "help_text", "says"),
    [
        ("3.0.0", HELP, "version 2"),
        ("1.204.0", HELP, "version 2"),
        ("2.20.0", "Options:", "cannot adopt"),
    ],
)
def test_an_unfit_cdk_is_a_sentence(
    tmp_path: Path, environ: dict[str, str], version: str, help_text: str, says: str
) -> None:
    """Another major version, or one without adoption, is named with what to do."""
    make_cdk(tmp_path / "bin/cdk", version, help_text)
    with pytest.raises(BadInput, match=says):
        find_cdk(tmp_path, environ)


def test_deploying_adopts(tmp_path: Path, environ: dict[str, str]) -> None:
    """Deploy carries the option that makes the stack adopt, and the user's own arguments."""
    cdk = make_cdk(tmp_path / "bin/cdk")
    find_cdk(tmp_path, environ).deploy(["Stack", "--require-approval", "never"])
    calls = Path(f"{cdk}.calls").read_text().splitlines()
    assert calls[-1] == "deploy --import-existing-resources Stack --require-approval never"


def test_the_first_synth_asks_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    """What dataware looks at is the app before any decision."""
    cdk = make_cdk(tmp_path / "bin/cdk")
    find_cdk(tmp_path, environ).synth(tmp_path / "out", ["-c", "env=prod"])
    call = Path(f"{cdk}.calls").read_text().splitlines()[-1]
    assert "dataware:lookup=collect" in call
    assert call.endswith("-c env=prod")


def test_a_failing_cdk_is_told(tmp_path: Path, environ: dict[str, str]) -> None:
    """A failed deployment says that the data is in place, and a failed synth changes nothing."""
    make_cdk(tmp_path / "bin/cdk")
    cdk = find_cdk(tmp_path, {**environ, "CDK_EXIT": "7"})
    with pytest.raises(DatawareError, match=r"exit code 7.*data is in place"):
        cdk.deploy([])
    with pytest.raises(BadInput, match="exit code 7"):
        cdk.synth(tmp_path, [])


@pytest.mark.parametrize("arguments", [["--method=direct"], ["--method", "direct"], ["-m=direct"]])
def test_direct_deployments_cannot_adopt(arguments: list[str], tmp_path: Path) -> None:
    """Without a change set nothing can be adopted, so the option is refused."""
    with pytest.raises(BadInput, match="change set"):
        check_arguments(["--all", *arguments], tmp_path)
    check_arguments(["--method=change-set", "direct"], tmp_path)


@pytest.mark.parametrize("arguments", [["--app", "out"], ["--app=out"], ["-a", "out"]])
def test_an_assembly_is_no_app_to_run(arguments: list[str], tmp_path: Path) -> None:
    """What was synthesized before the data was looked at is refused; a command is not."""
    check_arguments(arguments, tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(BadInput, match="--app out is a cloud assembly"):
        check_arguments(["--all", *arguments], tmp_path)


@pytest.mark.parametrize(
    ("content", "names"), [('{"app": "python3 app.py"}', True), ("{}", False), ("x", False)]
)
def test_a_project_names_its_app(tmp_path: Path, content: str, names: bool) -> None:
    """Only a cdk.json that names an app makes a CDK project."""
    assert not names_app(tmp_path)
    (tmp_path / "cdk.json").write_text(content)
    assert names_app(tmp_path) is names
