"""Locations of a lake or of landing files, as given on the command line."""

import re
from argparse import ArgumentTypeError
from pathlib import Path
from urllib.parse import urlsplit

# A single letter is no scheme, and `./hdfs:/x` names a folder of this machine. A known scheme can
# lack its slashes.
_URI = re.compile(
    r"([a-z][a-z0-9+.-]+):/.*|(s3a?|s3n|hdfs|abfss?|wasbs?|gs|dbfs|file):.*",
    re.DOTALL | re.IGNORECASE,
)
# Programs read these characters of a URI differently.
_AMBIGUOUS = frozenset("%?#")


def local_path(text: str) -> Path:
    """Type of an option that names a folder or a file: a path, or a URI `file:///PATH`.

    Raises:
        ArgumentTypeError: the URI has another scheme, or is not the URI of a file of this machine.
    """
    uri = _URI.fullmatch(text)
    if uri is None:
        return Path(text)
    scheme = (uri[1] or uri[2]).lower()
    if scheme != "file":
        # The rest of the URI is not repeated, because it can contain a password.
        raise ArgumentTypeError(
            f"{scheme}:// is not supported yet: name a folder of this machine, or of a share that "
            "is mounted on it"
        )
    parts = urlsplit(text)
    is_local = parts.netloc in ("", "localhost") and parts.path.startswith("/")
    if not is_local or _AMBIGUOUS.intersection(text):
        raise ArgumentTypeError(
            "a URI of a file has the form file:///PATH, without a host and without the characters "
            "% ? #: write the path without file://"
        )
    return Path(parts.path)
