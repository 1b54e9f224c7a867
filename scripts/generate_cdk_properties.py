"""Writes what CDK's own constructs take, as they sign it, into two modules of `dataware.cdk`."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_efs as efs
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

PAGE = Path(__file__).resolve().parent.parent / "src" / "dataware" / "cdk" / "properties.py"
BESIDE = PAGE.with_name("database_properties.py")
SORTS: tuple[tuple[str, type, str], ...] = (
    ("BucketProperties", s3.Bucket, "bucket_name"),
    ("TableProperties", dynamodb.Table, "table_name"),
    ("TableV2Properties", dynamodb.TableV2, "table_name"),
    ("RepositoryProperties", ecr.Repository, "repository_name"),
    ("UserPoolProperties", cognito.UserPool, "user_pool_name"),
    ("LogGroupProperties", logs.LogGroup, "log_group_name"),
    ("SecretProperties", secretsmanager.Secret, "secret_name"),
    ("QueueProperties", sqs.Queue, "queue_name"),
    ("StreamProperties", kinesis.Stream, "stream_name"),
    ("KeyProperties", kms.Key, ""),
    ("DomainProperties", opensearch.Domain, "domain_name"),
    ("FileSystemProperties", efs.FileSystem, "file_system_name"),
)
DATABASES: tuple[tuple[str, type, str], ...] = (
    ("DatabaseInstanceProperties", rds.DatabaseInstance, "instance_identifier"),
    ("DatabaseClusterProperties", rds.DatabaseCluster, "cluster_identifier"),
)
HEAD = '''"""The properties of CDK's own constructs, as `**properties` of those in this package.

Written by `scripts/generate_cdk_properties.py` from aws-cdk-lib {version}. A newer version's
properties work as well; only type checkers do not know them yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Required, TypedDict

if TYPE_CHECKING:
    import aws_cdk
    from aws_cdk import (
{imports}
    )
'''


def page(sorts: tuple[tuple[str, type, str], ...] = SORTS) -> str:
    """The module's text."""
    classes = "\n\n".join("\n".join(_class(*sort)) + "\n" for sort in sorts)
    modules = re.findall(r"(?<![.\w])(aws_[a-z0-9_]+|interfaces)\.", classes)
    used = sorted(set(modules) - {"aws_cdk"})
    imports = "\n".join(f"        {name}," for name in used)
    head = HEAD.format(version=version("aws-cdk-lib"), imports=imports)
    return f"{head}\n\n{classes}"


def _class(name: str, construct: type, without: str) -> Iterator[str]:
    hints = typing.get_type_hints(construct.__init__)
    yield f"class {name}(TypedDict, total=False):"
    yield f'    """What `{construct.__module__}.{construct.__name__}` takes, except its name."""\n'
    for word, parameter in sorted(inspect.signature(construct.__init__).parameters.items()):
        if parameter.kind is not parameter.KEYWORD_ONLY or word == without:
            continue
        text = _text(hints[word])
        needed = parameter.default is parameter.empty
        line = f"    {word}: {f'Required[{text}]' if needed else text}"
        yield line if len(line) <= 100 else f"    {word}: (\n        {text}\n    )"


def _text(hint: Any) -> str:
    """A type in the words of the source; jsii takes a mapping for any of its structs."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, UnionType}:
        return " | ".join(_text(one) for one in arguments)
    if origin is not None:
        name = "Mapping" if origin in {dict} or origin.__name__ == "Mapping" else "Sequence"
        return f"{name}[{', '.join(_text(one) for one in arguments)}]"
    if hint is NoneType:
        return "None"
    if hint is Any:
        return "Any"
    module = hint.__module__
    if module == "builtins":
        return str(hint.__name__)
    return f"{module.removeprefix('aws_cdk.')}.{hint.__qualname__}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    BESIDE.write_text(page(DATABASES), encoding="utf-8")
