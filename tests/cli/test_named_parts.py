"""Nothing found is no success where a person named it: empty prefixes, stars, other keys."""

from __future__ import annotations

import pytest

from dataware.embedded import EmbeddedAws
from support.cli import run
from support.worlds import client, make_bucket, objects_of

OBJECTS = [{"Key": f"2024/{n}.jpg", "Body": b"x"} for n in range(3)]


@pytest.fixture(autouse=True)
def buckets(aws_server: EmbeddedAws) -> None:
    """An old bucket with three objects under one prefix, and a new one."""
    make_bucket("pre-old", OBJECTS)
    make_bucket("pre-new")
    make_bucket("empty-one")


@pytest.mark.parametrize("command", ["migrate", "verify"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("s3://pre-old/2042/", "no key of the S3 bucket pre-old begins with 2042/"),
        ("s3://pre-old/2024/*", "leave the * out: s3://pre-old/2024/"),
        ("s3://pre-old/2024/?.jpg", "leave the ? out: s3://pre-old/2024/"),
        ("s3://pre-old/*.jpg", "leave the * out: s3://pre-old/"),
        ("s3://pre-old/2024/**/x", "leave the ** out: s3://pre-old/2024/"),
        ("s3://pre-old/2024/[01].jpg", "leave the [01] out: s3://pre-old/2024/"),
        ("s3://pre-old/2024/{0,1}.jpg", "leave the {0,1} out: s3://pre-old/2024/"),
        ("s3://pre-old//2024/", "few keys begin with /, so leave it out: s3://pre-old/2024/"),
        ("s3://pre-old/20%32%34/", "without escapes: s3://pre-old/2024/"),
        ("s3://empty-one/2024/", "no key of the S3 bucket empty-one begins with 2024/"),
    ],
)
def test_a_named_part_that_holds_nothing_is_an_error(command: str, source: str, said: str) -> None:
    """Exit 1, with what to write instead, and nothing is called migrated or verified."""
    ran = run(command, source, "s3://pre-new/2024/")
    assert ran.code == 1, ran
    assert said in ran.err
    assert "✅" not in ran.out
    assert run("status").lines == [
        "✅ Nothing to do: no migration is recorded in account 000000000000, us-east-1"
    ]


def test_a_transport_that_is_not_to_be_had_ends_before_anything_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No record is begun, so that it is an error (1) and nothing to be resumed (4)."""
    monkeypatch.setenv("DATAWARE_TRANSPORT", "pigeons")
    ran = run("migrate", "s3://pre-old", "s3://pre-new")
    assert ran.code == 1, ran
    assert "DATAWARE_TRANSPORT is 'pigeons'" in ran.err
    monkeypatch.delenv("DATAWARE_TRANSPORT")
    assert "no migration is recorded" in run("status").out


def test_a_star_in_a_key_is_a_star() -> None:
    """A prefix is text, so keys with a star can be copied."""
    client("s3").put_object(Bucket="pre-old", Key="odd/*/1", Body=b"x")
    assert run("migrate", "s3://pre-old/odd/*", "s3://pre-new/odd/*").code == 0
    assert list(objects_of("pre-new")) == ["odd/*/1"]


def test_versions_make_a_part_that_holds_something() -> None:
    """Where every version is meant, deleted objects count."""
    client("s3").put_bucket_versioning(
        Bucket="pre-old", VersioningConfiguration={"Status": "Enabled"}
    )
    client("s3").put_object(Bucket="pre-old", Key="gone/1", Body=b"x")
    client("s3").delete_object(Bucket="pre-old", Key="gone/1")
    assert run("verify", "s3://pre-old/gone/", "s3://pre-new/gone/").code == 1
    ran = run("verify", "s3://pre-old/gone/", "s3://pre-new/gone/", "--versions", "all")
    assert ran.code == 2


def test_places_that_do_not_exist_are_an_error() -> None:
    """For every command and kind, by name."""
    for command in ("migrate", "verify"):
        for scheme in ("s3", "dynamodb"):
            ran = run(command, f"{scheme}://no-such-one", f"{scheme}://no-such-two")
            assert ran.code == 1, ran
            assert "no-such-one" in ran.err
            assert "✅" not in ran.out


def test_an_empty_bucket_as_a_whole_is_told_as_empty() -> None:
    """It is no failure, and it is not called migrated."""
    ran = run("migrate", "s3://empty-one", "s3://pre-new")
    assert ran.code == 0
    assert "Successfully migrated" not in ran.out
    assert "empty-one is empty" in ran.out


@pytest.mark.parametrize(
    ("source", "target", "becomes"),
    [
        ("s3://pre-old/2024", "s3://pre-new/archive/", "2024/NAME becomes archive//NAME"),
        ("s3://pre-old/2024/", "s3://pre-new/archive", "2024/NAME becomes archiveNAME"),
        ("s3://pre-old", "s3://pre-new/archive", "NAME becomes archiveNAME"),
    ],
)
def test_prefixes_of_which_one_ends_with_a_slash_are_a_warning(
    source: str, target: str, becomes: str
) -> None:
    """The copy does what was typed, and says what that is."""
    ran = run("migrate", source, target)
    assert ran.code == 0
    assert f"⚠️  only one of {source} and {target} ends with /" in ran.out
    assert becomes in ran.out
    assert "ends with /" in run("verify", source, target).out
    assert "ends with /" not in run("verify", "s3://pre-old/2024/", "s3://pre-new/archive//").out


def test_a_difference_below_another_prefix_is_told_by_the_key_of_the_target() -> None:
    """The line says "in" the target, so its key is one that the target has, or would have."""
    new = client("s3")
    new.put_object(Bucket="pre-new", Key="in/1.jpg", Body=b"another")
    new.put_object(Bucket="pre-new", Key="in/more.jpg", Body=b"x")
    new.put_object(Bucket="pre-new", Key="in/2.jpg", Body=b"x")
    ran = run("verify", "s3://pre-old/2024/", "s3://pre-new/in/")
    assert ran.code == 2
    told = [line for line in ran.lines if " in s3://" in line]
    assert told == [
        "❌ different in s3://pre-new: in/1.jpg",
        "❌ extra in s3://pre-new: in/more.jpg",
        "❌ missing in s3://pre-new: in/0.jpg",
    ]


def test_tables_with_other_keys_are_a_difference() -> None:
    """Exit 2 with the sentence of `migrate`, and no item is looked up."""
    dynamodb = client("dynamodb")
    for name, kind in (("Plan-old", "N"), ("Plan-new", "S")):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "sid", "AttributeType": kind}],
            KeySchema=[{"AttributeName": "sid", "KeyType": "HASH"}],
        )
    dynamodb.put_item(TableName="Plan-old", Item={"sid": {"N": "1"}})
    ran = run("verify", "dynamodb://Plan-old", "dynamodb://Plan-new")
    assert ran.code == 2
    assert "Plan-old has the key schema sid (N), but Plan-new has sid (S)" in ran.err
