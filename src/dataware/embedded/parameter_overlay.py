"""Parameters have the sizes that AWS allows; run by `overlay`.

It imports nothing of dataware, which is not installed where it runs. `run_path` gives it `replaces`
of `overlay`. Source: AWS Systems Manager User Guide, "Managing parameter tiers".
"""

from ministack.services import ssm

replaces = globals()["replaces"]


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
