"""An account and region behind the Aws port: settings, identity, clients.

This module holds no policy: it creates clients that retry, time out and name the bucket owner,
and it turns every way in which that can go wrong into one sentence.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from threading import RLock
from typing import Any, TypeVar

from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError
from botocore.httpsession import get_cert_path
from botocore.response import StreamingBody
from botocore.utils import get_environ_proxies

from dataware import __version__
from dataware.aws import errors, ownership, stacks
from dataware.aws.assumed_role import AssumedRole, assume_role
from dataware.aws.caller import Origin, name_credentials, origin_of
from dataware.aws.certificates import share_certificates
from dataware.aws.client_settings import ClientSettings
from dataware.aws.complete_answers import correct_errors, require_documents, whole
from dataware.aws.endpoints import check_endpoint, making_client
from dataware.aws.fetch import fetch, keep_raw_bodies
from dataware.aws.identity import Identity
from dataware.aws.interruptible_calls import InterruptibleCalls, Stop
from dataware.aws.own_host import keep_own_host
from dataware.aws.paging import end_circles
from dataware.aws.read_only import refuse_writes
from dataware.aws.sdk_session import asks_for_code, open_session
from dataware.aws.shared_models import MAKING_CLIENTS
from dataware.aws.skew import ClockSkew
from dataware.calc.suggest import suggestion_for
from dataware.core.errors import LookupFailedError
from dataware.core.model import Deployed, Owner
from dataware.core.ports import PlainHttp, Wire
from dataware.core.read_only_wire import ReadOnlyWire
from dataware.http.endpoint import PROXY_WANTS_CREDENTIALS, Credentials, Endpoint, proxy_refusal

USER_AGENT = f"dataware/{__version__}"

T = TypeVar("T")
OnThrottle = Callable[[str], None]
MakeWire = Callable[[Endpoint, OnThrottle], Wire]


@dataclass(frozen=True, slots=True)
class Login:
    """What the regions of an account share: session, lock, the caller, the clock of AWS.

    `asks_for_code` says that a person types a code (MFA) for the credentials, and `requester_pays`
    that every request to S3 says that the caller pays for it; one that `reads_only` never writes.
    `role` is the ARN of the role that the credentials were assumed for, by the command itself.
    `plain_http` holds one as soon as somebody has asked for it.
    """

    session: Any
    make_wire: MakeWire
    endpoint_url: str | None
    client_settings: ClientSettings
    calls: InterruptibleCalls
    asks_for_code: bool
    requester_pays: bool = False
    reads_only: bool = False
    role: str = ""
    lock: RLock = field(default_factory=RLock)
    identity: Identity = field(default_factory=Identity)
    skew: ClockSkew = field(default_factory=ClockSkew)
    regions: dict[str, Account] = field(default_factory=dict)
    plain_http: list[PlainHttp] = field(default_factory=list)


class Account(stacks.DeployedValues):
    """The caller's account in one region; clients are shared between threads.

    Creating clients is not thread-safe in the SDK, so that happens under a lock.
    """

    def __init__(self, login: Login, region: str, bucket_owner: str | None = None) -> None:
        self._login = login
        self._region = region
        self._bucket_owner = bucket_owner
        self._clients: dict[tuple[str, str], Any] = {}
        self._fetching: dict[str, Any] = {}

    @classmethod
    def open(
        cls,
        make_wire: MakeWire,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        role: AssumedRole | None = None,
        client_settings: ClientSettings | None = None,
        stop: Stop | None = None,
    ) -> Account:
        """The account that the settings, the AWS variables and the config files point to.

        With a `role` it is the account of that, which those credentials assume. Once `stop` is
        true, no call is waited for any more: it raises Incomplete. Reads files and no network.
        Raises InputError for an unknown profile or a missing region.
        """
        session, home_region = open_session(profile, region)
        settings = client_settings or ClientSettings()
        calls = InterruptibleCalls(stop, settings.answer_seconds)
        login = Login(session, make_wire, endpoint_url, settings, calls, asks_for_code(session))
        account = login.regions.setdefault(home_region, cls(login, home_region))
        return account if role is None else account.assume(role)

    def assume(self, role: AssumedRole, region: str | None = None) -> Account:
        """The account of a role that these credentials assume, in a region (the same one)."""
        there, login = region or self._region, self._login
        session = assume_role(login.session, role, there, login.endpoint_url)
        fresh = replace(
            login,
            session=session,
            role=role.arn,
            lock=RLock(),
            identity=Identity(),
            skew=ClockSkew(),
            regions={},
        )
        return fresh.regions.setdefault(there, Account(fresh, there))

    @property
    def account(self) -> str:
        """The twelve digits of the caller's account; asked once, then remembered."""
        return self._caller()[0]

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``."""
        return self._caller()[1]

    @property
    def region(self) -> str:
        """The region, such as ``eu-central-1``."""
        return self._region

    def client(self, service: str) -> Any:
        """A shared, thread-safe boto3 client. S3 clients send the expected bucket owner."""
        return self._client(service, self._region)

    def fetch(self, service: str, call: str, read: Callable[[bytes], T], **arguments: Any) -> T:
        """What `read` makes of the body of a successful answer; see `aws.fetch`."""
        with self._login.lock:
            client = self._fetching.get(service)
            if client is None:
                client = keep_raw_bodies(self._new_client(service, self._region))
                self._fetching[service] = client
        operation = client.meta.method_to_api_mapping[call]
        return self._answer(operation, partial(fetch, getattr(client, call), read, arguments))

    def pause(self, seconds: float) -> None:
        """Wait between two calls. Raises Incomplete as soon as a person asks to stop."""
        self._login.calls.pause(seconds)

    def for_region(self, region: str) -> Account:
        """The same account and credentials in another region."""
        with self._login.lock:
            return self._login.regions.setdefault(region, Account(self._login, region))

    def expecting(self, bucket_owner: str) -> Account:
        """The same caller and region, where buckets are expected to be another account's."""
        return Account(self._login, self._region, bucket_owner)

    def as_requester(self) -> Account:
        """The same caller and region, where every request to S3 says that the caller pays."""
        if self._login.requester_pays:
            return self
        login = replace(self._login, requester_pays=True, regions={})
        return Account(login, self._region, self._bucket_owner)

    def read_only(self) -> Account:
        """The same caller and region, whose every call that may change something is refused."""
        return Account(replace(self._login, reads_only=True, regions={}), self._region)

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """Translate the SDK's errors; `permission` is what a denied call needs."""
        return errors.translate_errors(what, permission)

    def owner_of(self, types: Collection[str], physical_id: str) -> Owner:
        """The CloudFormation owner as OTHER_STACK with stack and logical id, or UNMANAGED."""
        return ownership.owner_of(self, types, physical_id)

    def stack_resources(self, stack: str) -> Mapping[str, Deployed]:
        """What a stack, by name or id, has now, by logical id; empty without it."""
        return stacks.stack_resources(self, stack)

    def stack_template(self, stack: str) -> Mapping[str, Any] | str:
        """The template a stack was deployed with, as a document or as the text of YAML."""
        return stacks.stack_template(self, stack)

    def stack_parameters(self, stack: str) -> Mapping[str, str]:
        """The values that the parameters of a stack have; empty without it."""
        return stacks.stack_parameters(self, stack)

    def plain_http(self) -> PlainHttp:
        """What speaks HTTP to addresses outside of the API, by the proxies that are set."""
        # Few runs copy what needs it, and a deployment never does.
        from dataware.aws.plain_http import ThreadedHttp  # noqa: PLC0415 - see above

        with self._login.lock:
            if not self._login.plain_http:
                self._login.plain_http.append(ThreadedHttp(self))
            return self._login.plain_http[0]

    def wire(self, on_throttle: OnThrottle) -> Wire:
        """A new transport; `on_throttle` is called with the reason of every throttled answer."""
        wire = self._login.make_wire(self, on_throttle)
        return ReadOnlyWire(wire) if self._login.reads_only else wire

    @property
    def asks_for_code(self) -> bool:
        """Whether a person types a code (MFA) for the credentials, which no other process gets."""
        return self._login.asks_for_code

    @property
    def ca_bundle(self) -> str:
        """The certificates that the user configured, or the usual ones."""
        configured = self._login.session._session.get_config_variable("ca_bundle")
        path: str = get_cert_path(configured or os.environ.get("REQUESTS_CA_BUNDLE") or True)
        return path

    @property
    def user_agent(self) -> str:
        """The SDK's and our own name and version."""
        return f"{self._login.session._session.user_agent()} {USER_AGENT}"

    def keys(self) -> Credentials:
        """The present credentials, refreshed if needed. Raises AuthenticationError."""
        naming = errors.naming_credentials(lambda: self.credentials_name)
        with errors.translate_errors("the AWS credentials"), naming:
            credentials = self._credentials()
            frozen = credentials.get_frozen_credentials
            # A person types the code on the thread that wants it, which gives the terminal back.
            waits = _is_due(credentials) and not self._login.asks_for_code
            keys = self._login.calls.answer("GetCredentials", frozen) if waits else frozen()
        return Credentials(keys.access_key, keys.secret_key, keys.token)

    def origin(self) -> Origin:
        """Where the credentials come from. Raises AuthenticationError without any."""
        naming = errors.naming_credentials(lambda: self.credentials_name)
        with errors.translate_errors("the AWS credentials"), naming:
            return origin_of(self._credentials())

    @property
    def credentials_name(self) -> str:
        """Whose the credentials are, such as "of profile prod"; empty where there are none."""
        with self._login.lock:
            return name_credentials(self._login.session, self._login.role)

    def _credentials(self) -> Any:
        with self._login.lock:
            credentials = self._login.session.get_credentials()
        if credentials is None:
            raise errors.missing_credentials_error(self.credentials_name)
        return credentials

    def endpoint(self, service: str, region: str) -> str:
        """The address of a service, from the options, the variables or the SDK's rules."""
        address: str = self._client(service, region).meta.endpoint_url
        return address

    def proxy(self, url: str) -> str | None:
        """The proxy for an address, from the usual variables; None to go there directly."""
        proxies: Mapping[str, str] = get_environ_proxies(url)
        return proxies.get(url.partition(":")[0]) or proxies.get("all")

    def _caller(self) -> tuple[str, str]:
        try:
            return self._login.identity.ask(self)
        except LookupFailedError as error:
            if self._has_own_endpoint() or not (slip := self.region_slip()):
                raise
            raise LookupFailedError(f"{error}; {slip}", error.problem) from error

    def region_slip(self) -> str | None:
        """That the SDK knows no such region, with the one that may have been meant; else None."""
        session = self._login.session
        partitions = session.get_available_partitions()
        regions = {
            region
            for partition in partitions
            for region in session.get_available_regions("dynamodb", partition)
        }
        if self._region in regions:
            return None
        return f"the SDK knows no region {self._region}{suggestion_for(self._region, regions)}"

    def _client(self, service: str, region: str) -> Any:
        with self._login.lock:
            client = self._clients.get((service, region))
            if client is None:
                client = self._clients[service, region] = self._new_client(service, region)
                require_documents(client)
            return client

    def _new_client(self, service: str, region: str) -> Any:
        made = making_client(f"{service} in {region}", self._login.endpoint_url)
        with made, MAKING_CLIENTS:
            client = self._login.session.client(
                service,
                region_name=region,
                endpoint_url=self._login.endpoint_url,
                config=self._config(service),
            )
            check_endpoint(client.meta.endpoint_url)
        share_certificates(client)
        self._login.skew.register(client)
        self._login.calls.count_tries(client)
        correct_errors(client)
        end_circles(client)
        if self._login.reads_only:
            refuse_writes(client)
        if service == "s3control":
            keep_own_host(client)
        if service == "s3":
            client.meta.events.register("provide-client-params.s3", self._name_owner)
        return self._stoppable(client)

    def _stoppable(self, client: Any) -> Any:
        """A client each of whose calls can be given up, with every page of its paginators."""
        make = client._make_api_call

        def answer(operation: str, params: Mapping[str, Any]) -> Any:
            call = partial(make, operation, params)
            try:
                answered = self._answer(operation, partial(whole, operation, params, call))
            except ClientError as error:
                if errors.status_of(error) == PROXY_WANTS_CREDENTIALS:
                    url = client.meta.endpoint_url
                    raise proxy_refusal(self.proxy(url), str(PROXY_WANTS_CREDENTIALS)) from error
                raise
            if isinstance(body := answered.get("Body"), StreamingBody):
                answered["Body"] = self._login.calls.body(operation, body)
            return answered

        client._make_api_call = answer
        return client

    def _answer(self, operation: str, call: Callable[[], T]) -> T:
        if self._login.asks_for_code:
            self.keys()
        with errors.naming_credentials(lambda: self.credentials_name):
            return self._login.calls.answer(operation, call)

    def finish(self, call: Callable[[], T]) -> T:
        """What `call` returns; its looks are given a moment, too, once a person asks to stop."""
        return self._answer("Finish", call)

    def _config(self, service: str) -> Config:
        settings = self._login.client_settings
        attempts = settings.first_attempts if service == "sts" else settings.attempts
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=settings.connect_seconds,
            read_timeout=settings.read_seconds,
            max_pool_connections=settings.connections,
            # Composed again for every request otherwise, which is an eighth of its cost.
            user_agent=self.user_agent,
            tcp_keepalive=True,
        )
        if service == "s3" and self._has_own_endpoint():
            config = config.merge(Config(s3={"addressing_style": "path"}))
        return config

    def _has_own_endpoint(self) -> bool:
        """Whether S3 is spoken to at an address of the user's, whose host has no subdomains."""
        variables = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        return bool(self._login.endpoint_url) or any(map(os.environ.get, variables))

    def _name_owner(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
        """Add the expected owners, and who pays, to operations that know them, if not given."""
        members = model.input_shape.members if model.input_shape else {}
        added = {
            name: self._bucket_owner or self.account
            for name in ("ExpectedBucketOwner", "ExpectedSourceBucketOwner")
            if name in members and name not in params
        }
        if self._login.requester_pays and "RequestPayer" in members:
            added["RequestPayer"] = "requester"
        return {**params, **added}


def _is_due(credentials: Any) -> bool:
    """Whether the credentials are about to be renewed, which asks somebody."""
    refreshable = isinstance(credentials, RefreshableCredentials)
    return refreshable and bool(credentials.refresh_needed())
