"""What `dataware deploy` does not hand to CDK: options under which it would not deploy for good.

A deployment adopts what exists by a change set that is executed. Whatever deploys in another way,
deploys nothing, or goes on after an error is refused, with the reason. So is an option about which
nobody has decided, since a newer CDK may deploy by it in a way that loses data.
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

COMBINED = frozenset(
    {
        *("app", "build", "context", "profile", "region", "output", "method", "execute"),
        *("all", "exclusively", "import-existing-resources", "parameters", "previous-parameters"),
        *("revert-drift", "ignore-no-stacks"),
    }
)
"""The options that dataware reads itself, and heeds in what it looks at, plans and hands on."""

HANDED_ON = frozenset(
    {
        *("plugin", "trace", "strict", "lookups", "verbose", "debug", "debug-app", "debug-cli"),
        *("proxy", "ca-bundle-path", "ec2creds", "version-reporting", "path-metadata"),
        *("asset-metadata", "role-arn", "staging", "notices", "no-color", "color", "ci"),
        *("unstable", "telemetry-file", "yes", "build-exclude", "require-approval", "tags"),
        *("notification-arns", "rollback-trigger-alarm-arns", "monitoring-time-minutes"),
        *("change-set-name", "force", "outputs-file", "toolkit-stack-name", "progress", "rollback"),
        *("R", "logs", "concurrency", "asset-parallelism", "asset-build-concurrency"),
        *("asset-prebuild", "validation", "quiet"),
        *(f"hotswap-ecs-{name}-healthy-percent" for name in ("minimum", "maximum")),
        "hotswap-ecs-stabilization-timeout-seconds",
    }
)
"""The options that change how CDK deploys, but neither what happens to data nor whether."""


def check_arguments(arguments: CdkArguments, options: OptionTable, project: CdkSettings) -> None:
    """Refuse what would keep CDK from adopting, or the app from being run. Raises InputError."""
    method = arguments.text("method")
    if method is not None and method != CHANGE_SET:
        why = METHODS.get(method, "is not known to dataware")
        raise InputError(f"--method={method} {why}; leave the option out")
    for name, why in SWITCHES.items():
        if name in options and arguments.is_set(name):
            raise InputError(f"--{name} {why}; leave the option out")
    for name in undecided_options(options):
        if arguments.value(name) is not None:
            raise InputError(
                f"dataware does not know what --{name} of this CDK does to data; leave the option "
                "out, or update dataware"
            )
    if arguments.value("execute") is False:
        why = METHODS["prepare-change-set"]
        raise InputError(f"--no-execute {why}; leave the option out")
    if arguments.value(IMPORTING[2:]) is False:
        raise InputError(f"without {IMPORTING} CDK adopts nothing; leave the option out")
    if project.assembly is not None:
        raise InputError(
            f"--app {project.app} is a cloud assembly, synthesized before its data was checked: "
            "name the command of the app instead"
        )


def undecided_options(options: OptionTable) -> list[str]:
    """The options of a command line that are neither handed on, nor combined, nor refused."""
    names = {one.name for one in options.spellings.values()}
    return sorted(names - COMBINED - HANDED_ON - SWITCHES.keys())


def check_same(option: str, ours: str | None, cdks: str | None) -> str | None:
    """The one value of an option that both command lines take. Raises InputError for two."""
    if ours is not None and cdks is not None and ours != cdks:
        raise InputError(
            f"{option} is {ours} for dataware and {cdks} for CDK, so what is checked would not "
            "be what is deployed: give it once"
        )
    return ours or cdks
