"""The card of AWS::SSM::Parameter: looked at and taken in, never copied.

A parameter always holds a value, so one that exists has data. The probe asks for the value
undecrypted and throws it away: GetParameter, unlike DescribeParameters, can be allowed for a
single parameter (Service Authorization Reference, AWS Systems Manager).
"""

from __future__ import annotations

import re

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import Content, Existence, Facts, absent
from dataware.core.ports import Aws
from dataware.core.probing import problem_of

_GET = "ssm:GetParameter"
_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_LONGEST, _DEEPEST = 1011, 15


def check_name(name: str) -> str | None:
    """What is wrong with a parameter's name, or None.

    Source: AWS Systems Manager API Reference, PutParameter.
    """
    if not _NAME.fullmatch(name):
        return "a parameter's name consists of letters, digits and _.- in parts divided by /"
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


KIND = Kind(
    cfn_type="AWS::SSM::Parameter",
    names=Names("ssm-parameter", "SSM parameter", "parameter", "value", check_name),
    template=Template(identifier="Name", stateful=False, has_arn=False),
    access=Permissions(
        phases={
            "probe": (_GET,),
            "create": ("ssm:PutParameter", "ssm:GetParameters", "ssm:AddTagsToResource"),
        },
        arns=_arns,
    ),
    probe=probe,
)
