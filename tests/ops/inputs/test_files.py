"""Plan files and the lock file."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from dataware.core.errors import InputError
from dataware.core.model import Action, Decision, Wanted, absent
from dataware.core.plan import Plan, Planned
from dataware.ops.inputs.files import (
    check_writable,
    is_plan,
    read_environments,
    read_plan,
    save_lock,
    save_plan,
)


def a_plan(region: str = "eu-west-1") -> Plan:
    """A plan of one bucket that has to be created."""
    wanted = Wanted("Demo/Uploads", "AWS::S3::Bucket", "new-name", ("old-name",))
    decision = Decision(Action.CREATE, 5, "nothing is there")
    planned = Planned(wanted, absent("new-name"), (absent("old-name"),), decision)
    return Plan("111122223333", region, "2026-01-01T00:00:00+00:00", (planned,))


def plan_of_one(name: str, stack: str) -> Plan:
    """A plan of one bucket that a stack declares."""
    plan = a_plan()
    wanted = replace(plan.resources[0].wanted, preferred=name, stack=stack, logical_id="Uploads")
    return replace(plan, resources=(replace(plan.resources[0], wanted=wanted),))


def locked_names(path: Path) -> list[str]:
    """The preferred names that a lock file of one environment knows."""
    (entries,) = json.loads(path.read_text())["environments"].values()
    return [key.split()[-1] for key in entries]


def test_a_saved_plan_is_read_back(tmp_path: Path) -> None:
    """What `plan --out` writes, `apply` recognises and reads."""
    path = tmp_path / "plan.json"
    save_plan(a_plan(), path)
    assert is_plan(path)
    assert read_plan(path) == a_plan()
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def test_templates_are_no_plans(tmp_path: Path) -> None:
    """A template, a broken file and a missing one are left to the readers of apps."""
    for text in ('{"Resources": {}}', "{", "[]"):
        (tmp_path / "x.json").write_text(text)
        assert not is_plan(tmp_path / "x.json")
    assert not is_plan(tmp_path / "missing.json")


def test_a_damaged_plan_is_named(tmp_path: Path) -> None:
    """The sentence about a plan of another version begins with the file."""
    path = tmp_path / "plan.json"
    path.write_text('{"version": 99, "resources": []}')
    assert is_plan(path)
    with pytest.raises(InputError, match=r"plan\.json: this is not a dataware plan of version 1"):
        read_plan(path)


def test_the_lock_keeps_other_regions(tmp_path: Path) -> None:
    """Each account and region has its own entries, and a second run writes the same bytes."""
    path = tmp_path / "dataware.lock.json"
    save_lock(a_plan("eu-west-1"), path)
    save_lock(a_plan("us-east-1"), path)
    before = path.read_bytes()
    save_lock(a_plan("us-east-1"), path)
    environments = json.loads(before)["environments"]
    assert list(environments) == ["111122223333/eu-west-1", "111122223333/us-east-1"]
    assert path.read_bytes() == before


def test_stacks_and_stages_stand_side_by_side(tmp_path: Path) -> None:
    """A run for one stack, or one stage, keeps the decisions of every other one."""
    path = tmp_path / "dataware.lock.json"
    for name, stack in (("a-prod", "App"), ("a-staging", "App"), ("b-prod", "Other")):
        save_lock(plan_of_one(name, stack), path)
    assert locked_names(path) == ["a-prod", "a-staging", "b-prod"]


def test_stale_entries_are_named_and_removed_on_request(tmp_path: Path) -> None:
    """What a planned stack no longer declares is told; other stacks are never pruned."""
    path = tmp_path / "dataware.lock.json"
    for name, stack in (("a-prod", "App"), ("a-staging", "App"), ("b-prod", "Other")):
        save_lock(plan_of_one(name, stack), path)
    stale = save_lock(plan_of_one("a-prod", "App"), path)
    assert [key.split()[-1] for key in stale] == ["a-staging"]
    assert locked_names(path) == ["a-prod", "a-staging", "b-prod"]
    assert save_lock(plan_of_one("a-prod", "App"), path, prune=True) == stale
    assert locked_names(path) == ["a-prod", "b-prod"]


def test_a_stack_that_declares_nothing_any_more_has_stale_entries(tmp_path: Path) -> None:
    """The app knows the stack, although no resource of it opts in."""
    path = tmp_path / "dataware.lock.json"
    save_lock(plan_of_one("b-prod", "Other"), path)
    stale = save_lock(plan_of_one("a-prod", "App"), path, stacks=["App", "Other"], prune=True)
    assert len(stale) == 1
    assert locked_names(path) == ["a-prod"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A missing folder is a sentence and not a traceback."""
    with pytest.raises(InputError, match=r"missing/plan\.json cannot be written: No such file"):
        save_plan(a_plan(), tmp_path / "missing" / "plan.json")


@pytest.mark.skipif(os.name != "posix", reason="POSIX has pipes among its files")
def test_devices_and_pipes_are_written_to_and_never_replaced(tmp_path: Path) -> None:
    """To put a file in the place of /dev/null or /dev/stdout would break the machine."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    check_writable(path)
    save_plan(a_plan(), path)
    assert json.loads(os.read(reader, 100_000))["version"] == 1
    os.close(reader)
    assert path.is_fifo()


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    """Who shares a lock file by a link wants the file behind it changed."""
    (tmp_path / "there").mkdir()
    link, file = tmp_path / "plan.json", tmp_path / "there" / "plan.json"
    link.symlink_to(file)
    check_writable(link)
    save_plan(a_plan(), link)
    assert link.is_symlink()
    assert read_plan(file) == a_plan()


def test_a_dash_is_no_file() -> None:
    """No file of that name is made by who means standard output."""
    with pytest.raises(InputError, match="- is not a file"):
        check_writable(Path("-"))


def test_a_foreign_lock_file_is_left_alone(tmp_path: Path) -> None:
    """A lock file of another version is not overwritten."""
    path = tmp_path / "dataware.lock.json"
    path.write_text('{"version": 7}')
    with pytest.raises(InputError, match="not a lock file of version 1"):
        save_lock(a_plan(), path)
    assert path.read_text() == '{"version": 7}'


@pytest.mark.skipif(os.name != "posix", reason="POSIX has a umask")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o027, 0o640)])
def test_the_umask_says_who_may_read_what_is_written(tmp_path: Path, umask: int, mode: int) -> None:
    """Also where an earlier file was open to more."""
    path = tmp_path / "plan.json"
    for _ in range(2):
        before = os.umask(umask)
        try:
            save_plan(a_plan(), path)
        finally:
            os.umask(before)
        assert path.stat().st_mode & 0o777 == mode
        path.chmod(0o666)
    assert [each.name for each in tmp_path.iterdir()] == ["plan.json"]


def test_one_table_has_one_entry_whatever_type_declares_it(tmp_path: Path) -> None:
    """An app that changes to a global table leaves no decision behind under the other type."""
    path = tmp_path / "dataware.lock.json"
    plan = plan_of_one("orders", "App")
    for cfn_type in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        wanted = replace(plan.resources[0].wanted, type=cfn_type)
        save_lock(replace(plan, resources=(replace(plan.resources[0], wanted=wanted),)), path)
    (entries,) = json.loads(path.read_text())["environments"].values()
    assert list(entries) == ["AWS::DynamoDB::GlobalTable orders"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n", "conflict markers of a merge"),
        ("", "is empty"),
        ("{", "not valid JSON"),
        ("[]", "not a lock file of version 1"),
        ('{"version": 2}', "not a lock file of version 1"),
        ('{"version": 1}', "is damaged"),
        ('{"version": 1, "environments": []}', "is damaged"),
        ('{"version": 1, "environments": {"1/here": []}}', "is damaged"),
    ],
)
def test_a_lock_file_that_cannot_be_kept_is_told_and_stays(
    tmp_path: Path, text: str, says: str
) -> None:
    """It is asked about before anything is done, and nobody's decisions are written over."""
    path = tmp_path / "dataware.lock.json"
    path.write_text(text)
    for use in (lambda: read_environments(path), lambda: save_lock(a_plan(), path)):
        with pytest.raises(InputError, match=says):
            use()
    assert path.read_text() == text


def test_without_a_lock_file_there_is_nothing(tmp_path: Path) -> None:
    """A byte order mark, which some editors write, is no damage."""
    path = tmp_path / "dataware.lock.json"
    assert read_environments(path) == {}
    path.write_text('{"version": 1, "environments": {"1/here": {}}}', encoding="utf-8-sig")
    assert read_environments(path) == {"1/here": {}}
