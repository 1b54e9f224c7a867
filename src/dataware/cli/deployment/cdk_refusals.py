"""What `dataware deploy` does not hand to CDK: options under which it would not deploy for good.

A deployment adopts what exists by a change set that is executed. Whatever deploys in another way,
deploys nothing, or goes on after an error is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping

from dataware.cli.deployment.cdk_cli import IMPORTING
from dataware.cli.deployment.cdk_options import CdkArguments, OptionTable
from dataware.core.errors import InputError
from dataware.ops.inputs.cdk_settings import CdkSettings

CHANGE_SET = "change-set"
METHODS: Mapping[str, str] = {
    "direct": "deploys without a change set, and only a change set can adopt existing resources",
    "prepare-change-set": "creates a change set without executing it, so nothing is deployed",
    "execute-change-set": "executes a change set that was made before the data was checked",
}
SWITCHES: Mapping[str, str] = {
    "hotswap": "changes resources past CloudFormation, which then adopts nothing",
    "hotswap-fallback": "changes resources past CloudFormation, which then adopts nothing",
    "watch": "deploys after every change of a file, without checking the data",
    "express": "ends before CloudFormation knows whether what it deployed works",
    "ignore-errors": "deploys in spite of errors, those of a stop rule among them",
    "help": "deploys nothing; run `cdk deploy --help`",
    "version": "deploys nothing; run `cdk --version`",
}


def check_arguments(arguments: CdkArguments, options: OptionTable, project: CdkSettings) -> None:
    """Refuse what would keep CDK from adopting, or the app from being run. Raises InputError."""
    method = arguments.text("method")
    if method is not None and method != CHANGE_SET:
        why = METHODS.get(method, "is not known to dataware")
        raise InputError(f"--method={method} {why}; leave the option out")
    for name, why in SWITCHES.items():
        if name in options and arguments.is_set(name):
            raise InputError(f"--{name} {why}; leave the option out")
    if arguments.value("execute") is False:
        why = METHODS["prepare-change-set"]
        raise InputError(f"--no-execute {why}; leave the option out")
    if arguments.value(IMPORTING[2:]) is False:
        raise InputError(f"without {IMPORTING} CDK adopts nothing; leave the option out")
    if project.assembly is not None:
        raise InputError(
            f"--app {project.app} is a cloud assembly, synthesized before its data was checked, "
            "and dataware deploy runs the app itself: name a command as the app"
        )


def check_same(option: str, ours: str | None, cdks: str | None) -> str | None:
    """The one value of an option that both command lines take. Raises InputError for two."""
    if ours is not None and cdks is not None and ours != cdks:
        raise InputError(
            f"{option} is {ours} for dataware and {cdks} for CDK, so what is checked would not "
            "be what is deployed: give it once"
        )
    return ours or cdks
