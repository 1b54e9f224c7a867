"""The action and the component: they fit the schemas of GitHub and GitLab, and do a whole job.

The schemas are those that check-jsonschema brings along; nothing is asked of the network.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataware.embedded import EmbeddedAws
from support.ci_machine import CiMachine
from support.cli import table_app
from support.worlds import items_of, make_table

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
TEMPLATE = ROOT / "templates/dataware.yml"
SPEC_TEXT, JOB_TEXT = TEMPLATE.read_text(encoding="utf-8").split("\n---\n")
INPUTS = yaml.safe_load(SPEC_TEXT)["spec"]["inputs"]
MODES: Sequence[str] = INPUTS["mode"]["options"]
WORKFLOWS = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/ci/github/*.yml")]
GITLAB = ("--data-transform", "gitlab-ci")
ROLE = "arn:aws:iam::111122223333:role/dataware"


def fill_in(text: str, **given: str) -> str:
    """The component's job as GitLab makes it: inputs are put into the text before it is YAML.

    Source: GitLab Docs, "CI/CD inputs"; the merge request "Use text interpolation in CI YAML
    loader" (gitlab-org/gitlab!142009).
    """
    needed = {"role": ROLE, "region": "us-east-1"}
    values = {name: one.get("default", needed.get(name, "")) for name, one in INPUTS.items()}
    values |= given
    return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: values[found[1]], text)


def job_of(mode: str, **given: str) -> dict[str, Any]:
    """The one job of the component for a mode."""
    (job,) = yaml.safe_load(fill_in(JOB_TEXT, mode=mode, **given)).values()
    return dict(job)


def check_schema(schema: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What check-jsonschema says of some files by one of the schemas that it brings along."""
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    return subprocess.run(
        [*words, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )


# ---- what they look like


def test_the_action_and_the_workflows_fit_the_schemas_of_github() -> None:
    """Every key is one that GitHub knows, with a value that it takes."""
    done = check_schema("github-actions", ACTION)
    assert done.returncode == 0, done.stdout
    assert len(WORKFLOWS) > 1
    done = check_schema("github-workflows", *WORKFLOWS)
    assert done.returncode == 0, done.stdout


def test_the_component_and_the_pipeline_fit_the_schema_of_gitlab(tmp_path: Path) -> None:
    """For each mode, with nothing but the inputs that have no default, and the example's file."""
    files = [tmp_path / "inputs.yml", ROOT / "examples/ci/gitlab/.gitlab-ci.yml"]
    files[0].write_text(SPEC_TEXT, encoding="utf-8")
    for mode in MODES:
        files.append(tmp_path / f"{mode}.yml")
        files[-1].write_text(fill_in(JOB_TEXT, mode=mode), encoding="utf-8")
    done = check_schema("gitlab-ci", *GITLAB, *files)
    assert done.returncode == 0, done.stdout


def test_the_schemas_find_a_mistake(tmp_path: Path) -> None:
    """A check that passes everything would show nothing."""
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    del action["runs"]["steps"][1]["shell"]
    wrong = tmp_path / "action.yml"
    wrong.write_text(yaml.safe_dump(action), encoding="utf-8")
    assert check_schema("github-actions", wrong).returncode == 1
    wrong.write_text("job: {script: x, variables: {EMPTY: null}}", encoding="utf-8")
    assert check_schema("gitlab-ci", *GITLAB, wrong).returncode == 1


@pytest.mark.parametrize(
    "text", ["", "dataware.toml", "-- --all", 'say: "so"', "# not a comment", "[a]", "*.toml"]
)
def test_what_an_input_holds_stays_a_text(text: str) -> None:
    """Whatever the options of a job are, it stays a job, and they come to the command whole."""
    variables = job_of("apply", app=text, arguments=text)["variables"]
    assert (variables["JOB_APP"], variables["JOB_ARGUMENTS"]) == (text, text)


# ---- what they do


@pytest.fixture
def machine(aws_server: EmbeddedAws, tmp_path: Path) -> CiMachine:
    """A machine of CI with an app whose data is still under the older name."""
    make_table("Waitlist", ({"pk": {"S": str(n)}} for n in range(9)))
    table_app(tmp_path / "dataware.toml", "Waitlist-prod", "Waitlist")
    return CiMachine(tmp_path)


def run_action(machine: CiMachine, mode: str, **given: str) -> int:
    """The exit code of the action's step, after which its report is made as always."""
    steps = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]
    scripts = {step["name"]: step["run"] for step in steps if "run" in step}
    variables = {"MODE": mode, "APP": "", "PLAN": "plan.json", "ARGUMENTS": "", **given}
    code = machine.run(scripts["Run"], **variables).returncode
    (machine.folder / "dataware-report.html").unlink(missing_ok=True)
    assert machine.run(scripts["Report"]).returncode == 0
    return code


def run_job(machine: CiMachine, mode: str, **given: str) -> tuple[int, str]:
    """The exit code and the log of the component's job, after which its report is made.

    Images without bash run the script in another shell, so a plain one has to do.
    """
    job = job_of(mode, **given)
    variables = {**job["variables"], "AWS_ID_TOKEN": "a token"}
    variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(machine.folder / "token")
    # The role is a matter of AWS; here the machine has credentials already.
    del variables["AWS_ROLE_ARN"], variables["AWS_ROLE_SESSION_NAME"]
    token = job["before_script"][0]
    assert machine.run(token, **variables).returncode == 0
    assert machine.text("token") == "a token"
    done = machine.run("\n".join(job["script"]), shell=("sh", "-e", "-c"), **variables)
    (machine.folder / "dataware-report.html").unlink(missing_ok=True)
    assert machine.run("\n".join(job["after_script"]), **variables).returncode == 0
    return done.returncode, done.stdout + done.stderr


def test_the_action_plans_applies_and_keeps_the_report(machine: CiMachine) -> None:
    """The plan passes and says that it changes something; the apply takes it; both are told."""
    assert run_action(machine, "plan") == 0
    assert machine.output() == {"code": "2", "changes": "true"}
    assert "1 to copy" in machine.text("github_step_summary")
    assert "Approve by" in machine.text("dataware-report.html")
    assert run_action(machine, "apply") == 0
    assert len(items_of("Waitlist-prod")) == 9
    assert machine.output() == {"code": "0", "changes": "false"}
    assert "How current is this?" in machine.text("dataware-report.html")


def test_the_component_plans_applies_and_keeps_the_report(machine: CiMachine) -> None:
    """As the action does; a plan that would change something is no failure."""
    code, log = run_job(machine, "plan")
    assert code == 0
    assert "the plan would change something, see plan.md\n" in log
    assert json.loads(machine.text("plan.json"))["resources"][0]["action"] == "migrate"
    assert "Approve by" in machine.text("dataware-report.html")
    assert run_job(machine, "apply")[0] == 0
    assert len(items_of("Waitlist-prod")) == 9
    assert "How current is this?" in machine.text("dataware-report.html")


def test_a_failed_job_keeps_its_report_and_no_file_stands_in_for_an_option(
    machine: CiMachine,
) -> None:
    """A stop is a red job with a page that says why; a star in the options stays a star."""
    (machine.folder / "a.toml").write_text("", encoding="utf-8")
    code, log = run_job(machine, "check", app="*.toml")
    assert code == 1
    assert "*.toml" in log
    make_table("Waitlist-prod", [{"pk": {"S": "x"}}])
    code, _ = run_job(machine, "plan")
    assert code == 3
    assert "Do not approve this plan" in machine.text("dataware-report.html")
