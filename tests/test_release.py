"""What is published and what runs in CI: the workflows, the action, the component, the image."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml

from dataware import __version__
from dataware.cli.commands.check import TOML
from dataware.ops.inputs.files import LOCK
from support.cli import ALL_COMMANDS

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
SPEC, COMPONENT = yaml.safe_load_all((ROOT / "templates/dataware.yml").read_text("utf-8"))
JOB = COMPONENT["dataware-$[[ inputs.mode ]]"]
(STEP,) = [step for step in ACTION["runs"]["steps"] if step.get("id") == "run"]
MODES = ("plan", "apply", "deploy", "check", "verify")
COMMAND = re.compile(r"\bdataware ([a-z]+) ([^|;]*)")
VERSION = re.compile(r"@(v\d+|release/v\d+)$")
TOP = {"name", "on", "permissions", "jobs", "env", "defaults", "concurrency"}
STEP_KEYS = {"uses", "with", "name", "id", "run", "if", "env", "shell"}

# Notes what it was asked, and ends as it is told to.
FAKE = """#!/bin/sh
printf '%s\\n' "$*" >> asked.txt
echo answer
exit $CODE
"""


def load_script(path: str) -> ModuleType:
    """A script of the project as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def steps_of(document: Any) -> list[dict[str, Any]]:
    """Every step of a workflow or of an action."""
    if "runs" in document:
        return list(document["runs"]["steps"])
    return [step for job in document["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_asks_for_little_and_pins_what_it_uses(path: Path) -> None:
    """Nothing is allowed by default, every job ends in time, every `needs` is a job."""
    document = yaml.safe_load(path.read_text("utf-8"))
    # YAML 1.1 reads the key `on` as true.
    assert {"on" if key is True else key for key in document} <= TOP
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert job["timeout-minutes"] <= 350
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(document["jobs"])
    check_steps(steps_of(document))


def check_steps(steps: list[dict[str, Any]]) -> None:
    """A step uses a pinned action or runs a script that bash can read, without expressions."""
    for step in steps:
        assert set(step) <= STEP_KEYS
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            assert VERSION.search(step["uses"]), step["uses"]
        else:
            assert "${{" not in step["run"], "inputs reach a script as variables"
            subprocess.run(["bash", "-n", "-c", step["run"]], check=True)


def test_a_release_is_published_without_a_token() -> None:
    """Only the job that publishes may, and only what was built, tested and signed."""
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))["jobs"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"] == "pypi"
    assert set(jobs["publish"]["needs"]) == {"build", "provenance"}
    assert jobs["build"]["permissions"] == {"contents": "read"}
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    assert any("make release-check" in step.get("run", "") for step in jobs["build"]["steps"])


def test_the_action_is_one() -> None:
    """Its inputs are explained, used and the only ones; scripts name their shell."""
    assert set(ACTION) == {"name", "description", "branding", "inputs", "outputs", "runs"}
    text = (ROOT / "action.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
    assert all(one["description"] for one in ACTION["inputs"].values())
    check_steps(ACTION["runs"]["steps"])
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"] if "run" in step)
    kept = [step for step in ACTION["runs"]["steps"] if step.get("if") == "always()"]
    assert [step["name"] for step in kept] == ["Report", "Keep"]


def run_step(folder: Path, code: int, **given: str) -> tuple[int, str, str]:
    """The exit code of the action's step, what dataware was asked, and the step's outputs."""
    (folder / "bin").mkdir()
    (folder / "bin/dataware").write_text(FAKE, encoding="utf-8")
    (folder / "bin/dataware").chmod(0o755)
    variables = {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(folder / "output.txt"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        **{"CODE": str(code), "APP": "", "PLAN": "plan.json", "ARGUMENTS": "", **given},
    }
    shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEP["run"])
    ended = subprocess.run(shell, cwd=folder, env=variables, check=False, capture_output=True)
    read = {
        name: (folder / name).read_text("utf-8") if (folder / name).exists() else ""
        for name in ("asked.txt", "output.txt", "summary.md")
    }
    if read["asked.txt"]:
        assert "answer" in read["summary.md"]
    return ended.returncode, read["asked.txt"].strip(), read["output.txt"]


@pytest.mark.parametrize(
    ("code", "given", "ends", "asked"),
    [
        (2, {"MODE": "plan"}, 0, "plan --strict --detailed-exitcode --out plan.json --format"),
        (3, {"MODE": "plan", "APP": "a.toml"}, 3, "plan a.toml --strict"),
        (
            0,
            {"MODE": "apply", "ARGUMENTS": "--max-rate 9"},
            0,
            "apply plan.json --format github --max-rate 9",
        ),
        (4, {"MODE": "apply", "APP": "a.toml"}, 4, "apply a.toml"),
        (1, {"MODE": "deploy", "ARGUMENTS": "-- --all"}, 1, "deploy --yes --strict -- --all"),
        (2, {"MODE": "verify", "APP": "s3://a s3://b"}, 2, "verify s3://a s3://b --format github"),
        (2, {"MODE": "check", "APP": "a.toml"}, 2, "check a.toml --format github"),
        (0, {"MODE": "plan; touch x"}, 1, ""),
        (0, {"MODE": "plan", "APP": "$(touch x) `touch x`"}, 0, "plan $(touch x) `touch x`"),
    ],
)
def test_the_action_asks_and_ends_as_it_should(
    tmp_path: Path, code: int, given: dict[str, str], ends: int, asked: str
) -> None:
    """A plan that would change something is no failure; no text of an input is ever run."""
    returned, command, outputs = run_step(tmp_path, code, **given)
    assert returned == ends
    assert command.startswith(asked)
    assert not (tmp_path / "x").exists()
    if asked:
        assert f"code={code}\n" in outputs
        assert f"changes={'true' if (code, ends) == (2, 0) else 'false'}\n" in outputs


def test_the_component_has_the_modes_of_the_action() -> None:
    """Every input is used and every used one declared; the report is kept whatever happens."""
    inputs = SPEC["spec"]["inputs"]
    text = (ROOT / "templates/dataware.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.(\w+) \]\]", text)) == set(inputs)
    assert tuple(inputs["mode"]["options"]) == MODES
    assert JOB["artifacts"]["when"] == "always"
    assert "dataware-report.html" in JOB["artifacts"]["paths"]
    for part in ("before_script", "script", "after_script"):
        for line in JOB[part]:
            subprocess.run(["bash", "-n", "-c", line.replace("$[[", "[[")], check=True)


@pytest.mark.parametrize(
    "script", [STEP["run"], "\n".join(JOB["script"])], ids=["github", "gitlab"]
)
def test_what_runs_in_ci_are_commands_and_options_of_dataware(script: str) -> None:
    """An option that is renamed is renamed there, too."""
    found = [match for line in script.splitlines() for match in COMMAND.findall(line)]
    assert {name for name, _ in found} >= set(MODES)
    for name, rest in found:
        if name not in ALL_COMMANDS:
            continue
        options = [one for one in ALL_COMMANDS[name].params if isinstance(one, click.Option)]
        known = {each for one in options for each in one.opts}
        assert set(re.findall(r"(?<=\s)--[a-z-]+", f" {rest}")) <= known


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, _, rest in (x.partition(" ") for x in lines)]


def test_the_image_is_small_pinned_and_no_root() -> None:
    """Bases have tags, copies exist, nothing is cached, the last user is none of root's."""
    found = instructions()
    bases = [rest.split()[0] for word, rest in found if word == "FROM"]
    assert all(re.search(r":\d", base) for base in bases)
    assert next(rest for word, rest in reversed(found) if word == "USER") == "dataware"
    assert {word for word, _ in found} <= {
        *("FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "ENTRYPOINT", "CMD")
    }
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    for word, rest in found:
        if word == "COPY" and "--from" not in rest:
            for name in rest.split()[:-1]:
                assert (ROOT / name).exists()
                assert f"!{name.removeprefix('./')}" in ignored
        if word in {"ENTRYPOINT", "CMD"}:
            assert isinstance(json.loads(rest), list), "the exec form hands signals on"
        if word == "RUN":
            assert rest.count("pip") == rest.count("--no-cache-dir")
            subprocess.run(["bash", "-n", "-c", rest], check=True)


def test_a_release_names_its_version_in_the_changelog_and_the_sbom() -> None:
    """The last look before a tag finds what is missing, and nothing in what is whole."""
    find = load_script("scripts/check_release.py").find_problems
    sbom = json.dumps({"components": [{"name": "dataware", "version": "1.2.3"}]})
    assert find("1.2.3", "# Changelog\n\n## 1.2.3 - 2026-12-01\n", sbom) == []
    assert find("1.2.3", "# Changelog\n\n## [1.2.3]\n", sbom) == []
    assert len(find("1.2.4", "## 1.2.3\n", sbom)) == 2
    assert len(find("1.2.3", "## 1.2.30\n", "{}")) == 2
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    own = json.dumps({"components": [{"name": "dataware", "version": __version__}]})
    assert find(__version__, changelog, own) == []


def test_the_wheel_is_built_as_the_image_builds_it(tmp_path: Path) -> None:
    """The step of the Dockerfile that builds, in a folder of its own."""
    found = instructions()
    (build,) = [rest for word, rest in found if word == "RUN" and "pip wheel" in rest]
    for word, rest in found[: found.index(("RUN", build))]:
        if word == "COPY":
            *names, target = rest.split()
            if target.endswith("/"):
                (tmp_path / target).mkdir(parents=True, exist_ok=True)
            subprocess.run(
                ["cp", "-r", *(str(ROOT / one) for one in names), tmp_path / target], check=True
            )
    command = build.replace("python", sys.executable, 1).replace(
        "/wheels", str(tmp_path / "wheels")
    )
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    assert [path.suffix for path in (tmp_path / "wheels").iterdir()] == [".whl"]


def test_the_hook_runs_a_command_of_dataware() -> None:
    """pre-commit installs this repository and runs `dataware check`, without file names."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {"id", "name", "description", "entry", "language"} <= set(hook)
    assert hook["entry"].split() == ["dataware", "check"]
    assert hook["entry"].split()[1] in ALL_COMMANDS
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    for name in ("dataware.toml", "infra/dataware.toml", "App.template.json", "cdk.json"):
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "pyproject.toml")


DRAFT_07 = {
    *("$schema", "title", "description", "default", "type", "enum", "const", "format", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "minLength", "minItems", "uniqueItems", "items"),
    *("properties", "required", "additionalProperties", "propertyNames"),
    *("allOf", "anyOf", "oneOf", "not", "if", "then", "else"),
}
"""Keywords of draft-07 of JSON Schema that the schemas use."""


def keywords_of(schema: Any) -> set[str]:
    """The keywords that a schema uses; names of properties are none."""
    found: set[str] = set()
    for name, value in schema.items() if isinstance(schema, dict) else ():
        found.add(name)
        named = name in {"properties", "dependentRequired"}
        inner = value.values() if named and isinstance(value, dict) else [value]
        for each in inner:
            for one in each if isinstance(each, list) else [each]:
                found |= keywords_of(one) if name not in {"default", "enum", "const"} else set()
    return found


def test_the_entries_for_schemastore_fit_the_files_that_are_read_and_written() -> None:
    """Each names a schema of this repository and a file of dataware, and can be taken as it is."""
    page = (ROOT / "docs/releasing.md").read_text("utf-8")
    entries = json.loads(page.partition("```json\n")[2].partition("```")[0])
    assert [one["fileMatch"] for one in entries] == [[str(TOML)], [str(LOCK)]]
    assert [one["name"] for one in entries] == [one["fileMatch"][0] for one in entries]
    for one in entries:
        assert one.keys() == {"name", "description", "fileMatch", "url"}
        base, _, path = one["url"].partition("/main/")
        assert base == "https://raw.githubusercontent.com/OWNER/dataware"
        schema = json.loads((ROOT / path).read_text("utf-8"))
        assert one["name"] in schema["title"]
        assert keywords_of(schema) - DRAFT_07 <= {"dependentRequired"}
