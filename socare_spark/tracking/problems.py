"""What an error of MLflow means to an operator: one clause, without the URI's secrets."""

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
    """The error as the mirror reports it.

    Args:
        error: Whatever MLflow or a library below it raised.
        uri: The tracking URI; of it only the server's name and port are told.
    """
    if isinstance(error, TrackerError):
        return error
    place = _place(uri)
    errors = list(_chain(error))
    if place is None:
        return TrackerError(_BAD_ADDRESS, lasting=True)
    for applies, says, lasting in _RULES:
        if any(applies(one) for one in errors):
            return TrackerError(says.format(place=place), lasting=lasting)
    return TrackerError(f"{place} reported {_code(error)}", lasting=False)


def deleted(experiment: str, number: str) -> TrackerError:
    """Nothing is written to an experiment that somebody deleted."""
    return TrackerError(
        f"the experiment {experiment} is deleted: restore it with 'mlflow experiments restore "
        f"--experiment-id {number}', or remove it for good with 'mlflow gc'",
        lasting=True,
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _code(error: BaseException) -> str:
    return str(error.error_code) if isinstance(error, MlflowException) else type(error).__name__


def _place(uri: str) -> str | None:
    """The server's name and port alone, without user, password and query; None without a name."""
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
    "the URI is not one of a tracking server: give --mlflow http://SERVER:PORT, https://SERVER, "
    "sqlite:////PATH or off"
)
# Which errors, the clause, and whether it holds for all later requests; the first that applies.
_RULES: tuple[tuple[Callable[[BaseException], bool], str, bool], ...] = (
    (_is(*_BAD_URI), _BAD_ADDRESS, True),
    (_is(SSLError), "the certificate of {place} was not accepted", True),
    (_is(NoConnectionError, Timeout), "{place} did not answer: see that it runs", False),
    (
        lambda error: _code(error) in _REFUSED,
        "{place} refused access: check user, password or token and their rights",
        True,
    ),
    (
        lambda error: _code(error) in _NO_SERVER or "valid JSON" in str(error),
        "{place} answered, but not as an MLflow server: check the address",
        True,
    ),
    (
        lambda error: "out-of-date database schema" in str(error),
        "another version of MLflow made the database: bring it up to date with 'mlflow db "
        "upgrade', or name a new one",
        True,
    ),
    (_is(DBAPIError), "{place} could not be opened or written: check its path and rights", False),
    (
        lambda error: isinstance(error, OSError) and not isinstance(error, RequestException),
        "a file of the record, or its copy, could not be read or written",
        False,
    ),
)
