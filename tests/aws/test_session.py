"""The rules of accounts: one sentence for every wrong set-up, and an owner on every S3 call."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from dataware import __version__
from dataware.aws import Account
from dataware.aws.times import read_time
from dataware.core.errors import AuthenticationError, DatawareError, InputError, LookupFailedError
from dataware.embedded import EmbeddedAws
from support.accounts import open_account


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some credentials and a region."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


def test_the_caller_is_asked_for_once(aws_server: EmbeddedAws) -> None:
    """Account and partition cost one call, from any number of threads and regions."""
    account = open_account()
    asked = []
    regions = [account, account.for_region("eu-west-1")]
    for each in regions:
        each.client("sts").meta.events.register("before-call", lambda **_: asked.append(1))
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda each: each.account, regions * 16))
    assert (found, account.partition, asked) == ({aws_server.account}, "aws", [1])


@given(
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])),
    st.sampled_from(["auto", "milliseconds", "seconds"]),
)
def test_times_are_read_as_the_sdk_reads_them(time_: datetime, spec: str) -> None:
    """The quick reading of a time gives the same moment as the SDK's own."""
    said = time_.isoformat(timespec=spec).replace("+00:00", "Z")
    assert read_time(said) == parse_timestamp(said)


@pytest.mark.parametrize(
    "said",
    [
        "Tue, 06 May 2025 07:08:09 GMT",
        "20250506T070809Z",
        "2025-05-06T07:08:09.1234567Z",
        "2025-05-06",
        "20250506",
        "1746515289",
        1746515289,
        1746515289.5,
    ],
)
def test_every_other_form_of_time_is_left_to_the_sdk(said: str | float) -> None:
    """Dates of HTTP headers, seconds since 1970 and forms that are rare read as before."""
    assert read_time(said) == parse_timestamp(said)


def test_accounts_read_listings_with_the_quick_parser(aws_server: EmbeddedAws) -> None:
    """A client of an account gives times with their zone, equal to those of a plain client."""
    boto3.client("s3").create_bucket(Bucket="bucket")
    (mine,) = open_account().client("s3").list_buckets()["Buckets"]
    (theirs,) = boto3.client("s3").list_buckets()["Buckets"]
    assert mine["CreationDate"] == theirs["CreationDate"]
    assert mine["CreationDate"].tzinfo is UTC


def test_clients_are_shared(aws_server: EmbeddedAws) -> None:
    """Threads that ask at once get the same client; another region has its own."""
    account = open_account()
    with ThreadPoolExecutor(8) as pool:
        found = {id(each) for each in pool.map(account.client, ["dynamodb"] * 32)}
    assert len(found) == 1
    assert account.for_region("eu-west-1").client("dynamodb").meta.region_name == "eu-west-1"
    assert account.for_region("eu-west-1") is account.for_region("eu-west-1")
    assert account.for_region(account.region) is account


def test_settings_of_the_clients(aws_server: EmbeddedAws) -> None:
    """Clients retry, end in bounded time, serve many threads and say who they are."""
    config = open_account().client("s3").meta.config
    assert config.retries["mode"] == "standard"
    assert config.retries["total_max_attempts"] >= 5
    assert config.connect_timeout <= 60
    assert config.read_timeout <= 60
    assert config.max_pool_connections >= 64
    assert f"dataware/{__version__}" in config.user_agent
    assert config.s3["addressing_style"] == "path"


def _operations_that_know_an_owner() -> list[str]:
    model = boto3.client("s3", region_name="us-east-1").meta.service_model
    return [
        name
        for name in model.operation_names
        if (shape := model.operation_model(name).input_shape)
        and "ExpectedBucketOwner" in shape.members
    ]


def _sent(account: Account, operation: str, **given: str) -> dict[str, Any]:
    """The parameters of a call as the client is about to validate them."""
    client = account.client("s3")
    model = client.meta.service_model.operation_model(operation)
    responses = client.meta.events.emit(
        f"provide-client-params.s3.{operation}",
        params={"Bucket": "b", **given},
        model=model,
        context={},
    )
    return dict(responses[-1][1])


def test_every_s3_operation_names_the_expected_owner(aws_server: EmbeddedAws) -> None:
    """No operation that knows the member goes without it; copies name the source's owner too."""
    account = open_account()
    operations = _operations_that_know_an_owner()
    assert len(operations) > 90
    for operation in operations:
        sent = _sent(account, operation)
        assert sent["ExpectedBucketOwner"] == aws_server.account
        copies = operation in {"CopyObject", "UploadPartCopy"}
        assert ("ExpectedSourceBucketOwner" in sent) == copies


def test_a_given_owner_is_kept(aws_server: EmbeddedAws) -> None:
    """A bucket of another account is asked for under that account."""
    sent = _sent(open_account(), "HeadBucket", ExpectedBucketOwner="999999999999")
    assert sent["ExpectedBucketOwner"] == "999999999999"


def test_calls_without_the_member_stay_as_they_are(aws_server: EmbeddedAws) -> None:
    """Creating and listing buckets know no owner, and still work."""
    client = open_account().client("s3")
    client.create_bucket(Bucket="plain-bucket")
    assert [each["Name"] for each in client.list_buckets()["Buckets"]] == ["plain-bucket"]


@pytest.mark.parametrize(
    ("variables", "option", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, None, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, None, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1"}, "eu-north-1", "eu-north-1"),
        ({"AWS_PROFILE": "team"}, None, "sa-east-1"),
    ],
)
def test_the_region_is_found_as_the_aws_cli_finds_it(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    option: str | None,
    region: str,
) -> None:
    """Option, then AWS_REGION, then AWS_DEFAULT_REGION, then the profile."""
    (tmp_path / "config").write_text("[profile team]\nregion = sa-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert open_account(region=option).region == region


def test_a_missing_region_is_one_sentence() -> None:
    """Without any region the sentence names the three ways to set one."""
    with pytest.raises(InputError, match=r"--region, set AWS_REGION, or add `region`"):
        open_account()


@pytest.mark.parametrize("by_option", [True, False])
def test_an_unknown_profile_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, by_option: bool
) -> None:
    """The profile is named, whichever way it was chosen."""
    if not by_option:
        monkeypatch.setenv("AWS_PROFILE", "typo")
    with pytest.raises(InputError, match=r"\(typo\).*aws configure list-profiles"):
        open_account(profile="typo" if by_option else None)


CODE = "role_arn = arn:aws:iam::111122223333:role/r\nmfa_serial = arn:aws:iam::111122223333:mfa/m"


@pytest.mark.parametrize(
    ("config", "asks"),
    [
        ("[profile p]\nregion = eu-central-1", False),
        (f"[profile p]\n{CODE}\nsource_profile = base\n[profile base]", True),
        (f"[profile p]\nsource_profile = q\n[profile q]\n{CODE}\nsource_profile = q", True),
        ("[profile p]\nsource_profile = q\n[profile q]\nsource_profile = p", False),
        (f"[profile p]\n[profile q]\n{CODE}", False),
        ("[profile p]\nsource_profile = nowhere", False),
    ],
)
def test_a_code_that_a_person_types_is_known_of(
    config: str, asks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile, or one that it rests on, may ask for a code, which no other process can get."""
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert open_account(profile="p", region="eu-central-1").asks_for_code is asks


def test_missing_credentials_are_one_sentence() -> None:
    """No credentials is bad input, for control calls and the hot path."""
    account = open_account(region="eu-central-1")
    for ask in (lambda: account.account, account.keys):
        with pytest.raises(InputError, match=r"no usable AWS credentials: .*--profile"):
            ask()


@pytest.mark.usefixtures("keys")
def test_an_unreachable_endpoint_is_told_of_soon() -> None:
    """Nobody at the address: one sentence with the address, within seconds."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    account = open_account(endpoint_url=f"http://127.0.0.1:{port}")
    started = time.monotonic()
    with pytest.raises(LookupFailedError, match=rf"127.0.0.1:{port}.*check .*--endpoint-url"):
        assert account.account
    assert time.monotonic() - started < 15


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("endpoint", ["nonsense", "http://", "127.0.0.1:99"])
def test_an_invalid_endpoint_is_bad_input(endpoint: str) -> None:
    """What is no address is told of before any call."""
    account = open_account(endpoint_url=endpoint)
    with pytest.raises(InputError, match="--endpoint-url"):
        account.client("sts")


@pytest.mark.usefixtures("keys")
def test_the_hot_path_goes_to_the_region_of_the_request() -> None:
    """Endpoints come from the SDK, by service and region."""
    account = open_account()
    assert account.endpoint("dynamodb", "eu-west-1") == "https://dynamodb.eu-west-1.amazonaws.com"
    assert account.endpoint("s3", "eu-west-1") == "https://s3.eu-west-1.amazonaws.com"


@pytest.mark.usefixtures("keys")
def test_the_proxy_comes_from_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the address's scheme, unless the address is to be spoken to directly."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    account = open_account()
    assert account.proxy("https://s3.eu-west-1.amazonaws.com") == "http://proxy.example:3128"
    assert account.proxy("http://s3.eu-west-1.amazonaws.com") is None
    assert account.proxy("https://127.0.0.1:9") is None


@pytest.mark.usefixtures("keys")
def test_the_trusted_certificates_are_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """AWS_CA_BUNDLE wins over REQUESTS_CA_BUNDLE; without either the usual file is used."""
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert Path(open_account().ca_bundle).is_file()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "general.pem"))
    assert open_account().ca_bundle == str(tmp_path / "general.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "aws.pem"))
    assert open_account().ca_bundle == str(tmp_path / "aws.pem")


def test_an_unreachable_region_is_told_with_the_nearest(
    keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address of a region that does not exist resolves to nothing, which says little."""
    del keys
    account = open_account(region="eu-centrl-1")

    def unreachable(_aws: object) -> tuple[str, str]:
        raise LookupFailedError("cannot access the caller's identity")

    monkeypatch.setattr("dataware.aws.identity.Identity.ask", lambda _self, aws: unreachable(aws))
    with pytest.raises(
        LookupFailedError, match=r"the caller's identity; .*did you mean eu-central-1\?"
    ):
        _ = account.account
    with pytest.raises(LookupFailedError, match=r"the caller's identity$"):
        _ = open_account(region="eu-central-1").account
    with pytest.raises(LookupFailedError, match=r"the caller's identity$"):
        _ = open_account(region="here", endpoint_url="http://127.0.0.1:9").account


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("name", ["Legacy_Photos_2013", "UPPER.case"])
def test_a_bucket_of_before_2018_is_addressed_by_path(name: str) -> None:
    """No host name holds capitals or underscores (Amazon S3 User Guide, "Path-style requests")."""
    client = open_account(region="us-east-1").client("s3")
    params = {"Bucket": name, "Key": "a", "ExpectedBucketOwner": "1" * 12}
    url = client.generate_presigned_url("get_object", Params=params)
    assert url.split("?")[0].endswith(f".amazonaws.com/{name}/a")


SECRET = "hunter2"
BAD_ENDPOINTS = [
    "http://user:hunter2 @127.0.0.1:9",
    "http://127.0.0.1:9/?token=hunter2",
    "http://127.0.0.1:9/#hunter2",
    "user:hunter2@127.0.0.1:9",
    "http://user:hunter2@127.0.0.1:port",
    "http://user:hunter2@127.0.0.1:99999",
    "http://user:hunter2@",
    "ftp://user:hunter2@127.0.0.1",
    "http://user:hunter2@[::1",
    "http://127.0.0.1:9/\thunter2",
]


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("way", ["option", "variable", "of a service", "profile"])
@pytest.mark.parametrize("address", BAD_ENDPOINTS)
def test_what_is_no_address_is_refused_unshown(
    address: str, way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whichever way it comes; what is misspelled may be a password."""
    if way == "profile":
        (tmp_path / "config").write_text(f"[default]\nendpoint_url = {address}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    elif way != "option":
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS" if "of" in way else "AWS_ENDPOINT_URL", address)
    with pytest.raises(InputError, match=r"the endpoint .* check --endpoint-url") as caught:
        _ = open_account(endpoint_url=address if way == "option" else None).account
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("printed", ["", "hunter2", "[", "null x"])
def test_a_credential_process_without_json_is_named(
    printed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is a matter of the profile, and not of the endpoint."""
    text = f"[profile p]\nregion = eu-central-1\ncredential_process = echo '{printed}'\n"
    (tmp_path / "config").write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(AuthenticationError, match="credential_process") as caught:
        _ = open_account(profile="p").account
    assert SECRET not in str(caught.value)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"])
@pytest.mark.parametrize("value", ["hunter2\nhunter2", "hunter2\r\nX: 1", "a\nhunter2"])
def test_credentials_that_no_header_can_carry_are_not_shown(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was pasted with its line breaks is a secret still."""
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(DatawareError) as caught:
        _ = open_account().account
    assert SECRET not in str(caught.value)
    assert "credentials" in str(caught.value)
