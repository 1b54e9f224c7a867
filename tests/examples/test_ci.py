"""The examples for CI can be copied as they are: they parse, and their steps do what they say."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from dataware.cli.commands import dataware
from dataware.embedded import EmbeddedAws
from support.ci_machine import CiMachine
from support.cli import table_app
from support.worlds import client, items_of, make_table

CI = Path(__file__).resolve().parent.parent.parent / "examples/ci"
GITHUB = yaml.safe_load((CI / "github/dataware.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((CI / "gitlab/.gitlab-ci.yml").read_text(encoding="utf-8"))
STEPS = [(job, step) for job, what in GITHUB["jobs"].items() for step in what["steps"]]
RUNS = {f"github {job}: {step['name']}": step["run"] for job, step in STEPS if "run" in step}
LINES = {
    f"gitlab {job} {part} {number}": text
    for job in (".dataware", "dataware-plan", "dataware-apply")
    for part in ("before_script", "script", "after_script")
    for number, text in enumerate(GITLAB[job].get(part, ()))
}
SCRIPTS = {**RUNS, **LINES}
OTHER_KEY: Mapping[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
COMMAND = re.compile(r"^\s*(?:if .*; then )?(dataware [a-z].*)$", re.MULTILINE)
BEHIND = {">", ">>", "2>", "2>&1", "|", "||", ";"}


@pytest.fixture
def machine(aws_server: EmbeddedAws, tmp_path: Path) -> CiMachine:
    """A machine of CI with an app whose data is still under the older name."""
    make_table("Waitlist", ({"pk": {"S": str(n)}} for n in range(9)))
    table_app(tmp_path / "dataware.toml", "Waitlist-prod", "Waitlist")
    return CiMachine(tmp_path)


def step(job: str, name: str) -> str:
    """The script of a step on GitHub."""
    return str(RUNS[f"github {job}: {name}"])


def script(job: str) -> str:
    """The whole script of a job on GitLab."""
    return "\n".join(GITLAB[job]["script"])


# ---- what they look like


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_every_script_is_one_that_bash_reads(text: str) -> None:
    """A step has no mistake that bash sees before it runs it."""
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def commands() -> list[list[str]]:
    """The command lines of dataware in all scripts, without what the shell does with them."""
    found = []
    for text in SCRIPTS.values():
        for line in COMMAND.findall(text):
            words = shlex.split(line.removesuffix("; fi"))[1:]
            end = next((at for at, word in enumerate(words) if word in BEHIND), len(words))
            found.append(words[:end])
    return found


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_every_command_line_parses(arguments: list[str]) -> None:
    """A command of an example is one that can be typed."""
    with click.Context(dataware, info_name="dataware") as context:
        name, command, rest = dataware.resolve_command(context, arguments)
        assert command is not None
        command.make_context(name, rest, parent=context)


def test_there_are_commands_to_check() -> None:
    """Both examples plan, apply, deploy and keep the report."""
    assert sorted(arguments[0] for arguments in commands()) == [
        *("apply", "apply", "deploy", "deploy", "plan", "plan", "plan", "plan", "report", "report")
    ]


def test_no_job_has_more_permissions_than_it_names() -> None:
    """Nothing is allowed by default, and only the comment may be written."""
    assert GITHUB["permissions"] == {}
    allowed = {job: what["permissions"] for job, what in GITHUB["jobs"].items()}
    writes = {
        (job, name)
        for job, names in allowed.items()
        for name, how in names.items()
        if how == "write"
    }
    assert writes == {("plan", "id-token"), ("plan", "pull-requests"), ("apply", "id-token")}


def test_actions_are_pinned_by_their_major_version() -> None:
    """No action is taken from a branch."""
    used = [step["uses"] for _, step in STEPS if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v[0-9]+", one) for one in used), used


def test_no_script_has_an_expression_in_it() -> None:
    """What comes from a pull request reaches a script as a variable, never as a part of it."""
    assert all("${{" not in text for text in RUNS.values())


def test_a_fork_has_no_plan_and_applies_are_never_interrupted() -> None:
    """Forks are left out by a condition; applies queue up."""
    plan, apply = GITHUB["jobs"]["plan"], GITHUB["jobs"]["apply"]
    assert "head.repo.full_name == github.repository" in plan["if"]
    assert apply["concurrency"]["cancel-in-progress"] is False
    assert "CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in str(GITLAB["dataware-plan"])
    assert GITLAB["dataware-apply"]["interruptible"] is False
    assert GITLAB["dataware-apply"]["resource_group"]


def test_variables_of_the_examples_are_explained() -> None:
    """docs/ci.md names each variable that somebody has to set."""
    texts = [path.read_text(encoding="utf-8") for path in CI.rglob("*.yml")]
    names = {name for text in texts for name in re.findall(r"\b(?:DATAWARE|AWS)_[A-Z_]+\b", text)}
    page = (CI.parent.parent / "docs/ci.md").read_text(encoding="utf-8")
    assert {name for name in names if f"`{name}`" not in page} == set()


# ---- what GitHub runs


def test_a_plan_that_changes_something_is_a_comment_and_passes(machine: CiMachine) -> None:
    """Exit 2: the plan is saved, in the summary and in the outputs, and the job is green."""
    assert machine.run(step("plan", "Plan")).returncode == 0
    assert machine.output() == {"code": "2"}
    assert machine.text("plan.md").startswith("## 🔄 dataware: 1 to copy\n")
    assert machine.text("github_step_summary") == machine.text("plan.md")
    assert json.loads(machine.text("plan.json"))["resources"][0]["action"] == "migrate"
    assert machine.run(step("plan", "Verdict"), CODE="2").returncode == 0


def test_a_stop_is_a_comment_and_fails(machine: CiMachine) -> None:
    """Exit 3: the document is there as well, and the job is red."""
    make_table("Waitlist-prod", **OTHER_KEY)
    assert machine.run(step("plan", "Plan")).returncode == 0
    assert machine.output() == {"code": "3"}
    assert machine.text("plan.md").startswith("## ❌ dataware: 1 stop")
    verdict = machine.run(step("plan", "Verdict"), CODE="3")
    assert verdict.returncode == 3
    assert verdict.stdout.startswith("::error title=dataware::")


def test_a_plan_that_cannot_be_made_says_why(machine: CiMachine) -> None:
    """Exit 1: the comment holds the sentence, as code, and the job is red."""
    (machine.folder / "dataware.toml").write_text("```\n@everyone")
    assert machine.run(step("plan", "Plan")).returncode == 0
    assert machine.output() == {"code": "1"}
    heading, empty, reason = machine.text("plan.md").splitlines()
    assert (heading, empty) == ("## ❌ dataware: no plan", "")
    assert reason.startswith("    ❌ dataware.toml")
    assert machine.run(step("plan", "Verdict"), CODE="1").returncode == 1


def test_the_comment_is_made_once_and_then_replaced(machine: CiMachine) -> None:
    """Without a comment of ours one is posted, with one it is changed."""
    (machine.folder / "plan.md").write_text("## plan\n")
    assert machine.run(step("plan", "Comment"), NUMBER="7").returncode == 0
    assert machine.asked[-1].startswith("api --method POST repos/we/app/issues/7/comments ")
    assert machine.text("comment.md") == "<!-- dataware plan -->\n## plan\n"
    machine.answers(("--paginate", "41\n42"))
    assert machine.run(step("plan", "Comment"), NUMBER="7").returncode == 0
    assert machine.asked[-1].startswith("api --method PATCH repos/we/app/issues/comments/42 ")


def found(machine: CiMachine, event: str) -> Mapping[str, str]:
    """The outputs of looking for the plan."""
    done = machine.run(
        step("apply", "Find the plan"),
        GITHUB_EVENT_NAME=event,
        GITHUB_RUN_ID="99",
        GITHUB_SHA="abc",
    )
    assert done.returncode == 0, done.stderr
    return machine.output()


def test_a_merge_finds_the_plan_of_its_pull_request(machine: CiMachine) -> None:
    """The commit leads to the pull request, its head to the run, the run to the plan."""
    machine.answers(
        ("commits/abc/pulls", "def"), ("head_sha=def", "5"), ("run download 5", '{"version": 1}')
    )
    assert found(machine, "push") == {"plan": "reviewed/plan.json"}
    assert machine.text("reviewed/plan.json") == '{"version": 1}'


@pytest.mark.parametrize(
    "answers",
    [
        [("commits/abc/pulls", "")],
        [("commits/abc/pulls", "def"), ("head_sha=def", "")],
        [("commits/abc/pulls", "def"), ("head_sha=def", "5"), ("run download", None)],
    ],
    ids=["no pull request", "no plan", "the plan has expired"],
)
def test_without_a_reviewed_plan_there_is_none(
    machine: CiMachine, answers: list[tuple[str, str | None]]
) -> None:
    """What cannot be found is not made up."""
    machine.answers(*answers)
    assert found(machine, "push") == {"plan": ""}


def test_by_hand_the_plan_of_the_same_run_is_taken(machine: CiMachine) -> None:
    """Whoever approves has seen the plan that this very run made."""
    machine.answers(("run download 99", "{}"))
    assert found(machine, "workflow_dispatch") == {"plan": "reviewed/plan.json"}


def test_a_change_that_nobody_reviewed_is_refused(machine: CiMachine) -> None:
    """A push without a plan fails while there is something to do, and changes nothing."""
    name = "Without a reviewed plan, nothing may change"
    done = machine.run(step("apply", name))
    assert done.returncode == 2
    assert "nobody has reviewed a plan" in done.stdout
    assert "1 to copy" in machine.text("github_step_summary")
    make_table("Waitlist-prod", [{"pk": {"S": "1"}}])
    doubtful = machine.run(step("apply", name))
    assert doubtful.returncode == 3, "two data sets are a stop where nobody has looked"
    client("dynamodb").delete_table(TableName="Waitlist")
    assert machine.run(step("apply", name)).returncode == 0


def test_the_reviewed_plan_is_applied_and_may_be_applied_again(machine: CiMachine) -> None:
    """The plan of the pull request is carried out on merge; a second run has nothing to do."""
    machine.run(step("plan", "Plan"))
    for last in ("Verified 9 items", "Nothing to copy"):
        done = machine.run(step("apply", "Apply"), PLAN="plan.json")
        assert done.returncode == 0, done.stdout
        assert last in done.stdout
    assert items_of("Waitlist-prod") == items_of("Waitlist")
    assert "### dataware apply: exit code 0" in machine.text("github_step_summary")


def test_a_stale_plan_is_refused(machine: CiMachine) -> None:
    """Exit 3 with the fact that has changed, and what to do about it; nothing is touched."""
    machine.run(step("plan", "Plan"))
    make_table("Waitlist-prod", [{"pk": {"S": "mine"}}])
    done = machine.run(step("apply", "Apply"), PLAN="plan.json")
    assert done.returncode == 3
    assert "Waitlist-prod exists was no and is yes" in done.stdout
    assert "run the workflow by hand to plan anew" in done.stdout
    assert list(items_of("Waitlist-prod")) == ['{"S": "mine"}']


# ---- what GitLab runs

AT_GITLAB = {"CI_API_V4_URL": "https://gl/api", "CI_PROJECT_ID": "3", "DATAWARE_TOKEN": "t"}


def test_gitlab_plans_and_notes(machine: CiMachine) -> None:
    """The note is made once and then replaced; the job is green though something would change."""
    machine.answers(("per_page=100", "[]"))
    done = machine.run(script("dataware-plan"), CI_MERGE_REQUEST_IID="7", **AT_GITLAB)
    assert done.returncode == 0, done.stderr
    assert "--request POST --data-urlencode body@note.md" in machine.asked[-1]
    assert machine.text("note.md").startswith("<!-- dataware plan -->\n## 🔄 dataware")
    notes: list[Any] = [{"id": 1, "body": "hi"}, {"id": 8, "body": "<!-- dataware plan -->\nx"}]
    machine.answers(("per_page=100", json.dumps(notes)))
    assert (
        machine.run(script("dataware-plan"), CI_MERGE_REQUEST_IID="7", **AT_GITLAB).returncode == 0
    )
    assert machine.asked[-1].endswith("merge_requests/7/notes/8")


def test_gitlab_fails_at_a_stop_without_a_token(machine: CiMachine) -> None:
    """Without the token there is no note, and the exit code is the plan's."""
    make_table("Waitlist-prod", **OTHER_KEY)
    done = machine.run(script("dataware-plan"), **{**AT_GITLAB, "DATAWARE_TOKEN": ""})
    assert done.returncode == 3
    assert machine.asked == []


def test_gitlab_applies_the_plan_of_the_merge_request(machine: CiMachine) -> None:
    """The commit leads to the merge request, and that to the plan; forks are passed over."""
    machine.run(step("plan", "Plan"))
    plan = machine.text("plan.json")
    (machine.folder / "plan.json").unlink()
    merged = [
        {"iid": 6, "state": "merged", "source_project_id": 4},
        {"iid": 7, "state": "merged", "source_project_id": 3},
    ]
    machine.answers(
        ("commits/abc/merge_requests", json.dumps(merged)),
        ("merge-requests%2F7%2Fhead", None),
        ("merge-requests%2F7%2Fmerge", plan),
    )
    done = machine.run(script("dataware-apply"), CI_COMMIT_SHA="abc", **AT_GITLAB)
    assert done.returncode == 0, done.stdout + done.stderr
    assert items_of("Waitlist-prod") == items_of("Waitlist")


def test_gitlab_refuses_what_nobody_reviewed(machine: CiMachine) -> None:
    """Without a plan of a merge request nothing is changed."""
    machine.answers(("commits/abc/merge_requests", "[]"))
    done = machine.run(script("dataware-apply"), CI_COMMIT_SHA="abc", **AT_GITLAB)
    assert done.returncode == 2
    assert "nobody has reviewed a plan" in done.stdout
