"""The command line copies a user pool in part: with consent, named so, without a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataware.kinds.cognito_user_pool import NOT_CARRIED
from support.cli import run
from support.dynamo import account
from support.servers import FaultProxy

PAIR = ("cognito://users", "cognito://users-prod")
PLANTED = "PLANTED@example.com"


def test_a_copy_needs_consent_is_partial_and_shows_no_attribute(
    fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan, the refusal, the outcome, the record and the report all say what is left out."""
    monkeypatch.chdir(tmp_path)
    idp = account().client("cognito-idp")
    old, new = (
        idp.create_user_pool(PoolName=name)["UserPool"]["Id"] for name in ("users", "users-prod")
    )
    for number in range(5):
        rows = [{"Name": "email", "Value": f"{number}{PLANTED}"}]
        idp.admin_create_user(UserPoolId=old, Username=f"u{number}", UserAttributes=rows)
    app = tmp_path / "dataware.toml"
    app.write_text(
        '[[resource]]\ntype = "AWS::Cognito::UserPool"\npreferred = "users-prod"\n'
        'fallback = "users"\n',
        encoding="utf-8",
    )
    planned = run("plan", app)
    refused = run("migrate", *PAIR)
    assert idp.list_users(UserPoolId=new)["Users"] == []
    fault_proxy.clear()
    done = run("migrate", *PAIR, "--allow-partial", "--format", "json")
    assert {
        seen.json()["MessageAction"]
        for seen in fault_proxy.seen
        if seen.operation == "AdminCreateUser"
    } == {"SUPPRESS"}
    again = run("migrate", *PAIR, "--allow-partial")
    status, report = run("status", "--format", "json"), run("report")
    verified = run("verify", *PAIR)
    assert [one.code for one in (planned, refused, done, again, verified)] == [3, 3, 0, 0, 0]
    for one in (planned, refused, again):
        text = " ".join((one.out + one.err).split())
        assert all(word in text for word in NOT_CARRIED), text
    assert f"dataware migrate {' '.join(PAIR)} --allow-partial" in " ".join(planned.out.split())
    assert "accept that with --allow-partial" in " ".join(refused.err.split())
    (ended,) = [one for one in done.events if one["code"] == "migrated-partly"]
    assert ended["data"]["not_carried"] == list(NOT_CARRIED)
    assert "migrated" not in {one["code"] for one in done.events}
    assert "1 copied in part and verified (5 items)" in again.out
    (state,) = [one for one in status.events if one["code"] == "migration-status"]
    state = state["data"]
    assert (state["state"], state["not_carried"]) == ("partial", list(NOT_CARRIED))
    pages = [file.read_text("utf-8") for file in tmp_path.rglob("*.html")]
    assert pages
    assert all("users-prod is a partial copy, without passwords" in page for page in pages)
    shown = [one.out + one.err for one in (planned, refused, done, again, status, report, verified)]
    for place in (Path.home(), tmp_path):
        files = (file for file in place.rglob("*") if file.is_file())
        shown += [file.read_text("utf-8", "replace") for file in files]
    assert not any(PLANTED in text for text in shown)
