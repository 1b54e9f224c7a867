"""The rules of error names: a denial is no absence, and bad credentials end the run."""

from __future__ import annotations

import pytest
from botocore import exceptions as sdk

from dataware.aws.errors import looking_at
from dataware.core.errors import BadInput, CannotSee, DatawareError, NotThere


def caught(error: Exception, permission: str | None = "s3:ListBucket") -> DatawareError:
    """What a question about a bucket makes of an error."""
    with pytest.raises(DatawareError) as found, looking_at("bucket b", permission):
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


@pytest.mark.parametrize(
    "error",
    [
        answered("NoSuchBucket", 404),
        answered("NoSuchConfigurationOfAnySort", 404),
        answered("NoSuchKey", 404),
        answered("ResourceNotFoundException"),
        answered("ParameterNotFound"),
        answered("ValidationError", 400, "Stack with id x does not exist"),
    ],
    ids=str,
)
def test_absence_is_not_there(error: sdk.ClientError) -> None:
    """What a service says is absent becomes NotThere, with the call and code."""
    found = caught(error)
    assert isinstance(found, NotThere)
    assert str(found).startswith("bucket b does not exist (ListObjectsV2 answered")


def test_a_bare_404_says_absent_only_to_a_head() -> None:
    """An answer to HEAD has no body; any other 404 without a name is a proxy's, not a service's."""
    assert isinstance(caught(answered("404", 404, operation="HeadBucket")), NotThere)
    for operation in ("ListObjectsV2", "DescribeTable", "GetParameter"):
        assert isinstance(caught(answered("404", 404, operation=operation)), CannotSee)


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
    assert isinstance(found, CannotSee)
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
    assert isinstance(found, CannotSee)
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
    assert isinstance(found, BadInput)
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
    assert isinstance(found, CannotSee)
    assert "--endpoint-url" in str(found)


def test_other_errors_pass() -> None:
    """A mistake in the program is not dressed up as one of a service."""
    with pytest.raises(KeyError), looking_at("bucket b"):
        raise KeyError("x")
