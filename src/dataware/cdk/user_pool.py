"""A user pool that looks at its users first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from aws_cdk import aws_cognito as cognito
from constructs import Construct

from dataware.cdk.properties import UserPoolProperties
from dataware.cdk.reference import report_unused
from dataware.cdk.resource import CHILD, DataAwareResource


class DataAwareUserPool(DataAwareResource):
    """A Cognito user pool: kept, referenced or created by what is found under its names.

    Names may be those of pools, or their ids. A pool that exists outside of the stack is referenced
    by its id, because CloudFormation cannot adopt it by name. Users are not copied, since their
    passwords cannot be read: where only a fallback holds users, the construct is an error, unless
    `on_fallback_data` is "import", which refers to the fallback.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        fallback_names: Iterable[str] = (),
        on_error: str | None = None,
        on_fallback_data: str | None = None,
        import_mode: str | None = None,
        **properties: Unpack[UserPoolProperties],
    ) -> None:
        """Declare the pool, or refer to it; `properties` are those of `aws_cognito.UserPool`.

        The settings are those of `DataAwareBucket`; `import_mode` can only be "reference". Raises
        ValueError for a name that cannot be used.
        """
        super().__init__(
            scope,
            id,
            cfn_type="AWS::Cognito::UserPool",
            preferred_name=preferred_name,
            fallback_names=fallback_names,
            on_error=on_error,
            on_fallback_data=on_fallback_data,
            import_mode=import_mode,
        )
        given: dict[str, Any] = {**properties}
        self._refuse(given, "user_pool_name")
        self._user_pool = self._build(given, None, self._declare_resource, self._reference)

    @property
    def user_pool(self) -> cognito.IUserPool:
        """The user pool: declared by this stack, or referenced."""
        return self._user_pool

    def _declare_resource(self, properties: dict[str, Any]) -> cognito.IUserPool:
        return cognito.UserPool(self, CHILD, user_pool_name=self._asked.preferred, **properties)

    def _reference(self, name: str, properties: dict[str, Any]) -> cognito.IUserPool:
        pool = cognito.UserPool.from_user_pool_id(self, CHILD, self._entry.physical_id or name)
        report_unused(self, name, properties)
        return pool
