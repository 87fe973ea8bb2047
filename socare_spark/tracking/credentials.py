"""A tracking URI without its secrets: what may be shown of it, and what a client gets of it."""

import os
import re
from collections.abc import MutableMapping
from urllib.parse import unquote

_USER, _PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
_HIDDEN = "***"
# Local stores have a path where others have a host; an @ in it is part of a name.
_LOCAL = re.compile(r"(sqlite|file):/", re.IGNORECASE)
_URI = re.compile(r"\S+:/\S+|\S+:\S*@\S+")


def redacted(uri: str) -> str:
    """The URI for messages, logs and records: without user, password and values of its query.

    Everything before the last @ goes, also where a password has characters that must be escaped.
    """
    scheme, colon, rest = uri.partition("://") if "://" in uri else ("", "", uri)
    if "@" in rest and not _LOCAL.match(uri):
        rest = rest.rpartition("@")[2]
    address, _, query = rest.partition("?")
    address, _, _ = address.partition("#")
    names = "&".join(f"{part.partition('=')[0]}={_HIDDEN}" for part in query.split("&") if part)
    return f"{scheme}{colon}{address}" + (f"?{names}" if names else "")


def redacted_text(text: str) -> str:
    """A message with every URI in it redacted."""
    return _URI.sub(lambda found: redacted(found[0]), text)


def without_credentials(uri: str, environment: MutableMapping[str, str] = os.environ) -> str:
    """The address of a server without user and password; these go into the environment.

    MLflow reads them there, and shows them nowhere. Other URIs than a server's are returned as they
    are: the driver of a database takes its password from the URI.
    """
    scheme, _, rest = uri.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    if scheme.lower() not in ("http", "https") or not at:
        return uri
    name, _, password = user.partition(":")
    environment[_USER], environment[_PASSWORD] = unquote(name), unquote(password)
    return f"{scheme}://{rest[len(user) + 1 :]}"
