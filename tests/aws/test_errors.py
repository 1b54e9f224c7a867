"""The rules of error names: a denial is no absence, and bad credentials end the run."""

from __future__ import annotations

import pytest
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from dataware.aws.errors import translate_errors
from dataware.core.errors import DatawareError, InputError, LookupFailedError, NotFoundError
from dataware.http.absence import CODES, HEADS


def caught(error: Exception, permission: str | None = "s3:ListBucket") -> DatawareError:
    """What a question about a bucket makes of an error."""
    with pytest.raises(DatawareError) as found, translate_errors("bucket b", permission):
        raise error
    assert found.value.__cause__ is error
    assert "\n" not in str(found.value)
    return found.value


def answered(
    code: str, status: int = 400, message: str = "", operation: str = "ListObjectsV2"
) -> sdk.ClientError:
    """An answer of a service."""
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return sdk.ClientError(answer, operation)


def documented() -> list[sdk.ClientError]:
    """For each call, every answer by which its service says that something is not there."""
    said = {
        "DescribeStackResources": "Stack for some-bucket does not exist",
        "DescribeStacks": "Stack with id x does not exist",
    }
    return [
        answered(code, 404, said.get(operation, "Stack with id x does not exist"), operation)
        for operation, codes in CODES.items()
        for code in sorted(codes)
    ]


@pytest.mark.parametrize("error", documented(), ids=str)
def test_absence_is_not_there(error: sdk.ClientError) -> None:
    """What a service says is absent becomes NotFoundError, with the call and code."""
    found = caught(error)
    assert isinstance(found, NotFoundError)
    assert str(found).startswith(f"bucket b does not exist ({error.operation_name} returned")


SERVICES = (
    "cloudformation",
    "cognito-idp",
    "dynamodb",
    "ecr",
    "efs",
    "iam",
    "kinesis",
    "kms",
    "logs",
    "opensearch",
    "rds",
    "s3",
    "s3control",
    "secretsmanager",
    "sqs",
    "ssm",
    "stepfunctions",
)
GATEWAYS = [
    "404",
    "NoRoute",
    "NotFound",
    "NoSuchConfigurationOfAnySort",
    "ResourceNotFound",
    "ThrottlingException",
    "UnknownOperationException",
    "ValidationException",
    "does not exist",
]
CODES_OF_ALL = sorted({code for codes in CODES.values() for code in codes})


@given(
    st.sampled_from([*CODES, "CreateStack", "PutParameter", "GetCallerIdentity", "PutObject"]),
    st.one_of(st.sampled_from([*GATEWAYS, *CODES_OF_ALL]), st.text(max_size=20)),
    st.sampled_from([200, 301, 400, 404, 405, 407, 410, 500, 502]),
    st.sampled_from(["", "not found", "no such host", "Role r does not exist", "does not exist"]),
)
def test_no_other_answer_is_an_absence(
    operation: str, code: str, status: int, message: str
) -> None:
    """Whatever the status says, only the code that is documented for the very call means absent."""
    found = caught(answered(code, status, message, operation))
    absent = code in CODES.get(operation, ()) and code != "ValidationError"
    assert isinstance(found, NotFoundError) is absent


def test_a_table_of_absences_names_calls_that_exist() -> None:
    """A call that is spelled otherwise would never be found in the table."""
    known = {
        operation
        for service in SERVICES
        for operation in get_session().get_service_model(service).operation_names
    }
    assert known >= CODES.keys() | HEADS


@pytest.mark.parametrize(
    "message",
    [
        "1 validation error detected: role does not exist",
        "Template with id x does not exist",
        "Stack does not exist in this account",
        "The bucket x does not exist",
    ],
)
def test_a_stack_is_absent_only_in_the_words_of_cloudformation(message: str) -> None:
    """ValidationError is the code of many mistakes, so the sentence counts, and all of it."""
    found = caught(answered("ValidationError", 400, message, "DescribeStackResources"))
    assert isinstance(found, LookupFailedError)


def test_an_answer_that_is_none_of_aws_is_unknown() -> None:
    """The page of a proxy is not an error of the program."""
    found = caught(ResponseParserError("Unable to parse response"))
    assert isinstance(found, LookupFailedError)
    assert "not from AWS" in str(found)


@pytest.mark.parametrize(
    "error",
    [
        answered("AccessDenied", 403),
        answered("AccessDeniedException"),
        answered("403", 403),
        answered("AccessDenied", 404, "does not exist"),
        answered("SomethingNew", 403, "bucket does not exist"),
    ],
    ids=str,
)
def test_a_denial_is_never_an_absence(error: sdk.ClientError) -> None:
    """Denied is unknown, and says which permission would tell."""
    found = caught(error)
    assert isinstance(found, LookupFailedError)
    assert found.problem is not None
    assert found.problem.permission == "s3:ListBucket"
    assert "it needs s3:ListBucket" in str(found)


@pytest.mark.parametrize(
    "error",
    [
        answered("SlowDown", 503),
        answered("InternalError", 500),
        answered("ValidationError", 400, "1 validation error detected"),
        answered("", 502),
    ],
    ids=str,
)
def test_a_failure_is_neither_absence_nor_denial(error: sdk.ClientError) -> None:
    """Any other answer is unknown, and no permission is said to cure it."""
    found = caught(error)
    assert isinstance(found, LookupFailedError)
    assert found.problem is not None
    assert found.problem.permission is None
    assert found.problem.code not in ("", "None")


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (answered("ExpiredToken"), "have expired; renew"),
        (answered("ExpiredTokenException"), "aws sso login"),
        (answered("InvalidClientTokenId", 403), "does not accept the credentials"),
        (answered("SignatureDoesNotMatch", 403), "does not accept the credentials"),
        (answered("RequestTimeTooSkewed", 403), "clock of this machine"),
        (sdk.NoCredentialsError(), "--profile"),
        (sdk.PartialCredentialsError(provider="env", cred_var="x"), "--profile"),
        (sdk.UnauthorizedSSOTokenError(), "renew"),
        (sdk.CredentialRetrievalError(provider="p", error_msg="m"), "renew"),
        (sdk.NoRegionError(), "--region"),
        (sdk.ProfileNotFound(profile="p"), "profile"),
        (sdk.ParamValidationError(report="Invalid bucket name"), "Invalid bucket name"),
    ],
)
def test_a_wrong_set_up_is_bad_input_with_its_cure(error: Exception, cure: str) -> None:
    """What no probe can answer with is no unknown of one resource; it ends the run."""
    found = caught(error)
    assert isinstance(found, InputError)
    assert cure in str(found)


@pytest.mark.parametrize(
    "error",
    [
        sdk.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        sdk.ConnectTimeoutError(endpoint_url="http://x"),
        sdk.ReadTimeoutError(endpoint_url="http://x"),
        sdk.SSLError(endpoint_url="http://x", error="e"),
        sdk.ConnectionClosedError(endpoint_url="http://x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_nobody_answering_is_unknown(error: Exception) -> None:
    """A time-out is not an absence, and points to network and endpoint."""
    found = caught(error)
    assert isinstance(found, LookupFailedError)
    assert "--endpoint-url" in str(found)


def test_other_errors_pass() -> None:
    """A mistake in the program is not dressed up as one of a service."""
    with pytest.raises(KeyError), translate_errors("bucket b"):
        raise KeyError("x")


def test_an_intercepted_connection_names_the_way_out() -> None:
    """A certificate that nobody vouches for is a setting's matter, and no password is shown."""
    error = sdk.SSLError(
        endpoint_url="https://me:secret@s3.example/bucket",
        error="[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
    )
    found = caught(error)
    assert isinstance(found, LookupFailedError)
    assert "certificate is not trusted; set AWS_CA_BUNDLE" in str(found)
    assert "secret" not in str(found)


def test_no_error_shows_the_password_of_an_address() -> None:
    """The SDK quotes the address that it could not reach."""
    found = caught(sdk.EndpointConnectionError(endpoint_url="http://me:secret@127.0.0.1:1/x"))
    assert "127.0.0.1:1" in str(found)
    assert "secret" not in str(found)
