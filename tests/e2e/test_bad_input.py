"""Every kind of bad input against a real server: a sentence, exit 1, and nothing is changed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.cli import BUCKET, TABLE, Ran, ended, launch_python, run, table_app, toml_resource
from support.migrations import CHANGING
from support.servers import FaultProxy, answer
from support.worlds import make_bucket, make_table, varied_items, varied_objects

GOOD = toml_resource(BUCKET, "new-one", "old-one")


@dataclass(frozen=True)
class Case:
    """Arguments, the files and variables they meet, and what the sentence has to name."""

    arguments: tuple[str, ...]
    says: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str | None] = field(default_factory=dict)


def toml_case(text: str, *says: str) -> Case:
    """`apply` of a `dataware.toml`."""
    return Case(("apply", "dataware.toml"), says, {"dataware.toml": text})


def template_case(text: str, *says: str, name: str = "template.json") -> Case:
    """`apply` of a template."""
    return Case(("apply", name), says, {name: text})


def in_template(of_type: str, **properties: object) -> str:
    """A template of one resource that opts in."""
    resource = {
        "Type": of_type,
        "Metadata": {"Dataware": {"Fallback": ["old-one"]}},
        "Properties": properties,
    }
    return json.dumps({"Resources": {"Data": resource}})


WITHOUT_KEYS: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
NOWHERE: dict[str, str | None] = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
GOOD_FILE = {"dataware.toml": GOOD}

CASES: dict[str, Case] = {
    "no app": Case(("apply",), ("cdk.json",)),
    "no such toml": Case(("apply", "nope.toml"), ("nope.toml", "does not exist")),
    "no such template": Case(("apply", "nope.yaml"), ("nope.yaml", "does not exist")),
    "no such folder": Case(("apply", "cdk.out"), ("cdk.out", "does not exist")),
    "a folder that is no assembly": Case(("apply", "sub"), ("sub",), {"sub/x.txt": ""}),
    "malformed TOML": toml_case("[[resource]\n", "dataware.toml", "not valid TOML", "line 1"),
    "TOML without resources": toml_case("", "dataware.toml", "empty"),
    "a misspelt field": toml_case(GOOD + 'falback = ["x"]\n', "falback"),
    "malformed JSON": template_case("{", "template.json", "not valid JSON", "line 1"),
    "malformed YAML": template_case("a: [", "x.yaml", "not valid YAML", "line", name="x.yaml"),
    "no template": template_case('{"a": 1}', "template.json", "is not a CloudFormation template"),
    "nothing opts in": template_case('{"Resources": {"A": {"Type": "x"}}}', "no resource opts in"),
    "a name that is not literal": template_case(
        in_template(BUCKET, BucketName={"Ref": "X"}), "Data", "BucketName", "Ref: X"
    ),
    "an unknown type": toml_case(GOOD.replace("S3::Bucket", "S3::Buckte"), "AWS::S3::Buckte"),
    "an unknown type in a template": template_case(in_template("AWS::SQS::Q"), "AWS::SQS::Q"),
    "an invalid bucket name": toml_case(GOOD.replace("new-one", "New_One"), "New_One"),
    "an invalid fallback name": toml_case(
        GOOD.replace("old-one", "a"), "fallback name 'a' is not a valid"
    ),
    "an invalid table name": toml_case(toml_resource(TABLE, "a b"), "a b", "letters, digits"),
    "preferred among the fallbacks": toml_case(toml_resource(BUCKET, "one-b", "one-b"), "one-b"),
    "one name twice": toml_case(GOOD + GOOD, "new-one", "cannot share a name"),
    "a table without its keys": toml_case(toml_resource(TABLE, "new"), "new", "key schema"),
    "no plan": Case(
        ("apply", "p.json"), ("p.json",), {"p.json": '{"version": 7, "resources": []}'}
    ),
    "different kinds": Case(("migrate", "s3://old-one", "dynamodb://old"), ("same kind",)),
    "the same bucket": Case(("migrate", "s3://old-one", "s3://old-one"), ("same place",)),
    "the same table": Case(("verify", "dynamodb://old", "dynamodb://old"), ("same place",)),
    "no such source": Case(("migrate", "dynamodb://nope", "dynamodb://old"), ("nope",)),
    "no such target": Case(("migrate", "s3://old-one", "s3://none-here"), ("none-here",)),
    "an invalid address": Case(("verify", "s3:/x", "s3://old-one"), ("s3:/x",)),
    "a wrong option": Case(("apply", "--frobnicate"), ("--frobnicate", "--help")),
    "no credentials": Case(("apply", "dataware.toml"), ("credentials",), GOOD_FILE, WITHOUT_KEYS),
    "no region": Case(
        ("apply", "dataware.toml"),
        ("region",),
        GOOD_FILE,
        {"AWS_REGION": None, "AWS_DEFAULT_REGION": None},
    ),
    "no such profile": Case(("apply", "dataware.toml", "--profile", "me"), ("me",), GOOD_FILE),
    "unreachable": Case(("apply", "dataware.toml"), ("127.0.0.1:9",), GOOD_FILE, NOWHERE),
    "no address": Case(
        ("apply", "dataware.toml", "--endpoint-url", "nonsense"),
        ("the endpoint does not begin with http", "--endpoint-url"),
        GOOD_FILE,
    ),
}


@pytest.fixture
def place(fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FaultProxy:
    """A folder of its own, and an AWS that holds a table and a bucket."""
    monkeypatch.chdir(tmp_path)
    make_table("old", varied_items(3))
    make_bucket("old-one", varied_objects(3))
    fault_proxy.clear()
    return fault_proxy


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_a_sentence_and_changes_nothing(
    name: str, place: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 1; one line on standard error names the input; no call changes anything."""
    case = CASES[name]
    for file, text in case.files.items():
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_text(text)
    for variable, value in case.environ.items():
        if value is None:
            monkeypatch.delenv(variable)
        else:
            monkeypatch.setenv(variable, value)
    check_sentence(run(*case.arguments), *case.says)
    assert not {seen.operation for seen in place.seen} & CHANGING


def check_sentence(ran: Ran, *says: str) -> None:
    """One line on standard error, with every word that it has to say."""
    assert ran.code == 1, ran
    assert ran.err.startswith("❌ ")
    assert ran.err.count("\n") == 1, ran.err
    assert all(word in ran.err for word in says), ran.err
    assert "Traceback" not in ran.err


EXPIRED_JSON = b'{"__type": "ExpiredTokenException", "message": "expired"}'
EXPIRED_QUERY = b"<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"


@pytest.mark.parametrize("command", ["plan", "apply", "status", "verify"])
def test_expired_credentials_are_told(command: str, place: FaultProxy, tmp_path: Path) -> None:
    """Every service says so in its own way; the sentence says how to renew them."""
    place.add(answer(400, EXPIRED_JSON), when=lambda seen: "x-amz-target" in seen.headers)
    place.add(answer(403, EXPIRED_QUERY), when=lambda seen: "x-amz-target" not in seen.headers)
    table_app(tmp_path / "dataware.toml", "new", "old")
    arguments = {"status": (), "verify": ("dynamodb://old", "dynamodb://new")}
    ran = run(command, *arguments.get(command, ("dataware.toml",)))
    check_sentence(ran, "expired", "renew")


def test_credentials_that_expire_in_the_middle_lose_nothing(place: FaultProxy) -> None:
    """The run ends with a sentence, and with new credentials the same command completes it."""
    app = table_app(Path("dataware.toml"), "new", "old")
    place.add(answer(400, EXPIRED_JSON), operation="BatchWriteItem")
    ran = run("apply", app)
    assert ran.code in {1, 4}, ran
    assert "expired" in (ran.out + ran.err).lower()
    assert "Traceback" not in ran.err
    place.clear()
    again = run("apply", app)
    assert again.code == 0, again
    assert "✅ Verified 3 items" in again.out


def test_the_module_itself_ends_the_same_way(place: FaultProxy) -> None:
    """`python -m dataware.cli` has the exit code and the sentence, and no traceback."""
    check_sentence(ended(launch_python("plan", "nope.toml")), "nope.toml")
    assert place.seen == []
    assert list(Path().iterdir()) == []
