"""The one door to AWS: clients, credentials, error names, ownership and holding stacks.

Nothing outside of this package imports boto3 or botocore.
"""

from dataware.aws.assumed_role import AssumedRole
from dataware.aws.client_settings import ClientSettings
from dataware.aws.clock import SystemClock
from dataware.aws.holding_stack import PERMISSIONS as HOLDING_PERMISSIONS
from dataware.aws.holding_stack import WaitIntervals
from dataware.aws.joint_creation import HeldResource, create_together
from dataware.aws.leftover_stacks import LeftoverStacks
from dataware.aws.ownership import PERMISSIONS as OWNERSHIP_PERMISSIONS
from dataware.aws.sdk_session import region_of_profile
from dataware.aws.session import Account
from dataware.aws.stacks import PERMISSIONS as STACK_PERMISSIONS
from dataware.aws.transport import BotocoreTransport

__all__ = [
    "HOLDING_PERMISSIONS",
    "OWNERSHIP_PERMISSIONS",
    "STACK_PERMISSIONS",
    "Account",
    "AssumedRole",
    "BotocoreTransport",
    "ClientSettings",
    "HeldResource",
    "LeftoverStacks",
    "SystemClock",
    "WaitIntervals",
    "create_together",
    "region_of_profile",
]
