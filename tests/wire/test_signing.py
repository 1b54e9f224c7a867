"""The signer, held to the SDK's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SdkCredentials
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.ports import Request
from dataware.http.endpoint import Credentials
from dataware.wire.signing import UNSIGNED, Signer
from support.transports import done

HOST = "s3.eu-central-1.amazonaws.com:8443"
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
NAMES = st.from_regex(r"x-amz-meta-[a-z0-9%!#$&'*+.^_`|~-]{1,8}", fullmatch=True)
KEYS = st.builds(
    Credentials,
    st.from_regex(r"[A-Z0-9]{16,20}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9/+]{40}", fullmatch=True),
    st.none() | st.from_regex(r"[A-Za-z0-9/+=]{1,200}", fullmatch=True),
)
HEADERS = st.dictionaries(NAMES, TEXT, max_size=4)
QUERIES = st.lists(st.tuples(TEXT, TEXT | st.none()), max_size=5).map(
    lambda pairs: "&".join(
        quote(name, safe="-_.~") + ("" if value is None else "=" + quote(value, safe="-_.~"))
        for name, value in pairs
        if name
    )
)
PATHS = st.binary(max_size=20).map(lambda key: "/bucket/" + quote(key, safe="/-_.~"))
REQUESTS = st.builds(
    Request,
    service=st.just("s3"),
    method=st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"]),
    path=PATHS,
    judge=st.just(done),
    query=QUERIES,
    body=st.binary(max_size=50),
)


def signer_of(keys: Callable[[], Credentials], now: Callable[[], float] = time.time) -> Signer:
    """A signer of requests that name all their headers."""
    return Signer(keys, now, headers_of=lambda request: {**request.shared, **request.headers})


def lines_by(signer: Signer, request: Request, skew: float = 0.0) -> list[str]:
    """The header lines that go along with a request."""
    signed = signer.sign(request, "eu-central-1", HOST, skew)
    lines = (*signed.prepared, *signed.own)
    return [each if isinstance(each, str) else each.decode() for each in lines]


def headers_by(signer: Signer, request: Request, skew: float = 0.0) -> dict[str, str]:
    """The headers that go along with a request, by name."""
    lines = lines_by(signer, request, skew)
    headers = dict(each.split(":" if ":" in each else ";", 1) for each in lines)
    assert len(headers) == len(lines)
    return {name: value.removeprefix(" ") for name, value in headers.items()}


def _signature_of(signed: dict[str, str], request: Request, keys: Credentials, service: str) -> str:
    """The authorization that the SDK's signer makes of the same request at the same time."""
    again = AWSRequest(
        request.method,
        f"https://{HOST}{request.path}" + (f"?{request.query}" if request.query else ""),
        data=request.body,
    )
    for name, value in signed.items():
        if name not in ("authorization", *UNSIGNED):
            again.headers[name] = value
    again.context["timestamp"] = signed["x-amz-date"]
    sort = S3SigV4Auth if service == "s3" else SigV4Auth
    signer = sort(
        SdkCredentials(keys.access_key, keys.secret_key, keys.token), service, "eu-central-1"
    )
    text = signer.string_to_sign(again, signer.canonical_request(again))
    names = signer.signed_headers(signer.headers_to_sign(again))
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(again)}, SignedHeaders={names}, "
        f"Signature={signer.signature(text, again)}"
    )


@given(REQUESTS, KEYS, HEADERS, HEADERS, st.integers(0, 4_000_000_000))
def test_s3_signatures_are_those_of_the_sdk(
    request: Request, keys: Credentials, own: dict[str, str], shared: dict[str, str], now: int
) -> None:
    """Any key, query, header value, body, session token and time."""
    request = request._replace(headers=own, shared=shared)
    signed = headers_by(signer_of(lambda: keys, lambda: float(now)), request)
    assert {**shared, **own}.items() <= signed.items()
    assert signed["authorization"] == _signature_of(signed, request, keys, "s3")


@given(st.lists(REQUESTS, min_size=2, max_size=4), KEYS, HEADERS, HEADERS)
def test_what_was_prepared_for_one_request_fits_all_like_it(
    requests: list[Request], keys: Credentials, own: dict[str, str], shared: dict[str, str]
) -> None:
    """One signer signs many requests in a second, with the same shared headers or with others."""
    signer = signer_of(lambda: keys, lambda: 1_800_000_000.0)
    for number, request in enumerate(requests):
        values = {name: f"{value}{number}" for name, value in own.items()}
        for headers in (shared, {}, dict(shared)):
            one = request._replace(headers=values, shared=headers)
            signed = headers_by(signer, one)
            assert {**headers, **values}.items() <= signed.items()
            assert signed["authorization"] == _signature_of(signed, one, keys, "s3")


@given(KEYS, st.binary(max_size=200), HEADERS)
def test_other_services_sign_the_path_once_more_encoded(
    keys: Credentials, body: bytes, headers: dict[str, str]
) -> None:
    """DynamoDB's requests are signed like the SDK signs them."""
    request = Request("dynamodb", "POST", "/", done, body=body, headers=headers)
    signed = headers_by(signer_of(lambda: keys), request)
    assert "x-amz-content-sha256" not in signed
    assert signed["authorization"] == _signature_of(signed, request, keys, "dynamodb")


def test_headers_are_sent_and_signed_by_their_lower_case_names() -> None:
    """Two spellings of one name are one header, and the last one counts."""
    headers = {"X-Amz-Meta-A": "1", "x-amz-meta-a": "2"}
    signer = signer_of(lambda: Credentials("KEY", "secret", None))
    signed = headers_by(signer, Request("s3", "GET", "/b/k", done, headers=headers))
    assert signed["x-amz-meta-a"] == "2"
    assert "X-Amz-Meta-A" not in signed


def test_an_empty_value_is_sent() -> None:
    """libcurl takes a header away that ends in a colon, and sends one that ends in a semicolon."""
    signer = signer_of(lambda: Credentials("KEY", "secret", None))
    request = Request("s3", "GET", "/b/k", done, headers={"x-a": ""}, shared={"x-b": ""})
    assert {"x-a;", "x-b;"} <= set(lines_by(signer, request))


def test_a_header_that_is_not_signed_is_sent() -> None:
    """A proxy may change it on the way, and who has given it wants it there."""
    signer = signer_of(lambda: Credentials("a", "s", None))
    own = {"user-agent": "mine", "x-amz-meta-a": "b"}
    sent = headers_by(signer, Request("s3", "PUT", "/b/k", done, headers=own))
    assert (sent["user-agent"], sent["x-amz-meta-a"]) == ("mine", "b")
    assert "user-agent" not in sent["authorization"]


def test_forms_that_nobody_uses_are_forgotten() -> None:
    """However many headers are shared by few requests each, memory stays bounded."""
    signer = signer_of(lambda: Credentials("KEY", "secret", None))
    request = Request("s3", "GET", "/b/k", done)
    many = [request._replace(shared={"x-a": str(number)}) for number in range(1000)]
    for one in many:
        assert headers_by(signer, one)["x-a"] == one.shared["x-a"]
    assert len(signer._forms) < len(many)


def test_new_credentials_are_used_within_a_second() -> None:
    """What is made once a second is made with the keys of that second."""
    now, known = [1_800_000_000.0], [Credentials("OLDKEY", "secret", None)]
    signer = signer_of(lambda: known[0], lambda: now[0])
    request = Request("s3", "GET", "/b/k", done)
    known[0] = Credentials("NEWKEY", "secret", "token")
    assert "NEWKEY" in headers_by(signer, request)["authorization"]
    known[0] = Credentials("NEWEST", "secret", "token")
    assert "NEWKEY" in headers_by(signer, request)["authorization"]
    now[0] += 1
    assert "NEWEST" in headers_by(signer, request)["authorization"]


def test_renewed_keys_sign_at_once_where_the_old_ones_are_forgotten() -> None:
    """What was prepared with the old keys of the same second is not used again."""
    known = [Credentials("KEY", "secret", "old")]
    signer = signer_of(lambda: known[0], lambda: 1_800_000_000.0)
    request = Request("s3", "GET", "/b/k", done)
    assert headers_by(signer, request)["x-amz-security-token"] == "old"
    known[0] = Credentials("KEY", "secret", "new")
    assert headers_by(signer, request)["x-amz-security-token"] == "old"
    signer.forget()
    assert headers_by(signer, request)["x-amz-security-token"] == "new"


def test_the_date_is_the_services() -> None:
    """With a known skew everything is signed by the service's clock, over midnight too."""
    signer = signer_of(lambda: Credentials("KEY", "secret", None), lambda: 1_799_970_300.0)
    signed = headers_by(signer, Request("s3", "GET", "/b/k", done), 1200.0)
    assert signed["x-amz-date"] == "20270115T000500Z"
    assert "/20270115/eu-central-1/s3/aws4_request" in signed["authorization"]
