"""What a line tells a person to type, and a deployment as CDK would make it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from support.assemblies import assembly
from support.cli import Ran, run
from support.worlds import client, stacks


def follow(text: str, command: str, *answers: str) -> Ran:
    """Type the first command of dataware in a text that begins so, exactly as it is printed.

    `answers` are options that stand for what a person would answer.
    """
    return run(*_printed(text, f"dataware {command}")[1:], *answers)


def _printed(text: str, command: str) -> list[str]:
    found = re.search(rf"`({re.escape(command)} [^`]+)`", text)
    assert found, f"no `{command} …` in: {text}"
    return shlex.split(found[1])


def deploy(stack: str, **resources: Any) -> None:
    """Create or update a stack as `cdk deploy --import-existing-resources` does, and wait."""
    cloudformation = client("cloudformation")
    exists = stack in stacks()
    names = {"StackName": stack, "ChangeSetName": f"deployed-{uuid4().hex}"}
    cloudformation.create_change_set(
        **names,
        ChangeSetType="UPDATE" if exists else "CREATE",
        ImportExistingResources=True,
        TemplateBody=json.dumps({"Resources": resources}),
    )
    wait = {"WaiterConfig": {"Delay": 1}}
    cloudformation.get_waiter("change_set_create_complete").wait(**names, **wait)
    cloudformation.execute_change_set(**names)
    waiter = "stack_update_complete" if exists else "stack_create_complete"
    cloudformation.get_waiter(waiter).wait(StackName=stack, **wait)


def owner(table: str) -> str | None:
    """The stack that has a table or bucket; None if none has."""
    try:
        found = client("cloudformation").describe_stack_resources(PhysicalResourceId=table)
    except ClientError:
        return None
    return next((str(one["StackName"]) for one in found["StackResources"]), None)


def dataware_deploy(*options: str, **resources: Any) -> Ran:
    """`dataware deploy` of an app of one stack, and then what CDK would do for it."""
    assembly(Path("prepared"), App=resources)
    ran = run("deploy", "--yes", *options)
    if ran.code == 0:
        deploy("App", **resources)
    return ran


def stopped(ran: Ran, rule: int) -> str:
    """The line of a stop."""
    assert ran.code == 3, ran
    return next(line for line in ran.lines if f"(rule {rule})" in line)
