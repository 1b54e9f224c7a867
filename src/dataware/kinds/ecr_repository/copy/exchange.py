"""Sends requests to one registry: with its token, again where that may help, and never in vain.

What a registry answers with is an error for people where it concerns every image, and a
`RequestRefusedError` otherwise.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from dataware.core.copier import CopyTools
from dataware.core.errors import DatawareError, LookupFailedError, NotFoundError, WriteDeniedError
from dataware.core.model import Location, Problem
from dataware.core.ports import Aws, PlainRequest, Response
from dataware.http.error_answer import ErrorAnswer, RequestRefusedError
from dataware.kinds.ecr_repository.copy.images import repository_name
from dataware.kinds.ecr_repository.copy.token import RegistryToken

ATTEMPTS: Final = 10
"""How often a request that fails is sent; one that is throttled is sent until `PATIENCE` ends."""

PATIENCE_SECONDS: Final = 300.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 20.0

DESCRIBE = "ecr:DescribeRepositories"
_WRITES = frozenset({"InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"})


class RegistryAddress(NamedTuple):
    """Where a registry is spoken to, and the host that it goes by, where that is another one."""

    base: str
    host: str


class RegistryExchange:
    """The requests to the registry of one repository."""

    def __init__(self, tools: CopyTools, place: Location) -> None:
        self.place = place
        self._aws: Aws = tools.aws.for_region(place.region)
        self._tools = tools
        self._http = tools.aws.plain_http()
        self._token = RegistryToken(self._aws, tools.clock)
        self._lock = asyncio.Lock()
        self._address: RegistryAddress | None = None

    async def registry(self) -> str:
        """The host by which the registry goes; repositories of one host share their blobs."""
        address = await self._find_address()
        return address.host or urlsplit(address.base).netloc

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> PlainRequest:
        """A request with what authorizes it; `path` is one of the repository, or an address."""
        address = await self._find_address()
        root = f"{address.base}/v2/{repository_name(self.place)}/"
        own = {"host": address.host} if address.host else {}
        own["authorization"] = await self._token.header()
        return PlainRequest(method, urljoin(root, path), {**own, **(headers or {})}, body)

    async def find_place(self, answer: Response) -> str:
        """The address that an answer names; that of a registry at another address is put right."""
        address = await self._find_address()
        named = answer.headers.get("location", "")
        if not named:
            raise RequestRefusedError(ErrorAnswer("InitiateLayerUpload", "NoLocation", 502))
        there = urlsplit(urljoin(f"{address.base}/", named))
        if not address.host:
            return there.geturl()
        return there._replace(
            scheme=urlsplit(address.base).scheme, netloc=urlsplit(address.base).netloc
        ).geturl()

    async def send(self, request: PlainRequest) -> Response:
        """Send a request once."""
        return await self._http.send(request, self._tools.wire.permit)

    async def relay(
        self, source: PlainRequest, target: PlainRequest, take: Callable[[bytes], None]
    ) -> tuple[Response, Response | None]:
        """Hand the body of an answer on once."""
        return await self._http.relay(source, target, take, self._tools.wire.permit)

    async def ask(
        self, call: str, expected: frozenset[int], *request: Any, **more: Any
    ) -> Response:
        """The answer to a request, as soon as its status is expected; see `insist`."""

        async def attempt() -> Response:
            return await self.send(await self.request(*request, **more))

        return await self.insist(call, expected, attempt)

    async def insist(
        self, call: str, expected: frozenset[int], attempt: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Try until the answer is expected, or no further try may help.

        `call` is the API's operation, by which IAM allows it. Raises RequestRefusedError, and
        LookupFailedError, WriteDeniedError or NotFoundError for what concerns every image.
        """
        began, faults, tries = self._tools.clock.monotonic(), 0, 0
        while True:
            problem = ""
            try:
                answer = await attempt()
            except OSError as error:
                permit = self._tools.wire.permit
                if permit is not None and not permit.current:
                    await permit.wait()
                    continue
                faults, problem = faults + 1, str(error)
            else:
                if answer.status in expected:
                    return answer
                faults += await self.judge(call, answer)
                problem = f"status {answer.status}"
            tries += 1
            elapsed = self._tools.clock.monotonic() - began
            if faults >= ATTEMPTS or elapsed > PATIENCE_SECONDS:
                raise self._exhausted_error(call, problem, tries)
            longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries, 12))
            await self._tools.clock.sleep(random.uniform(0, longest))

    async def judge(self, call: str, answer: Response) -> int:
        """How many faults an answer is that another try may cure; raises what none does."""
        if answer.status == 401:
            await self._token.renew()
            return 1
        if answer.status in (429, 503):
            self._tools.on_throttle(f"{call} returned {answer.status}")
            return 0
        if answer.status >= 500 or answer.status == 408:
            return 1
        raise self._refusal(call, answer)

    def _refusal(self, call: str, answer: Response) -> Exception:
        code, message = read_registry_error(answer)
        refused = ErrorAnswer(call, code, answer.status, message)
        what = f"repository {self.place.name}"
        if code == "NAME_UNKNOWN":
            return NotFoundError(f"{what} does not exist ({call} returned {code})")
        if answer.status != 403:
            return RequestRefusedError(refused)
        problem = refused.to_problem(f"ecr:{call}")
        denied = WriteDeniedError if call in _WRITES else LookupFailedError
        return denied(f"{what}: {problem}", problem)

    def _exhausted_error(self, call: str, problem: str, tries: int) -> DatawareError:
        return LookupFailedError(
            f"repository {self.place.name}: {call} failed {tries} times ({problem}); run the same "
            "command again later",
            Problem(call, "RegistryUnavailable", None, problem),
        )

    async def _find_address(self) -> RegistryAddress:
        async with self._lock:
            if self._address is None:
                self._address = await asyncio.to_thread(self._look_up)
            return self._address

    def _look_up(self) -> RegistryAddress:
        """Where the registry is: at the host that the repository names, or at an endpoint.

        Source: Amazon ECR User Guide, "Amazon ECR private registries". Whoever has set an endpoint
        that is not of AWS speaks to the registry there, too.
        """
        client = self._aws.client("ecr")
        with self._aws.translate_errors(f"repository {self.place.name}", DESCRIBE):
            (repository,) = client.describe_repositories(
                registryId=self.place.owner, repositoryNames=[repository_name(self.place)]
            )["repositories"]
        host = str(repository["repositoryUri"]).partition("/")[0]
        endpoint = str(client.meta.endpoint_url).rstrip("/")
        domain = host.partition(f".{self.place.region}.")[2] or "amazonaws.com"
        if (urlsplit(endpoint).hostname or "").endswith(domain):
            return RegistryAddress(f"https://{host}", "")
        return RegistryAddress(endpoint, host)


def read_registry_error(answer: Response) -> tuple[str, str]:
    """Code and message of a refusal (OCI Distribution Specification, "Error Codes")."""
    try:
        (first, *_) = json.loads(answer.body)["errors"]
        return str(first["code"]), str(first.get("message") or "")
    except (KeyError, TypeError, ValueError):
        return str(answer.status), ""
