"""Secrets are copied by the command line with ids and labels, and no value is ever seen."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataware.aws import Account
from support.cli import Ran, run
from support.dynamo import account
from support.servers import Fault, FaultProxy, Forward, Reply, Seen, json_error

OLD, NEW = "app/key", "app/key-prod"
PAIR = (f"secret://{OLD}", f"secret://{NEW}")
PLANTED = ("PLANTED-first", "PLANTED-second", "PLANTED-third", "PLANTED-binary", "PLANTED-own")
IDS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(5))
APPEARANCES = (("--format", "text"), ("--format", "json"), ("--debug",))


@pytest.fixture
def aws(
    fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """A secret of four versions: an own label, a binary one, the previous and the current one."""
    monkeypatch.chdir(tmp_path)
    there = account()
    manager = there.client("secretsmanager")
    manager.create_secret(
        Name=OLD, Description="of the app", Tags=[{"Key": "team", "Value": "space"}]
    )
    for id_, value, labels in (
        (IDS[0], {"SecretString": PLANTED[0]}, ["first"]),
        (IDS[1], {"SecretBinary": PLANTED[3].encode() + b"\xff\x00"}, ["binary"]),
        (IDS[2], {"SecretString": PLANTED[1]}, ["AWSCURRENT", "second"]),
        (IDS[3], {"SecretString": PLANTED[2]}, ["AWSCURRENT"]),
    ):
        manager.put_secret_value(
            SecretId=OLD, ClientRequestToken=id_, VersionStages=labels, **value
        )
    manager.update_secret_version_stage(SecretId=OLD, VersionStage="second", MoveToVersionId=IDS[2])
    fault_proxy.clear()
    yield there
    fault_proxy.clear()


def versions(aws: Account, name: str) -> dict[str, tuple[list[str], Any]]:
    """Every labelled version with its labels and its value."""
    manager = aws.client("secretsmanager")
    found = {}
    for row in manager.list_secret_version_ids(SecretId=name)["Versions"]:
        if row["VersionStages"]:
            value = manager.get_secret_value(SecretId=name, VersionId=row["VersionId"])
            held = value.get("SecretString", value.get("SecretBinary"))
            found[row["VersionId"]] = (sorted(row["VersionStages"]), held)
    return found


def require_no_value(aws: Account, *ended: Ran) -> None:
    """Fail if a planted value stands in an output, in any file of the run, or in a record."""
    for one in ended:
        for value in PLANTED:
            assert value not in one.out + one.err
    places = {Path.home(), Path.cwd(), Path(os.environ.get("XDG_STATE_HOME", Path.home()))}
    for place in places:
        for file in place.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert not any(value.encode() in content for value in PLANTED), file
    for page in aws.client("ssm").get_paginator("describe_parameters").paginate():
        for row in page["Parameters"]:
            text = json.dumps(
                aws.client("ssm").get_parameter(Name=row["Name"], WithDecryption=True), default=str
            )
            assert not any(value in text for value in PLANTED), row["Name"]


def test_versions_and_labels_are_kept_and_no_value_is_seen(
    aws: Account, fault_proxy: FaultProxy
) -> None:
    """Into a secret that the copy makes; a second run writes nothing, and both sides verify."""
    ended = run("migrate", *PAIR, "--format", "json")
    assert ended.code == 0, ended.out
    assert versions(aws, NEW) == versions(aws, OLD)
    made = aws.client("secretsmanager").describe_secret(SecretId=NEW)
    assert (made["Description"], made["Tags"]) == (
        "of the app",
        [{"Key": "team", "Value": "space"}],
    )
    fault_proxy.clear()
    again = run("migrate", *PAIR)
    assert again.code == 0, again.err
    written = {"CreateSecret", "PutSecretValue", "UpdateSecretVersionStage", "RestoreSecret"}
    assert not written & {seen.operation for seen in fault_proxy.seen}
    verified = run("verify", *PAIR, "--format", "json")
    assert verified.code == 0
    assert "4 versions" in verified.out
    require_no_value(aws, ended, again, verified)


def test_no_value_is_seen_where_both_sides_differ(aws: Account) -> None:
    """A comparison names versions by their ids, and a copy never writes over another value."""
    manager = aws.client("secretsmanager")
    manager.create_secret(Name=NEW)
    manager.put_secret_value(
        SecretId=NEW, ClientRequestToken=IDS[0], SecretString=PLANTED[4], VersionStages=["first"]
    )
    ended = [run("migrate", *PAIR, "--debug")]
    assert ended[0].code == 4
    assert versions(aws, NEW)[IDS[0]][1] == PLANTED[4]
    for appearance in APPEARANCES:
        found = run("verify", *PAIR, *appearance)
        assert found.code == 2
        assert IDS[0] in found.out + found.err
        ended.append(found)
    require_no_value(aws, *ended, run("report"))


@pytest.mark.parametrize("policy", [(), ("--on-conflict", "stop"), ("--on-conflict", "target")])
def test_a_version_that_somebody_made_current_stays_current(
    aws: Account, policy: tuple[str, ...]
) -> None:
    """Nothing is written at all, and the sentence names ids and labels alone."""
    aws.client("secretsmanager").create_secret(Name=NEW, SecretString=PLANTED[4])
    before = versions(aws, NEW)
    ended = run("migrate", *PAIR, *policy, "--debug")
    assert ended.code == (3 if "stop" in policy else 4 if not policy else ended.code)
    after = aws.client("secretsmanager").get_secret_value(SecretId=NEW)
    assert after["SecretString"] == PLANTED[4]
    if not policy or "stop" in policy:
        assert versions(aws, NEW) == before
        assert "AWSCURRENT" in ended.out + ended.err
    require_no_value(aws, ended)


@pytest.mark.parametrize(("policy", "code"), [((), 4), (("--on-conflict", "source"), 0)])
def test_a_version_that_somebody_has_gone_back_to_stays_current(
    aws: Account, policy: tuple[str, ...], code: int
) -> None:
    """Both versions are copied ones; which of them the app uses is the target's own."""
    assert run("migrate", *PAIR).code == 0
    manager = aws.client("secretsmanager")
    manager.update_secret_version_stage(
        SecretId=NEW, VersionStage="AWSCURRENT", MoveToVersionId=IDS[2], RemoveFromVersionId=IDS[3]
    )
    ended = run("migrate", *PAIR, *policy)
    assert ended.code == code, ended.out
    current = manager.get_secret_value(SecretId=NEW)["VersionId"]
    assert current == (IDS[3] if policy else IDS[2])
    require_no_value(aws, ended)


def test_the_source_wins_where_that_is_asked_for(aws: Account) -> None:
    """The version that was current stays, under the label that the service gives it."""
    aws.client("secretsmanager").create_secret(Name=NEW, SecretString=PLANTED[4])
    ended = run("migrate", *PAIR, "--on-conflict", "source")
    assert ended.code == 0, ended.err
    copied = versions(aws, NEW)
    assert {id_: copied[id_] for id_ in IDS[:4]} == versions(aws, OLD)
    require_no_value(aws, ended)


def repeat_body(code: str, status: int = 400) -> Fault:
    """A refusal that repeats what was sent, as services do in their messages."""

    def fault(seen: Seen, forward: Forward) -> Reply:
        message = f"Value '{seen.body.decode()}' failed to satisfy constraint; {PLANTED}"
        return json_error(code, status, message)(seen, forward)

    return fault


def garble(seen: Seen, forward: Forward) -> Reply:
    """An answer that is no JSON, with the value in it."""
    return Reply.of(200, forward(seen).body[:-1] + b"garbled")


FAILURES: dict[str, tuple[str, Fault]] = {
    "denied read": ("GetSecretValue", repeat_body("AccessDeniedException")),
    "lost key": ("GetSecretValue", repeat_body("DecryptionFailure")),
    "garbled value": ("GetSecretValue", garble),
    "denied write": ("PutSecretValue", repeat_body("AccessDeniedException")),
    "refused value": ("PutSecretValue", repeat_body("ValidationException")),
    "denied creation": ("CreateSecret", repeat_body("AccessDeniedException")),
    "denied labels": ("UpdateSecretVersionStage", repeat_body("AccessDeniedException")),
    "denied listing": ("ListSecretVersionIds", repeat_body("AccessDeniedException")),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_failure_shows_a_value_and_the_same_command_goes_on(
    aws: Account, fault_proxy: FaultProxy, failure: str
) -> None:
    """Whatever the service says of what it was sent, nothing of it is passed on."""
    operation, fault = FAILURES[failure]
    if failure == "denied labels":
        make_label_wrong(aws)
    fault_proxy.add(fault, operation=operation)
    ended = run("migrate", *PAIR, "--debug")
    assert ended.code in {1, 4}, ended.err
    assert operation in ended.out + ended.err
    fault_proxy.clear()
    require_no_value(aws, ended)
    again = run("migrate", *PAIR, "--debug")
    assert again.code == 0, again.err
    copied = versions(aws, NEW)
    assert {id_: copied[id_] for id_ in IDS[:4]} == versions(aws, OLD)
    require_no_value(aws, again)


def make_label_wrong(aws: Account) -> None:
    """Let a label of the target stand on another version of the source."""
    assert run("migrate", *PAIR).code == 0
    aws.client("secretsmanager").update_secret_version_stage(
        SecretId=NEW, VersionStage="first", MoveToVersionId=IDS[1], RemoveFromVersionId=IDS[0]
    )


def test_a_secret_that_is_marked_for_deletion_is_a_stop(aws: Account) -> None:
    """It can be restored, which only a person decides; nothing is written."""
    manager = aws.client("secretsmanager")
    manager.create_secret(Name=NEW, SecretString=PLANTED[4])
    manager.delete_secret(SecretId=NEW)
    ended = run("migrate", *PAIR)
    assert ended.code == 3
    assert "marked for deletion" in ended.err
    assert "restore-secret" in ended.err
    require_no_value(aws, ended)


@pytest.mark.parametrize("saved", [False, True])
def test_a_fallback_that_waits_for_its_deletion_is_restored_where_that_is_allowed(
    aws: Account, tmp_path: Path, saved: bool
) -> None:
    """The plan says how; with the option it is taken back, copied, and not marked any more."""
    app = tmp_path / "dataware.toml"
    resource = f'type = "AWS::SecretsManager::Secret"\npreferred = "{NEW}"\nfallback = "{OLD}"'
    app.write_text(
        f"[[resource]]\n{resource}\n[resource.properties]\nGenerateSecretString = {{}}\n"
    )
    manager = aws.client("secretsmanager")
    manager.delete_secret(SecretId=OLD)
    stopped = run("apply", app, "--yes")
    assert stopped.code == 3, stopped
    assert "--restore-secrets" in stopped.out + stopped.err
    assert "DeletedDate" in manager.describe_secret(SecretId=OLD)
    if saved:
        file = tmp_path / "plan.json"
        planned = run("plan", app, "--restore-secrets", "--out", file)
        assert f"{OLD}: its deletion is cancelled first" in planned.out, planned
        assert "DeletedDate" in manager.describe_secret(SecretId=OLD)
        ran = run("apply", file)
    else:
        ran = run("apply", app, "--yes", "--restore-secrets")
    assert ran.code == 0, ran
    assert f"Cancelled the deletion of secret {OLD}" in ran.out
    assert "DeletedDate" not in manager.describe_secret(SecretId=OLD)
    assert versions(aws, NEW) == versions(aws, OLD)
    require_no_value(aws, ran)


def test_a_plan_copies_into_a_secret_that_its_template_makes_also_if_it_was_cut_off(
    aws: Account, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """The generated value that a creation begins with is none that somebody has set."""
    app = tmp_path / "dataware.toml"
    app.write_text(
        f"""[[resource]]
type = "AWS::SecretsManager::Secret"
preferred = "{NEW}"
fallback = "{OLD}"

[resource.properties]
GenerateSecretString = {{}}
""",
        encoding="utf-8",
    )
    fault_proxy.add(repeat_body("ValidationException"), operation="PutSecretValue")
    cut_off = run("apply", app, "--yes")
    assert cut_off.code == 4, cut_off.err
    assert len(versions(aws, NEW)) == 1
    fault_proxy.clear()
    applied = run("apply", app, "--yes")
    assert applied.code == 0, applied.err
    copied = versions(aws, NEW)
    assert {id_: copied[id_] for id_ in IDS[:4]} == versions(aws, OLD)
    current = aws.client("secretsmanager").get_secret_value(SecretId=NEW)
    assert current["SecretString"] == PLANTED[2]
    require_no_value(aws, cut_off, applied)
