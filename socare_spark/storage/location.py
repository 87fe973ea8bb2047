"""Locations of a lake or of landing files: as given on the command line, and as programs read them.

Spark treats some characters of a path as a pattern; `literal_path` escapes them. delta-rs fails for
some folder names; `check_lake_path` refuses them before a run writes anything.
"""

import re
from argparse import ArgumentTypeError
from pathlib import Path
from urllib.parse import urlsplit

from socare_spark.errors import ConfigurationError

# A single letter is no scheme, and `./hdfs:/x` names a folder of this machine. A known scheme can
# lack its slashes.
_URI = re.compile(
    r"([a-z][a-z0-9+.-]+):/.*|(s3a?|s3n|hdfs|abfss?|wasbs?|gs|dbfs|file):.*",
    re.DOTALL | re.IGNORECASE,
)
# Scheme of a store -> regular expression of its authority.
_STORES = {
    "s3a": r"[A-Za-z0-9][A-Za-z0-9.-]*",
    "hdfs": r"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?)?",
    "abfss": r"[a-z0-9$][a-z0-9-]*@[a-z0-9]+\.dfs\.core\.windows\.net",
    "gs": r"[a-z0-9][a-z0-9._-]*",
}
_FORMS = {
    "s3a": "s3a://BUCKET/FOLDER",
    "hdfs": "hdfs://HOST:PORT/FOLDER",
    "abfss": "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER",
    "gs": "gs://BUCKET/FOLDER",
}
# Programs read these characters of a URI differently.
_AMBIGUOUS = frozenset("%?#")
# Characters in a path that delta-rs cannot open, and escapes such as %20, which it decodes.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f\[\]^|\\]|%[0-9A-Fa-f]{2}")
_PATTERN = re.compile(r"[\\{}\[\]*?]")


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
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    is_local = parts.netloc in ("", "localhost") and parts.path.startswith("/")
    if not is_local or _AMBIGUOUS.intersection(text) or not text.isprintable():
        raise ArgumentTypeError(
            "a URI of a file has the form file:///PATH, without a host and without the characters "
            "% ? #: write the path without file://"
        )
    return Path(parts.path)


def any_location(text: str) -> Path | str:
    """Type of an option that names a folder: a path, or a URI of a store that Spark reaches.

    Raises:
        ArgumentTypeError: the URI has another scheme, or not the form of its scheme.
    """
    uri = _URI.fullmatch(text)
    scheme = (uri[1] or uri[2]).lower() if uri else "file"
    if uri is None or scheme == "file":
        return local_path(text)
    if scheme not in _STORES:
        hint = ": write s3a:// for S3" if scheme in ("s3", "s3n") else ""
        raise ArgumentTypeError(
            f"{scheme}:// is not supported{hint}; supported are a path and {', '.join(_STORES)}"
        )
    # The URI is not repeated, because it can contain a password.
    if not text.isprintable() or _AMBIGUOUS.intersection(text):
        raise ArgumentTypeError(
            "a URI must not contain the characters % ? # and control characters"
        )
    found = re.fullmatch(f"{scheme}://{_STORES[scheme]}(/.*)", text.rstrip("/"))
    if found is None or {"", ".", ".."}.intersection(found[1].split("/")[1:]):
        raise ArgumentTypeError(
            f"a URI of this store has the form {_FORMS[scheme]}, without a user name or password, "
            "empty parts and parts such as .."
        )
    return found[0]


def literal_path(location: Path | str) -> str:
    """Returns an absolute path or a URI in which Spark reads no character as a pattern."""
    uri = location if isinstance(location, str) else str(location.resolve())
    return _PATTERN.sub(r"\\\g<0>", uri)


def check_lake_path(location: Path | str) -> None:
    """Checks that Delta tables can be read below a folder.

    Raises:
        ConfigurationError: the path contains a character or an escape that delta-rs cannot open.
    """
    unusable = sorted(
        {match if match.isprintable() else repr(match) for match in _unusable_parts(location)}
    )
    if unusable:
        raise ConfigurationError(
            f"--lake: Delta tables cannot be read below a folder whose path contains "
            f"{' '.join(unusable)}. Letters, digits, spaces and other punctuation are allowed: "
            "name another folder."
        )


def _unusable_parts(location: Path | str) -> list[str]:
    text = str(location.resolve()) if isinstance(location, Path) else location
    return _UNUSABLE.findall(text)
