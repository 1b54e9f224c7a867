"""`dataware doctor` as people and scripts meet it: on a good day, and on every bad one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataware.aws import ClientSettings
from dataware.cli.doctor import subject as shared
from dataware.cli.doctor.finding import Finding, fine
from dataware.cli.doctor.run import CHECKS, DoctorCheck, findings
from dataware.cli.doctor.subject import DoctorSubject, LazyValue
from dataware.cli.settings import AwsOptions
from dataware.core.errors import LookupFailedError
from dataware.embedded import EmbeddedAws
from dataware.ops.inputs import cdk_app
from dataware.report import Format
from support.cli import KEYED_BY_PK, TABLE, Ran, bucket_app, run, toml_resource, write_toml
from support.people import sign_in, without
from support.processes import await_file, gone
from support.worlds import client, make_bucket, make_table, varied_items

NAMES = [check.name for check in CHECKS]
SIMULATING = {
    "Effect": "Allow",
    "Action": ["iam:SimulatePrincipalPolicy"],
    "Resource": ["*"],
}


@pytest.fixture(autouse=True)
def an_empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own."""
    monkeypatch.chdir(tmp_path)


def found(ran: Ran) -> dict[str, list[dict[str, Any]]]:
    """The findings of a run with --format json, by check."""
    by_check: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    for told in ran.events:
        if told["code"].startswith("check-"):
            by_check[told["data"]["check"]].append(told)
    return by_check


def doctor(*arguments: object) -> tuple[Ran, dict[str, list[dict[str, Any]]]]:
    """Run doctor as a script would."""
    ran = run("doctor", *arguments, "--format", "json")
    return ran, found(ran)


def test_on_a_good_day_everything_is_told_in_order_and_nothing_stands_in_the_way(
    aws_server: EmbeddedAws,
) -> None:
    """Every check says something, and the last line sums up."""
    del aws_server
    make_bucket("old-one")
    app = bucket_app(Path("dataware.toml"), "new-one", "old-one")
    ran = run("doctor", app)
    assert ran.code == 0, ran
    told = [line.split(" ", 1)[1].strip().partition(":")[0] for line in ran.lines[:-1]]
    assert list(dict.fromkeys(told)) == [name for name in NAMES if name != "source-profile"]
    assert ran.lines[-1].startswith("✅ All checks passed")
    assert "1 resource opts in: new-one" in ran.out
    assert run("doctor", app, "--plain").lines[0].startswith("ok: python: ")


def test_it_changes_nothing(aws_server: EmbeddedAws, clean_environment: Path) -> None:
    """Neither the account nor this machine is any different afterwards."""
    del aws_server
    make_table("old-one", varied_items(3))
    app = write_toml(
        Path("dataware.toml"), toml_resource(TABLE, "new-one", "old-one", properties=KEYED_BY_PK)
    )
    before = run("plan", app).out
    files = sorted(clean_environment.rglob("*.journal"))
    run("doctor", app)
    assert run("plan", app).out == before
    assert sorted(clean_environment.rglob("*.journal")) == files == []


@pytest.fixture
def least(auth_server: EmbeddedAws) -> Iterator[dict[str, Any]]:
    """The policy that `iam-policy` prints for a table and a bucket, under enforced IAM."""
    del auth_server
    make_table("old-table", varied_items(3))
    make_bucket("old-bucket")
    app = write_toml(
        Path("dataware.toml"),
        toml_resource(TABLE, "new-table", "old-table", properties=KEYED_BY_PK),
        toml_resource("AWS::S3::Bucket", "new-bucket", "old-bucket"),
    )
    yield json.loads(run("iam-policy", app).out)


def asking(policy: dict[str, Any]) -> dict[str, Any]:
    """The policy with the right to ask IAM."""
    return {**policy, "Statement": [*policy["Statement"], SIMULATING]}


def test_the_printed_policy_lacks_nothing(
    least: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `iam-policy` prints is exactly what doctor asks for."""
    sign_in(monkeypatch, asking(least), "whole")
    ran, checks = doctor()
    assert ran.code == 0, ran
    assert [told["code"] for told in checks["permissions"]] == ["check-passed", "check-note"]


@pytest.fixture
def two_readers(
    least: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[str], None]:
    """Makes the users of both sides, each with what `iam-policy` prints for it.

    The one that reads the sources, by the profile `partner`, lacks the action that is named.
    """
    del least

    def make(lacking: str) -> None:
        target, source = (
            asking(json.loads(run("iam-policy", "--side", side).out))
            for side in ("target", "source")
        )
        with monkeypatch.context() as theirs:
            sign_in(theirs, without(source, lacking), "reader")
            keys = [os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")]
        config = tmp_path / "config"
        config.write_text(
            "[profile partner]\nregion = us-east-1\n"
            f"aws_access_key_id = {keys[0]}\naws_secret_access_key = {keys[1]}\n",
            encoding="utf-8",
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        sign_in(monkeypatch, target, "writer")

    return make


def test_the_profile_of_the_sources_is_checked_beside_the_caller(
    two_readers: Callable[[str], None],
) -> None:
    """Each side has what its half of the policy prints, and nothing is missing."""
    two_readers("nothing:AtAll")
    ran, checks = doctor("--source-profile", "partner")
    assert ran.code == 0, ran
    (reads,) = checks["source-profile"]
    assert reads["data"]["found"].startswith("profile partner reads the sources: account ")
    assert "user/reader" in reads["data"]["found"]
    found = [told["text"] for told in checks["permissions"] if told["code"] == "check-passed"]
    assert [text.rpartition("/")[2] for text in found] == ["writer", "reader"]


def test_what_the_profile_of_the_sources_lacks_is_named_with_its_user(
    two_readers: Callable[[str], None],
) -> None:
    """The caller has what it needs."""
    two_readers("dynamodb:Scan")
    ran, checks = doctor("--source-profile", "partner")
    assert ran.code == 1
    (failed,) = [
        told for some in checks.values() for told in some if told["code"] == "check-failed"
    ]
    assert failed["data"]["found"].startswith("dynamodb:Scan on ")
    assert failed["data"]["do"].endswith("user/reader")


def test_a_profile_of_the_sources_that_is_unknown_is_a_failure(
    least: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for every command that takes the option."""
    sign_in(monkeypatch, asking(least), "whole")
    ran, checks = doctor("--source-profile", "nobody")
    assert ran.code == 1
    assert "nobody" in failures(checks)["source-profile"]


MISSING = [
    ("dynamodb:Scan", "table/old-table"),
    ("dynamodb:PutItem", "table/new-table"),
    ("s3:PutObject", "arn:aws:s3:::new-bucket/*"),
    ("s3:ListBucket", "arn:aws:s3:::old-bucket"),
    ("ssm:PutParameter", "parameter/dataware/"),
    ("cloudformation:CreateStack", "stack/dataware-holding-"),
    ("s3:ListAllMyBuckets", "*"),
]


@pytest.mark.parametrize(("action", "resource"), MISSING)
def test_the_one_missing_permission_is_named_under_enforced_iam(
    action: str, resource: str, least: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one and no other, with the resource that it is missing on; exit 1."""
    sign_in(monkeypatch, asking(without(least, action)), "lacking")
    ran, checks = doctor()
    assert ran.code == 1, ran
    (failed,) = [told for told in checks["permissions"] if told["code"] == "check-failed"]
    assert failed["data"]["found"].startswith(f"{action} on ")
    assert resource in failed["data"]["found"]
    assert "user/lacking" in failed["data"]["do"]
    everywhere = [told for some in checks.values() for told in some]
    assert [told for told in everywhere if told["code"] == "check-failed"] == [failed]


@pytest.mark.parametrize("action", ["s3:GetBucketWebsite", "s3:GetBucketVersioning"])
@pytest.mark.parametrize("asks_iam", [True, False], ids=["simulated", "tried"])
def test_what_only_informs_makes_no_run_fail(
    action: str, asks_iam: bool, least: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An action on which no decision rests is a warning of doctor and of plan, and exit 0."""
    policy = without(least, action)
    sign_in(monkeypatch, asking(policy) if asks_iam else policy, "nearly")
    ran, checks = doctor()
    assert ran.code == 0, ran
    told = [told for some in checks.values() for told in some]
    assert [one for one in told if one["code"] == "check-failed"] == []
    doubts = [one["text"] for one in checks["permissions"] if one["code"] == "check-warning"]
    assert any(action in text for text in doubts), doubts
    planned = run("plan", "dataware.toml")
    assert planned.code == 0, planned
    assert action in planned.out
    assert "is assumed empty" not in planned.out


def test_a_session_of_a_role_is_asked_for_by_its_role(
    least: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """IAM knows no sessions: the policies are those of the role.

    The emulator's simulation finds no role below a path; `tests/aws/test_simulate.py` has one.
    """
    iam = client("iam")
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    role = iam.create_role(RoleName="Mover", AssumeRolePolicyDocument=trust)["Role"]
    lacking = asking(without(least, "s3:PutObject"))
    lacking["Statement"].append({**SIMULATING, "Action": ["iam:GetRole"]})
    iam.put_role_policy(RoleName="Mover", PolicyName="only", PolicyDocument=json.dumps(lacking))
    keys = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])
    ran, checks = doctor()
    assert ran.code == 1, ran
    assert "assumed-role/Mover/me" in checks["credentials"][0]["text"]
    failed = [told for told in checks["permissions"] if told["code"] == "check-failed"]
    assert [told["data"]["found"].split()[0] for told in failed] == ["s3:PutObject"]
    assert failed[0]["data"]["do"].endswith("role/Mover")


def test_who_may_not_ask_iam_gets_the_missing_read_named(
    least: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Harmless reads are made instead, and it is said that writes were not checked."""
    sign_in(monkeypatch, without(least, "dynamodb:Scan"), "reader")
    ran, checks = doctor()
    assert ran.code == 1
    denied, unchecked = checks["permissions"]
    assert denied["data"]["found"].startswith("dynamodb:Scan on ")
    assert unchecked["code"] == "check-warning"
    assert "write permissions were not checked" in unchecked["text"]
    assert "iam:SimulatePrincipalPolicy" in unchecked["text"]


def test_who_may_not_ask_iam_and_can_read_is_not_stopped(
    least: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not checked is a warning, not a failure."""
    sign_in(monkeypatch, least, "careful")
    ran, checks = doctor()
    assert ran.code == 0, ran
    assert [told["code"] for told in checks["permissions"]] == ["check-passed", "check-warning"]


@pytest.mark.parametrize(
    "error", [LookupFailedError("no answer within 20 s"), RuntimeError("a fault")]
)
def test_what_could_not_be_looked_into_is_no_success(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Without any failure nobody knows whether a run would pass, so doctor does not say so."""

    def silent(_subject: DoctorSubject) -> list[Finding]:
        raise error

    fine_one = DoctorCheck("python", lambda _subject: [fine("3.11")])
    checks = (fine_one, DoctorCheck("endpoints", silent), DoctorCheck("credentials", silent))
    monkeypatch.setattr("dataware.cli.doctor.run.CHECKS", checks)
    ran = run("doctor", "--region", "eu-west-1")
    assert ran.code == 1
    assert "All checks passed" not in ran.out
    assert "2 checks could not be made, so a run may fail" in ran.err


def failures(checks: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """The failed checks with their first line; each says what to do."""
    failed = {
        name: told
        for name, some in checks.items()
        for told in some
        if told["code"] == "check-failed"
    }
    assert all(told["data"]["do"] for told in failed.values())
    return {name: told["text"] for name, told in failed.items()}


def test_without_a_region_there_is_one_failure() -> None:
    """What rests on it is not checked, and not called a failure of its own."""
    ran, checks = doctor()
    assert ran.code == 1
    assert failures(checks).keys() == {"region"}


def test_without_credentials_there_is_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says where to get some; endpoints are looked at all the same."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    ran, checks = doctor("--region", "eu-west-1")
    assert ran.code == 1
    assert failures(checks).keys() == {"credentials", "endpoints"}
    assert "no usable AWS credentials" in failures(checks)["credentials"]


def test_a_region_that_nobody_knows_is_told_with_the_nearest(
    aws_server: EmbeddedAws,
) -> None:
    """A slip in the region is found before a name that does not resolve."""
    del aws_server
    _, checks = doctor("--region", "eu-centrl-1")
    (told,) = checks["region"]
    assert told["code"] == "check-warning"
    assert "did you mean eu-central-1?" in told["text"]


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some credentials and a region."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")


@pytest.mark.usefixtures("keys")
def test_without_a_network_it_ends_soon_with_a_line_for_each_problem() -> None:
    """A refused connection: credentials and endpoints fail, once each, without a traceback."""
    started = time.monotonic()
    ran, checks = doctor("--endpoint-url", "http://127.0.0.1:9")
    assert time.monotonic() - started < 60
    assert ran.code == 1
    assert failures(checks).keys() == {"credentials", "endpoints"}
    assert "127.0.0.1:9" in failures(checks)["endpoints"]
    assert "Traceback" not in ran.out + ran.err


@pytest.mark.usefixtures("keys")
def test_a_network_that_swallows_everything_is_waited_for_in_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that never answers does not hold doctor up for longer than its bounds."""
    quick = ClientSettings(first_attempts=1, attempts=1, connect_seconds=1.0, read_seconds=1.0)
    monkeypatch.setattr(shared, "QUICK", quick)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        started = time.monotonic()
        ran, checks = doctor("--endpoint-url", f"http://127.0.0.1:{port}")
    assert time.monotonic() - started < 60
    assert ran.code == 1
    assert "credentials" in failures(checks)


def test_an_app_that_does_not_load_is_told(aws_server: EmbeddedAws) -> None:
    """The sentence is that of `plan`, and permissions are not guessed."""
    del aws_server
    Path("broken.toml").write_text("[[resource]]\n", "utf-8")
    ran, checks = doctor("broken.toml")
    assert ran.code == 1
    assert "type is missing" in failures(checks)["app"]
    assert "does not load" in checks["permissions"][0]["text"]


def test_an_app_for_another_account_is_told(aws_server: EmbeddedAws) -> None:
    """A stack that is meant for where no credentials lead fails in `plan`, so it fails here."""
    del aws_server
    out = Path("cdk.out")
    out.mkdir()
    template = {
        "Resources": {
            "B": {
                "Type": "AWS::S3::Bucket",
                "Metadata": {"Dataware": {"Fallback": ["old-one"]}},
                "Properties": {"BucketName": "new-one"},
            }
        }
    }
    (out / "t.json").write_text(json.dumps(template), "utf-8")
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-west-1",
        "properties": {"templateFile": "t.json"},
    }
    manifest = {"version": "48.0.0", "artifacts": {"S": stack}}
    (out / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    ran, checks = doctor(out)
    assert ran.code == 1
    assert "is meant for account 111122223333" in failures(checks)["app"]


def test_an_app_that_never_ends_is_ended(
    aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app of cdk.json may take its time, but not for ever; nothing of it is left running."""
    del aws_server

    class Begun(subprocess.Popen[str]):
        def communicate(self, *given: Any, **named: Any) -> tuple[str, str]:
            """Let the time of the app begin when it runs."""
            await_file(Path("pid"))
            return super().communicate(*given, **named)

    monkeypatch.setattr(cdk_app.subprocess, "Popen", Begun)
    monkeypatch.setattr(shared, "APP_SECONDS", 1.0)
    Path("app.py").write_text(
        "import os, pathlib, time\npathlib.Path('part').write_text(str(os.getpid()))\n"
        "os.rename('part', 'pid')\ntime.sleep(600)\n",
        "utf-8",
    )
    Path("cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py; true"}), "utf-8")
    ran, checks = doctor()
    assert ran.code == 1
    assert "did not end within 1 s" in failures(checks)["app"]
    assert gone(int(Path("pid").read_text("utf-8"))), "the app still runs"


def test_a_journal_that_cannot_be_written_is_told(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where the folder should be makes every copy fail."""
    del aws_server
    (tmp_path / "state").write_text("a file", "utf-8")
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
    ran, checks = doctor()
    assert ran.code == 1
    assert failures(checks).keys() == {"state"}


def somebody() -> DoctorSubject:
    """What is checked, without anything special."""
    return DoctorSubject(AwsOptions(None, None, None, Format.TEXT, plain=True, debug=False))


def test_a_check_that_hangs_or_breaks_does_not_keep_the_others() -> None:
    """Each ends in its own time, and says so in its own line."""

    def hang(_subject: DoctorSubject) -> Iterator[Any]:
        time.sleep(600)
        yield

    def fail(_subject: DoctorSubject) -> Iterator[Any]:
        yield 1 / 0

    checks = [DoctorCheck("hangs", hang, 0.2), DoctorCheck("breaks", fail), CHECKS[0]]
    told = list(findings(checks, somebody()))
    assert [name for name, _ in told] == ["hangs", "breaks", "python"]
    assert "no answer within" in told[0][1].text
    assert "ZeroDivisionError" in told[1][1].text


def test_a_look_up_is_made_once() -> None:
    """Several checks share one answer, and one error."""
    asked: list[int] = []
    once = LazyValue(lambda: asked.append(1), 5.0)
    once.get()
    once.get()
    assert asked == [1]
    failing: LazyValue[None] = LazyValue(lambda: (_ for _ in ()).throw(LookupFailedError("x")), 5.0)
    for _ in range(2):
        with pytest.raises(LookupFailedError, match="x"):
            failing.get()


def test_every_check_is_explained() -> None:
    """docs/cli.md has a row for each check."""
    page = (Path(__file__).parents[3] / "docs/cli.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in page] == []
