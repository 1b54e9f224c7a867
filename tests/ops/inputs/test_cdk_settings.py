"""cdk.json means to dataware what it means to CDK."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import InputError
from dataware.kinds import kinds
from dataware.ops.inputs.app import AppRun, load_app
from dataware.ops.inputs.cdk_settings import (
    GivenSettings,
    context_of,
    executable_of,
    read_cdk_settings,
)
from dataware.ops.inputs.wanted import App
from support.assemblies import assembly, opted_in
from support.worlds import retained

TYPE = "AWS::S3::Bucket"
APP = """#!{python}
import json, os, shutil
told = json.loads(os.environ["CDK_CONTEXT_JSON"])
if at := os.environ.get("CONTEXT_OVERFLOW_LOCATION_ENV"):
    told.update(json.load(open(at)))
name = told.get("stage", "none")
shutil.copytree("prepared-" + name, {output}, dirs_exist_ok=True)
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose app declares another bucket for every stage, in a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    for stage in ("none", "dev", "prod"):
        bucket = opted_in(retained(TYPE, BucketName=f"uploads-{stage}"), "uploads-old")
        assembly(Path(f"prepared-{stage}"), App={"Uploads": bucket})
    write_app("app.py")
    return tmp_path


def write_app(name: str, output: str = 'os.environ["CDK_OUTDIR"]', mode: int = 0o644) -> None:
    """The app, as a file that may be executed or not."""
    Path(name).write_text(APP.format(python=sys.executable, output=output))
    Path(name).chmod(mode)


def write(name: str, content: Mapping[str, Any]) -> None:
    """A file of settings."""
    Path(name).write_text(json.dumps(content))


def preferred(*context: str, app: str | None = None) -> str:
    """The bucket that the app of the project wants, under what the command line says."""
    cards = {kind.cfn_type: kind for kind in kinds()}
    loaded: App = load_app(None, kinds=cards, run=AppRun(GivenSettings(context, app)))
    return loaded.wanted[0].preferred


def call(name: str = "app.py") -> str:
    """The command that runs the app."""
    return f"{sys.executable} {name}"


def test_context_comes_from_four_places_in_the_order_of_cdk() -> None:
    """The command line wins over cdk.json, that over cdk.context.json, that over ~/.cdk.json."""
    write("cdk.json", {"app": call()})
    assert preferred() == "uploads-none"
    write("home/.cdk.json", {"context": {"stage": "prod"}})
    assert preferred() == "uploads-prod"
    write("cdk.context.json", {"stage": "dev"})
    assert preferred() == "uploads-dev"
    write("cdk.json", {"app": call(), "context": {"stage": "prod"}})
    assert preferred() == "uploads-prod"
    assert preferred("stage=dev") == "uploads-dev"


def test_a_variable_is_context_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """CDK takes options from variables, below those of the command line."""
    write("cdk.json", {"app": call(), "context": {"stage": "prod"}})
    monkeypatch.setenv("CDK_CONTEXT", "stage=dev")
    assert preferred() == "uploads-dev"
    assert preferred("stage=prod") == "uploads-prod"


def test_mappings_of_context_are_merged() -> None:
    """A nested value is replaced where it stands, and its neighbours stay."""
    write("home/.cdk.json", {"context": {"net": {"a": 1, "b": 1}}})
    write("cdk.json", {"app": "x", "context": {"net": {"b": 2}, "list": [1]}})
    assert read_cdk_settings(Path()).context == {"net": {"a": 1, "b": 2}, "list": [1]}


def test_much_context_reaches_the_app() -> None:
    """More than a variable holds goes by the file that CDK uses for it."""
    write("cdk.json", {"app": call(), "context": {"stage": "prod", "much": "x" * 200_000}})
    assert preferred() == "uploads-prod"


def test_the_build_runs_before_the_app() -> None:
    """What the build writes is what is run."""
    write("cdk.json", {"app": call("out/app.py"), "build": "mkdir -p out && cp app.py out/app.py"})
    assert preferred() == "uploads-none"
    Path("app.py").write_text(Path("app.py").read_text().replace('"none"', '"prod"'))
    assert preferred() == "uploads-prod"
    write("cdk.json", {"app": call("out/app.py"), "build": "echo no compiler >&2; exit 2"})
    with pytest.raises(InputError, match="no compiler"):
        preferred()


def test_the_build_belongs_to_the_project() -> None:
    """As for CDK, a build of the user's own settings is refused."""
    write("home/.cdk.json", {"build": "true"})
    write("cdk.json", {"app": call()})
    with pytest.raises(InputError, match=r"belongs in the cdk\.json"):
        preferred()


def test_the_app_may_stand_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's own settings, in a variable, on the command line, as a list of words."""
    write("home/.cdk.json", {"app": call()})
    write("cdk.json", {"context": {"stage": "dev"}})
    assert preferred() == "uploads-dev"
    write("cdk.json", {"app": "false"})
    monkeypatch.setenv("CDK_APP", call())
    assert preferred() == "uploads-none"
    monkeypatch.delenv("CDK_APP")
    assert preferred(app=call()) == "uploads-none"
    write("cdk.json", {"app": [sys.executable, "app.py"]})
    assert preferred() == "uploads-none"


def test_an_app_may_be_a_file() -> None:
    """One that may be executed is called; a script for Node.js is run by it without that right."""
    write_app("app", mode=0o755)
    write("cdk.json", {"app": "app"})
    with pytest.raises(InputError, match="not found"):
        preferred()
    write("cdk.json", {"app": "./app --fast"})
    assert preferred() == "uploads-none"
    Path("my app.js").write_text("")
    assert executable_of("my app.js", Path()).endswith("node 'my app.js'")
    Path("app.js").write_text("")
    assert executable_of("app.js --fast", Path()).endswith("node app.js --fast")
    Path("app.js").chmod(Path("app.js").stat().st_mode | stat.S_IXUSR)
    assert executable_of("app.js --fast", Path()) == "app.js --fast"
    assert executable_of('"my app.js" x', Path()).endswith("node 'my app.js' x")
    assert executable_of("python3 app.py", Path()) == "python3 app.py"


def test_an_app_that_writes_where_it_likes_is_found_where_cdk_looks() -> None:
    """The folder that cdk.json names as output, if the app has just written there."""
    write_app("app.py", output='"out"')
    write("cdk.json", {"app": call(), "output": "out"})
    assert preferred() == "uploads-none"
    os.utime("out/manifest.json", (1, 1))
    write("cdk.json", {"app": "true", "output": "out"})
    with pytest.raises(InputError, match="wrote no cloud assembly"):
        preferred()


def test_the_app_may_be_a_finished_assembly() -> None:
    """A folder is read, after the build."""
    write("cdk.json", {"app": "out", "build": "cp -r prepared-prod out"})
    Path("out").mkdir()
    write("cdk.json", {"app": "prepared-prod"})
    assert preferred() == "uploads-prod"


def test_profile_and_region_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """They choose the AWS that is looked at."""
    write("cdk.json", {"app": "x", "profile": "shop", "region": "eu-west-1"})
    settings = read_cdk_settings(Path())
    assert (settings.profile, settings.region) == ("shop", "eu-west-1")
    monkeypatch.setenv("CDK_PROFILE", "other")
    assert read_cdk_settings(Path()).profile == "other"


@pytest.mark.parametrize("word", ["stage", "=x", "aws:cdk:bundling-stacks=x"])
def test_odd_context_is_refused(word: str) -> None:
    """CDK passes the first over with a warning, and means another app than was asked for."""
    with pytest.raises(InputError):
        context_of([word])


def test_what_is_not_run_takes_no_context() -> None:
    """A finished assembly cannot be of another stage."""
    with pytest.raises(InputError, match="is not run"):
        load_app(Path("prepared-dev"), kinds={}, run=AppRun(GivenSettings(("stage=dev",))))
