"""A user pool that looks at its users first."""

from __future__ import annotations

from typing import Any, Unpack

from aws_cdk import aws_cognito as cognito
from constructs import Construct

from dataware.cdk.options import DataAwareOptions
from dataware.cdk.properties import UserPoolProperties
from dataware.cdk.resource import CHILD, DataAwareResource


class UserPoolOptions(DataAwareOptions, UserPoolProperties):
    """The options of a data-aware user pool, and the properties of `aws_cognito.UserPool`."""


class DataAwareUserPool(DataAwareResource):
    """A Cognito user pool: kept, referenced or created by what is found under its names.

    Names may be those of pools, or their ids. A pool that exists outside of the stack is adopted by
    `dataware deploy`, by its id, and referenced by a plain `cdk deploy`. Users are not copied,
    since their passwords cannot be read: where only a fallback holds users, the construct is an
    error, unless `on_fallback_data` is "import", which refers to the fallback.
    """

    _cfn_type = "AWS::Cognito::UserPool"
    _l2 = cognito.UserPool

    def __init__(
        self, scope: Construct, id: str, *, preferred_name: str, **options: Unpack[UserPoolOptions]
    ) -> None:
        """Declare the pool, or refer to it.

        The options are those of `DataAwareOptions`, and the properties of `aws_cognito.UserPool`.
        Raises ValueError for a name that cannot be used.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def user_pool(self) -> cognito.IUserPool:
        """The user pool: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> cognito.IUserPool:
        del properties
        return cognito.UserPool.from_user_pool_id(self, CHILD, self._entry.physical_id or name)
