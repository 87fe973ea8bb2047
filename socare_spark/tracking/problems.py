"""Translates errors of MLflow to one clause for the operator, without secrets of the URI."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException
from requests.exceptions import ConnectionError as NoConnectionError
from requests.exceptions import (
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    RequestException,
    SSLError,
    Timeout,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from socare_spark.tracking.mirror import TrackerError

_REFUSED = {"UNAUTHENTICATED", "PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED"}
_NO_SERVER = {"ENDPOINT_NOT_FOUND", "NOT_FOUND"}
_BAD_URI = (
    ArgumentError,
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    NoSuchModuleError,
    UnsupportedModelRegistryStoreURIException,
)


def problem(error: Exception, uri: str) -> TrackerError:
    """Translates an error for the report of the mirror.

    Args:
        error: The exception from MLflow or one of its libraries.
        uri: The tracking URI; the message has only the host and port of the server.
    """
    if isinstance(error, TrackerError):
        return error
    place = _place(uri)
    errors = list(_chain(error))
    if place is None:
        return TrackerError(_BAD_ADDRESS, lasting=True)
    for applies, message, lasting in _RULES:
        if any(applies(link) for link in errors):
            return TrackerError(message.format(place=place), lasting=lasting)
    return TrackerError(f"{place} reported {_code(error)}", lasting=False)


def deleted(experiment: str, number: str) -> TrackerError:
    """The error for an experiment that was deleted in MLflow."""
    return TrackerError(
        f"the experiment {experiment} is deleted: restore it with 'mlflow experiments restore "
        f"--experiment-id {number}', or remove it permanently with 'mlflow gc'",
        lasting=True,
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its chain of causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _code(error: BaseException) -> str:
    return str(error.error_code) if isinstance(error, MlflowException) else type(error).__name__


def _place(uri: str) -> str | None:
    """Names the server or database of a URI without user, password and query.

    Returns:
        `the server HOST:PORT` or `the database`; None for an invalid server address.
    """
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host is None:
        return None if parts.scheme in ("http", "https") else "the database"
    return f"the server {host}" + (f":{port}" if port else "")


def _is(*kinds: type[BaseException]) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, kinds)


_BAD_ADDRESS = (
    "the URI is not a tracking URI: give --mlflow http://SERVER:PORT, https://SERVER, "
    "sqlite:////PATH or off"
)
# Condition on an error, message, and whether the error is permanent. The first match applies.
_RULES: tuple[tuple[Callable[[BaseException], bool], str, bool], ...] = (
    (_is(*_BAD_URI), _BAD_ADDRESS, True),
    (_is(SSLError), "the certificate of {place} was not accepted", True),
    (_is(NoConnectionError, Timeout), "{place} did not answer: check that it is running", False),
    (
        lambda error: _code(error) in _REFUSED,
        "{place} refused access: check user, password or token and their permissions",
        True,
    ),
    (
        lambda error: _code(error) in _NO_SERVER or "valid JSON" in str(error),
        "{place} answered, but not as an MLflow server: check the address",
        True,
    ),
    (
        lambda error: "out-of-date database schema" in str(error),
        "the database was created by another version of MLflow: upgrade it with 'mlflow db "
        "upgrade', or name a new database",
        True,
    ),
    (
        _is(DBAPIError),
        "{place} could not be opened or written: check its path and permissions",
        False,
    ),
    (
        lambda error: isinstance(error, OSError) and not isinstance(error, RequestException),
        "a file of the run record could not be read or copied",
        False,
    ),
)
