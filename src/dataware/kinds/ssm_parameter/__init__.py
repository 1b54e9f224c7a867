"""The card of AWS::SSM::Parameter: looked at, taken in, or copied by hand with its history.

A parameter always holds a value, so one that exists has data. The probe asks for the value
undecrypted and throws it away: GetParameter, unlike DescribeParameters, can be allowed for a
single parameter (Service Authorization Reference, AWS Systems Manager). A plan never copies one,
because a template holds the whole value.
"""

from __future__ import annotations

import re
from typing import Any

from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.estimate import Throughput
from dataware.core.kind import Copying, Kind, Names, Permissions, Template
from dataware.core.model import Content, Existence, Facts, Location, absent
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.reader import Reader

_GET = "ssm:GetParameter"
_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_LONGEST, _DEEPEST = 1011, 15


def check_name(name: str) -> str | None:
    """What is wrong with a parameter's name, or None.

    Sources: AWS Systems Manager API Reference, PutParameter; AWS Systems Manager User Guide,
    "Understanding parameter name requirements and constraints" (what is in a hierarchy begins with
    a slash).
    """
    if not _NAME.fullmatch(name):
        return "a parameter's name consists of letters, digits and _.- in parts divided by /"
    if "/" in name.removeprefix("/") and not name.startswith("/"):
        return f"the name of a parameter in a hierarchy begins with /, as in /{name}"
    if re.match(r"/?(aws|ssm)", name, re.IGNORECASE):
        return "a parameter's name may not begin with aws or ssm"
    if len(name) > _LONGEST or name.strip("/").count("/") >= _DEEPEST:
        return f"a parameter's name has at most {_LONGEST} characters and {_DEEPEST} levels"
    return None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under `name`."""
    ssm = aws.client("ssm")
    try:
        with aws.translate_errors(f"parameter {name}", _GET):
            ssm.get_parameter(Name=name, WithDecryption=False)
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _GET),))
    return Facts(name, Existence.EXISTS, Content.DATA)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    return (f"arn:{partition}:ssm:{region}:{account}:parameter/{name.removeprefix('/')}",)


def _make_copier(tools: CopyTools, order: CopyOrder) -> Copier[Any]:
    from dataware.kinds.ssm_parameter.copy.copier import ParameterCopier

    return ParameterCopier(tools, order)


def _make_reader(aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> Reader:
    from dataware.kinds.ssm_parameter.verify.reader import (
        ParameterReader,
    )

    del all_versions, deep
    return ParameterReader(aws, place)


_HISTORY = "ssm:GetParameterHistory"
_READ = (_HISTORY, "ssm:ListTagsForResource")
_WRITE = ("ssm:AddTagsToResource", "ssm:LabelParameterVersion", "ssm:PutParameter")

KIND = Kind(
    cfn_type="AWS::SSM::Parameter",
    names=Names("ssm-parameter", "SSM parameter", "parameter", "value", check_name),
    template=Template(identifier="Name", stateful=False, has_arn=False),
    access=Permissions(
        phases={
            "probe": (_GET,),
            "read": _READ,
            "write": (*_READ, *_WRITE),
            "verify": (_HISTORY,),
            "create": ("ssm:PutParameter", "ssm:GetParameters", "ssm:AddTagsToResource"),
        },
        arns=_arns,
    ),
    probe=probe,
    copying=Copying(
        scheme="ssm",
        copier=_make_copier,
        reader=_make_reader,
        readers=1,
        writers=1,
        speed=Throughput(3.0),
        in_deployments=False,
        in_plans=False,
        makes_target=True,
    ),
)
