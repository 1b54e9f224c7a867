"""An EFS file system that is looked at first."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

from aws_cdk import aws_efs as efs
from constructs import Construct

from dataware.cdk.options import DataAwareOptions
from dataware.cdk.properties import FileSystemProperties
from dataware.cdk.reference import NOTHING
from dataware.cdk.resource import CHILD, DataAwareResource


class FileSystemOptions(DataAwareOptions, FileSystemProperties):
    """The options of a data-aware file system, and the properties of `aws_efs.FileSystem`.

    A reference to one that exists goes by its `security_group`.
    """


class DataAwareFileSystem(DataAwareResource):
    """An EFS file system: kept, adopted, referenced or created by what is found under its names.

    A file system has no name but its tag `Name`, which several may have: then the construct is an
    error that gives all their ids, unless the stack owns one of them. A fallback may be an id. One
    that exists outside of the stack is adopted by `dataware deploy`, by its id, and referenced by
    a plain `cdk deploy`. Files are not copied: where only a fallback holds some, the construct is
    an error, unless `on_fallback_data` is "import", which refers to the fallback.
    """

    _cfn_type = "AWS::EFS::FileSystem"
    _l2 = efs.FileSystem
    _name_argument = "file_system_name"
    _powerless: ClassVar[dict[str, str]] = {"add_to_resource_policy": NOTHING}

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        **options: Unpack[FileSystemOptions],
    ) -> None:
        """Declare the file system, or refer to it.

        The options are those of `FileSystemOptions`. Raises ValueError for a name that cannot be
        used, and for a reference without its `security_group`.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def file_system(self) -> efs.IFileSystem:
        """The file system: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> efs.IFileSystem:
        return efs.FileSystem.from_file_system_attributes(
            self,
            CHILD,
            file_system_id=self._entry.physical_id or name,
            security_group=self._take(properties, "security_group", name),
        )
