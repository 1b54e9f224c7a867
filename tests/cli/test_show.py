"""`dataware show`: a saved plan in every format, without AWS and without credentials."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from dataware.core.destructive_change import DestructiveChange
from dataware.core.model import Action, Existence, Problem, Setting
from dataware.core.plan import Plan
from dataware.ops.inputs.files import save_plan
from dataware.ops.saved_plan import read_saved_plan
from dataware.report import Format
from dataware.report.summary import plan_summary, shown_plan
from support.cli import run
from support.plans import migration, one, plan_of, threat, warned


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on a machine without network, credentials and a home."""

    def refuse(*_arguments: object) -> None:
        raise AssertionError("something was asked over the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_plan(*losses: DestructiveChange) -> Plan:
    """A plan with a copy, a warning and a stop."""
    return plan_of(
        migration(), warned(), one(Action.STOP, "bad"), warnings=("look twice",), guard=losses
    )


def test_text_tells_decisions_warnings_and_the_sum(offline: Path) -> None:
    """A person reads the lines that `plan` showed, and when and for which account it was made."""
    save_plan(make_plan(), offline / "plan.json")
    ran = run("show", "plan.json", "--plain")
    assert (ran.code, ran.err) == (0, "")
    assert "Plan of 2026-11-24T18:00:00+00:00 for account 111122223333, eu-central-1" in ran.out
    assert "Waitlist → Waitlist-prod" in ran.out
    assert "twin has a twin" in ran.out
    assert "look twice" in ran.out
    assert "Plan: 1 stopped, 1 to copy, 2 need your attention." in ran.out


@pytest.mark.parametrize(("form", "first"), [("markdown", "##"), ("html", "<!doctype html>")])
def test_documents_are_all_that_is_written(offline: Path, form: str, first: str) -> None:
    """Standard output is the document, to be kept as it is."""
    save_plan(make_plan(threat()), offline / "plan.json")
    ran = run("show", "plan.json", "--format", form)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(first)
    assert "orders" in ran.out
    assert "Waitlist-prod" in ran.out


def test_json_ends_with_the_plan_that_was_shown(offline: Path) -> None:
    """The event of a shown plan is that of the plan when it was made, losses included."""
    plan = make_plan(threat())
    save_plan(plan, offline / "plan.json")
    events = run("show", "plan.json", "--format", "json").events
    shown = next(each for each in events if each["code"] == "plan")["data"]
    made = plan_summary(plan, lambda _type: "item").data
    assert shown["plan"] == made["plan"]
    assert (shown["text"].split("(")[0], shown["attention"]) == (
        str(made["text"]).split("(")[0],
        made["attention"],
    )


def test_what_was_seen_is_shown_whole(tmp_path: Path) -> None:
    """Settings and unanswered questions stand in the file for people, and are not lost."""
    planned = migration()
    seen = replace(
        planned.fallbacks[0],
        existence=Existence.EXISTS,
        settings={"encryption": Setting(1, "KMS key")},
        problems=(Problem("Scan", "AccessDenied"),),
    )
    plan = plan_of(replace(planned, fallbacks=(seen,)))
    save_plan(plan, tmp_path / "plan.json")
    assert read_saved_plan(tmp_path / "plan.json").shown == shown_plan(plan)


@pytest.mark.parametrize("form", Format)
def test_a_damaged_plan_is_told_in_one_sentence(offline: Path, form: str) -> None:
    """What only people read is checked as well before it is shown."""
    save_plan(make_plan(threat()), offline / "plan.json")
    data = json.loads((offline / "plan.json").read_text(encoding="utf-8"))
    data["guard"][0]["reason"] = {"no": "text"}
    (offline / "plan.json").write_text(json.dumps(data), encoding="utf-8")
    ran = run("show", "plan.json", "--format", form)
    assert ran.code == 1
    assert "guard 1, reason is not as dataware writes it" in (ran.err or ran.out)


def test_planning_a_plan_names_the_command_that_shows_it(offline: Path) -> None:
    """A saved plan is no app, and is not taken for a template."""
    save_plan(make_plan(), offline / "plan.json")
    ran = run("plan", "plan.json")
    assert ran.code == 1
    assert "plan.json is a saved plan: run `dataware show plan.json`" in ran.err


def test_an_app_is_no_plan(offline: Path) -> None:
    """What is shown has to be a plan, and a sentence says how to make one."""
    (offline / "app.json").write_text("{}", encoding="utf-8")
    assert "dataware plan --out FILE" in run("show", "app.json").err
