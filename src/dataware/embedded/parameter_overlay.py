"""Parameters have the sizes that AWS allows, and stacks the names of theirs; run by `overlay`.

It imports nothing of dataware, which is not installed where it runs. `run_path` gives it `replaces`
and `replaces_entry` of `overlay`. Sources: AWS Systems Manager User Guide, "Managing parameter
tiers"; AWS CloudFormation API Reference, Parameter.
"""

from ministack.services import cloudformation as stacks_api
from ministack.services import ssm
from ministack.services.cloudformation import handlers

replaces, replaces_entry = globals()["replaces"], globals()["replaces_entry"]


# --- SSM: a parameter of the standard tier holds at most 4,096 bytes, one of the advanced 8,192

TIER_LIMITS = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}


@replaces(ssm, "_put_parameter")
def put_parameter(original, data):
    """Refuse an empty value, and one that is too long for its tier."""
    value, parameter = data.get("Value", ""), ssm._parameters.get(data.get("Name"))
    tier = data.get("Tier") or ssm._default_tier(data, value, parameter)
    longest = TIER_LIMITS.get(tier, 8192)
    if not 0 < len(value.encode()) <= longest:
        return ssm.error_response_json(
            "ValidationException",
            f"{tier} tier parameters support a parameter value of 1 to {longest} characters.",
            400,
        )
    return original(data)


# --- CloudFormation: the value of a parameter of an SSM type is the name that was given


@replaces_entry(handlers._ACTION_HANDLERS, "DescribeStacks")
def describe_stacks(original, params):
    """Tell the input value of each parameter, not what Parameter Store had under it."""
    for stack in stacks_api._stacks.values():
        resolved = stack.get("_resolved_params") or {}
        for parameter in stack.get("Parameters") or ():
            given = resolved.get(parameter.get("ParameterKey"))
            if isinstance(given, dict) and "SsmName" in given:
                parameter["ParameterValue"] = given["SsmName"]
    return original(params)
