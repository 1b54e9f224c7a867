"""What older versions of aws-cdk-lib lack, said in their own words.

The constructs work from aws-cdk-lib 2.89 on. What needs a newer one says so when it is used.
"""

from __future__ import annotations

from aws_cdk import Annotations, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

KEEPS_BUT_ON_CREATE = hasattr(RemovalPolicy, "RETAIN_ON_UPDATE_OR_DELETE")
"""Whether this aws-cdk-lib (2.113 or newer) knows RetainExceptOnCreate."""

RETAIN = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if KEEPS_BUT_ON_CREATE else RemovalPolicy.RETAIN

PYTHON = lambda_.Runtime("python3.13", lambda_.RuntimeFamily.PYTHON)
"""The runtime by its name, which every version takes."""


def add_warning(construct: IConstruct, id: str, text: str) -> None:
    """Warn on a construct; versions before 2.93 know no ids by which a warning is acknowledged."""
    annotations = Annotations.of(construct)
    if hasattr(annotations, "add_warning_v2"):
        annotations.add_warning_v2(id, text)
    else:
        annotations.add_warning(text)
