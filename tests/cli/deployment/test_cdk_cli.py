"""The user's own CDK: found where people install it, refused with a sentence where it cannot do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataware.cli.deployment.cdk_cli import find_cdk
from dataware.cli.deployment.cdk_options import CdkArguments, parse_cdk_arguments, read_option_table
from dataware.cli.deployment.cdk_refusals import (
    COMBINED,
    HANDED_ON,
    SWITCHES,
    check_arguments,
    check_same,
    undecided_options,
)
from dataware.cli.project import is_project
from dataware.core.errors import DatawareError, InputError
from dataware.ops.inputs.cdk_settings import GivenSettings, read_cdk_settings
from support.assemblies import HELP

TABLE = read_option_table(HELP.read_text())


def parse(*words: str) -> CdkArguments:
    """The arguments, under the options of the pinned command line."""
    return parse_cdk_arguments(words, TABLE, {})


def make_cdk(path: Path, version: str = "2.1148.1 (build 1)", help_text: Path = HELP) -> Path:
    """A stand-in for the CDK command line, which keeps what it was called with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""#!/bin/sh
echo "$@" >> "{path}.calls"
echo "$DATAWARE_RUN" > "{path}.run"
case "$*" in
  --version) echo "{version}" ;;
  "deploy --help") cat "{help_text}" ;;
  deploy*) exit "${{CDK_EXIT:-0}}" ;;
  list*) exit "${{CDK_EXIT:-0}}" ;;
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
    with pytest.raises(InputError, match="not found: install it"):
        find_cdk(tmp_path, environ)


@pytest.mark.parametrize(
    ("version", "help_text", "says"),
    [
        ("3.0.0", HELP, "version 2"),
        ("1.204.0", HELP, "version 2"),
        ("2.20.0", Path("/dev/null"), "cannot adopt"),
    ],
)
def test_an_unfit_cdk_is_a_sentence(
    tmp_path: Path, environ: dict[str, str], version: str, help_text: Path, says: str
) -> None:
    """Another major version, or one without adoption, is named with what to do."""
    make_cdk(tmp_path / "bin/cdk", version, help_text)
    with pytest.raises(InputError, match=says):
        find_cdk(tmp_path, environ)


def test_deploying_adopts(tmp_path: Path, environ: dict[str, str]) -> None:
    """Deploy carries the option that makes the stack adopt, the stacks, and the user's options."""
    cdk = make_cdk(tmp_path / "bin/cdk")
    given = parse("Api", "-e", "--require-approval", "never", "--all", "-fv")
    find_cdk(tmp_path, environ).deploy(["Data", "My (EU)", "2024"], given, tmp_path)
    calls = Path(f"{cdk}.calls").read_text().splitlines()
    assert calls[-1] == (
        r"deploy --import-existing-resources --exclusively=true Data My \(EU\) [2]024 "
        "--require-approval never -f -v"
    )
    assert Path(f"{cdk}.run").read_text() == "deploy\n", "the app makes no machinery that copies"


def test_the_first_synth_asks_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    """What dataware looks at is the app before any decision."""
    cdk = make_cdk(tmp_path / "bin/cdk")
    given = parse("Stack", "-c", "env=prod", "--require-approval", "never")
    find_cdk(tmp_path, environ).synth(tmp_path / "out", given)
    call = Path(f"{cdk}.calls").read_text().splitlines()[-1]
    assert "dataware:lookup=collect" in call
    assert Path(f"{cdk}.run").read_text() == "look\n", "the app takes it for no slip of a person"
    assert call.endswith("-c env=prod")


def test_a_failing_cdk_is_told(tmp_path: Path, environ: dict[str, str]) -> None:
    """A failed deployment tells the exit code of CDK, and a failed synth changes nothing."""
    make_cdk(tmp_path / "bin/cdk")
    cdk = find_cdk(tmp_path, {**environ, "CDK_EXIT": "7"})
    with pytest.raises(DatawareError, match=r"exit code 7$"):
        cdk.deploy([], parse(), tmp_path)
    with pytest.raises(InputError, match="exit code 7"):
        cdk.synth(tmp_path, parse())


@pytest.mark.parametrize(
    "words",
    [
        *(["--method=direct"], ["--method", "direct"], ["-m=direct"], ["-m", "direct"]),
        *(["--method=prepare-change-set"], ["-m", "prepare-change-set"], ["--no-execute"]),
        *(["--execute=false"], ["--execute", "false"], ["--method=execute-change-set"]),
        *(["--hotswap"], ["--hotswap-fallback"], ["--hotswapFallback"], ["--watch"], ["--express"]),
        *(["--ignore-errors"], ["--help"], ["-h"], ["--version"], ["-fh"], ["--method=later"]),
        ["--no-import-existing-resources"],
    ],
    ids=" ".join,
)
def test_what_would_not_deploy_for_good_is_refused(words: list[str], tmp_path: Path) -> None:
    """No option under which CDK deploys nothing, or not by an executed change set, is handed on."""
    with pytest.raises(InputError, match="leave the option out"):
        check_arguments(parse("--all", *words), TABLE, read_cdk_settings(tmp_path))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("METHOD", "direct"), ("EXECUTE", "false"), ("HOTSWAP", "true"), ("WATCH", "true")),
        *(("EXPRESS", "true"), ("IGNORE_ERRORS", "true"), ("IMPORT_EXISTING_RESOURCES", "false")),
    ],
)
def test_a_variable_is_an_option(name: str, value: str, tmp_path: Path) -> None:
    """CDK takes every option from a variable, too."""
    given = parse_cdk_arguments([], TABLE, {f"CDK_{name}": value})
    with pytest.raises(InputError, match="leave the option out"):
        check_arguments(given, TABLE, read_cdk_settings(tmp_path))


@pytest.mark.parametrize(
    "words",
    [
        *(["--method=change-set"], ["--execute"], ["--no-hotswap"], ["--watch=false"], ["-f"]),
        ["--role-arn", "help"],
        ["--parameters", "A=direct", "--concurrency", "4"],
    ],
    ids=" ".join,
)
def test_what_deploys_is_handed_on(words: list[str], tmp_path: Path) -> None:
    """Options that change how CDK deploys, and not whether."""
    check_arguments(parse("--all", *words), TABLE, read_cdk_settings(tmp_path))


def test_every_option_of_the_pinned_cdk_is_decided() -> None:
    """Each is handed on, combined or refused, and none is two of these."""
    assert undecided_options(TABLE) == []
    decided = [*COMBINED, *HANDED_ON, *SWITCHES]
    assert len(decided) == len({*decided})


@pytest.mark.parametrize("words", [["--undo-all"], ["--undo-all=false"], ["--no-undo-all"]])
def test_an_option_of_a_later_cdk_is_refused(words: list[str], tmp_path: Path) -> None:
    """Nobody has decided what it does to data; without it that CDK deploys as ever."""
    later = read_option_table(HELP.read_text() + "  --undo-all  Undo everything. [boolean]\n")
    given = parse_cdk_arguments(["--all", *words], later, {})
    with pytest.raises(InputError, match="does not know what --undo-all of this CDK does"):
        check_arguments(given, later, read_cdk_settings(tmp_path))
    check_arguments(parse_cdk_arguments(["--all"], later, {}), later, read_cdk_settings(tmp_path))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--exclusivly", "Api"], "has no option --exclusivly, did you mean exclusively?"),
        (["-x"], "has no option -x"),
        (["--context"], "--context of `cdk deploy` needs a value"),
        (["--outputs-file", "--force"], "--outputs-file of `cdk deploy` needs a value"),
        (["-ca=b"], "one by one"),
        (["--force=1"], "either true or false"),
        (["--no-outputs-file"], "takes a value"),
        (["--require-approval=never", "--requireApproval", "never"], "only once"),
        (["Api", "--", "Data"], "leave that out"),
        ([""], "names no stack"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(words: list[str], says: str) -> None:
    """An unknown option could take the next word, or leave it to be a stack."""
    with pytest.raises(InputError, match=re.escape(says)):
        parse(*words)


def test_names_that_are_broken_over_lines_are_read() -> None:
    """A narrow column holds one name a line, or a part of one."""
    apart = "  -a,       The app.\n  --app     It has a name. [string]\n"
    broken = "  --hotswap-ecs-timeout-seco  In\n  nds                         seconds [number]\n"
    table = read_option_table(apart + broken)
    assert (table.find("a").name, table.find("app").type) == ("app", "string")
    assert table.find("hotswap-ecs-timeout-seconds").type == "number"


def test_two_command_lines_cannot_mean_two_accounts() -> None:
    """What is looked at with one profile would be deployed with another."""
    assert check_same("--profile", None, "prod") == "prod"
    assert check_same("--profile", "prod", "prod") == "prod"
    with pytest.raises(InputError, match="give it once"):
        check_same("--profile", "dev", "prod")


@pytest.mark.parametrize("arguments", [["--app", "out"], ["--app=out"], ["-a", "out"]])
def test_an_assembly_is_no_app_to_run(arguments: list[str], tmp_path: Path) -> None:
    """What was synthesized before the data was looked at is refused; a command is not."""
    given = parse("--all", *arguments)
    named = GivenSettings(app=given.text("app"))
    check_arguments(given, TABLE, read_cdk_settings(tmp_path, named))
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="--app out is a cloud assembly"):
        check_arguments(given, TABLE, read_cdk_settings(tmp_path, named))
    (tmp_path / "cdk.json").write_text('{"app": "out"}')
    with pytest.raises(InputError, match="out is a cloud assembly"):
        check_arguments(parse(), TABLE, read_cdk_settings(tmp_path))


@pytest.mark.parametrize(
    ("content", "names"), [('{"app": "python3 app.py"}', True), ("{}", False), ("x", False)]
)
def test_a_project_names_its_app(tmp_path: Path, content: str, names: bool) -> None:
    """Only a cdk.json that names an app makes a CDK project."""
    assert not is_project(tmp_path)
    (tmp_path / "cdk.json").write_text(content)
    assert is_project(tmp_path) is names
