"""Removes secrets from tracking URIs, for output and for the MLflow client."""

import os
import re
from collections.abc import MutableMapping
from urllib.parse import unquote

_USER, _PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
_HIDDEN = "***"
# Local stores have a path and no host; an @ in it is part of a name.
_LOCAL = re.compile(r"(sqlite|file):/", re.IGNORECASE)
_URI = re.compile(r"\S+:/\S+|\S+:\S*@\S+")


def redacted(uri: str) -> str:
    """Redacts a URI for messages, logs and records.

    User, password and the values of the query are removed. Everything before the last @ is removed,
    so a password with unescaped characters is removed too.
    """
    scheme, colon, rest = uri.partition("://") if "://" in uri else ("", "", uri)
    if "@" in rest and not _LOCAL.match(uri):
        rest = rest.rpartition("@")[2]
    address, _, query = rest.partition("?")
    address, _, _ = address.partition("#")
    names = "&".join(f"{part.partition('=')[0]}={_HIDDEN}" for part in query.split("&") if part)
    return f"{scheme}{colon}{address}" + (f"?{names}" if names else "")


def redacted_text(text: str) -> str:
    """Redacts every URI in a message."""
    return _URI.sub(lambda match: redacted(match[0]), text)


def without_credentials(uri: str, environment: MutableMapping[str, str] = os.environ) -> str:
    """Moves user and password of a server URI to environment variables.

    MLflow reads the variables and does not show them. The URI of a database is returned unchanged
    because its driver reads the password from the URI.

    Args:
        uri: The tracking URI.
        environment: Environment in which MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD are
            set.

    Returns:
        The URI without user and password.
    """
    scheme, _, rest = uri.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    if scheme.lower() not in ("http", "https") or not at:
        return uri
    name, _, password = user.partition(":")
    environment[_USER], environment[_PASSWORD] = unquote(name), unquote(password)
    return f"{scheme}://{rest[len(user) + 1 :]}"
