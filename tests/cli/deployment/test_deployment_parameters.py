"""What the words behind `--` say of a deployment: its parameters, and what becomes of a failure."""

from __future__ import annotations

import pytest

from dataware.cli.deployment.cdk_options import parse_cdk_arguments, read_option_table
from dataware.cli.deployment.plan import given_parameters
from support.assemblies import HELP

TABLE = read_option_table(HELP.read_text())


@pytest.mark.parametrize(
    ("words", "environ", "rolls_back"),
    [
        ([], {}, True),
        (["--no-rollback"], {}, False),
        (["-R"], {}, False),
        (["--rollback"], {"CDK_ROLLBACK": "false"}, True),
        ([], {"CDK_ROLLBACK": "false"}, False),
    ],
)
def test_whether_cdk_rolls_a_failed_stack_back(
    words: list[str], environ: dict[str, str], rolls_back: bool
) -> None:
    """It does unless it is told otherwise, in any of its ways."""
    arguments = parse_cdk_arguments(words, TABLE, environ)
    assert given_parameters(arguments).rolls_back is rolls_back
