"""Names that several resources may have: what is not seen gets no empty twin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.cli import run, saved, toml_resource, write_toml
from support.worlds import client, make_stack, retained

POOL = "AWS::Cognito::UserPool"
DECLARED: dict[str, Any] = {
    **retained(POOL, UserPoolName="clients"),
    "Metadata": {"Dataware": {"Fallback": ["clients-old"]}},
}


@pytest.fixture(autouse=True)
def an_empty_place(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty AWS, and a folder of its own."""
    monkeypatch.chdir(tmp_path)


def make_pool(name: str, *users: str) -> str:
    """A pool that belongs to no stack; answers with its id."""
    idp = client("cognito-idp")
    pool: str = idp.create_user_pool(PoolName=name)["UserPool"]["Id"]
    for user in users:
        idp.admin_create_user(UserPoolId=pool, Username=user)
    return pool


def plan(stack: str) -> dict[str, Any]:
    """The decision on the declared pool, for one stack."""
    Path("app.json").write_text(json.dumps({"Resources": {"Pool": DECLARED}}))
    run("plan", "app.json", "--stack", stack, "--out", "plan.json")
    (one,) = saved(Path("plan.json"))["resources"]
    return dict(one)


def test_of_two_pools_of_a_name_a_stack_keeps_its_own() -> None:
    """Also while another one of that name holds users; for any other stack both are in doubt."""
    make_stack("Auth", Pool=DECLARED)
    others = make_pool("clients", "ada")
    assert (plan("Auth")["action"], plan("Auth")["rule"]) == ("keep", 6)
    other = plan("Other")
    assert (other["action"], other["rule"]) == ("stop", 14)
    assert others in other["reason"]
    assert "a second, empty user pool" in other["reason"]


def test_a_pool_that_is_not_seen_gets_no_twin() -> None:
    """Nothing would fail: a second pool of that name is created, and the app is pointed at it."""
    pools = [make_pool("clients", "ada"), make_pool("clients")]
    app = write_toml(Path("dataware.toml"), toml_resource(POOL, "clients"))
    ran = run("apply", app)
    assert ran.code == 3, ran
    assert all(pool in ran.out for pool in pools)
    by_id = write_toml(Path("dataware.toml"), toml_resource(POOL, pools[0]))
    assert run("plan", by_id).code == 0
    accepted = run("plan", write_toml(app, toml_resource(POOL, "clients")), "--on-error", "no-data")
    assert accepted.code == 0
    assert "is assumed empty" in accepted.out
