"""Opens a session of the SDK: the profile, the variables and the files of the user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.session
from botocore.exceptions import BotoCoreError, ProfileNotFound

from dataware.aws import errors
from dataware.aws.shared_models import share_models
from dataware.aws.times import read_time
from dataware.calc.suggest import suggestion_for
from dataware.core.errors import InputError


def open_session(profile: str | None, region: str | None) -> tuple[Any, str]:
    """The SDK's session and the region, from the options, the variables and the files."""
    try:
        session = boto3.Session(profile_name=profile)
        share_models(session._session)
        parsers = session._session.get_component("response_parser_factory")
        parsers.set_parser_defaults(timestamp_parser=read_time)
        home_region = region or os.environ.get("AWS_REGION") or session.region_name
    except ProfileNotFound as error:
        raise InputError(f"{errors.one_line(str(error))}{_profile_hint(profile)}") from error
    except BotoCoreError as error:
        raise errors.from_sdk(error, "the AWS configuration", None) from error
    if not home_region:
        raise InputError(errors.NO_REGION)
    return session, home_region


def region_of_profile(profile: str) -> str | None:
    """The region that a profile of the AWS configuration names, if it does."""
    profiles = botocore.session.Session().full_config.get("profiles", {})
    region = profiles.get(profile, {}).get("region")
    return str(region) if region else None


def asks_for_code(session: Any) -> bool:
    """Whether the profile, or one that it gets its credentials from, names an MFA device."""
    core = session._session
    profiles: Mapping[str, Mapping[str, str]] = core.full_config.get("profiles", {})
    name, visited = core.profile or "default", set[str]()
    while name not in visited and name in profiles:
        visited.add(name)
        if "mfa_serial" in profiles[name]:
            return True
        name = profiles[name].get("source_profile", name)
    return False


def _profile_hint(profile: str | None) -> str:
    """The profile that may have been meant; it may have come from a variable, too."""
    name = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or ""
    return (
        suggestion_for(name, botocore.session.Session().available_profiles)
        or ": name one that `aws configure list-profiles` shows"
    )
