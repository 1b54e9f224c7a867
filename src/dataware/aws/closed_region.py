"""Tells a region that is not enabled in an account from credentials that are wrong.

In such a region AWS answers as if the credentials were none of its own, and so it does to session
tokens of the global STS endpoint, which are good only for regions that are enabled by default (IAM
User Guide, "Manage AWS STS in an AWS Region"; AWS Account Management Reference Guide, "Enable or
disable AWS Regions in your account"). So the same credentials are tried where every account may go.
"""

from __future__ import annotations

from dataware.aws.session import Account
from dataware.core.errors import DatawareError
from dataware.core.names import partition_of

ALWAYS_OPEN = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""A region of each partition that cannot be disabled."""


def explain_closed_region(account: Account) -> str | None:
    """That the region of `account` is not enabled, where its credentials were not accepted.

    Asks who the caller is in another region; None where they are not accepted there, either.
    """
    home = ALWAYS_OPEN.get(partition_of(account.region))
    if home in {None, account.region}:
        return None
    there = account.for_region(str(home))
    try:
        with there.translate_errors("the caller's identity", "sts:GetCallerIdentity"):
            digits = there.client("sts").get_caller_identity()["Account"]
    except DatawareError:
        return None
    return (
        f"region {account.region} is not enabled in account {digits}, or does not take the session "
        f"token ({home} does): enable the region, or set AWS_STS_REGIONAL_ENDPOINTS=regional"
    )
