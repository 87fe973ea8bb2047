"""Names of files below the landing folder, as text that is safe in tables and logs."""

import os
import unicodedata
from pathlib import Path

from socare_spark.storage.local_files import PARTIAL

_HIDDEN = ("_", ".")
# Bytes that file systems allow in a name.
_MAX_BYTES = 255


def name_below(landing: Path, path: Path) -> str:
    """The path of a file below the landing folder, with forward slashes.

    Bytes that are not UTF-8 and control characters are escaped as a backslash, `x` and two digits.
    """
    raw = os.fsencode(path.relative_to(landing).as_posix())
    text = raw.decode("utf-8", errors="backslashreplace")
    return "".join(_escape(c) if unicodedata.category(c) == "Cc" else c for c in text)


def max_name_bytes(dataset: str) -> int:
    """Largest length of the name of a file, from which that of its rejected lines is made.

    Args:
        dataset: Name of the file's dataset.
    """
    return _MAX_BYTES - len(f".{dataset}.rejected.csv{PARTIAL}")


def unusable_name(landing: Path, path: Path, dataset: str) -> str:
    """Checks the name of a file.

    Args:
        landing: The landing folder.
        path: The file.
        dataset: Name of its dataset.

    Returns:
        The reason why Spark or the ledger cannot use the name; empty for a usable name.
    """
    name = path.relative_to(landing).as_posix()
    if name != name_below(landing, path):
        return "the name contains control characters or bytes that are not UTF-8: rename the file"
    if path.name.startswith(_HIDDEN):
        return "Spark does not read files whose names begin with _ or .: rename the file"
    if ":" in name:
        return "Spark does not read files whose names contain a colon: rename the file"
    limit = max_name_bytes(dataset)
    if len(os.fsencode(path.name)) > limit:
        return f"the name is longer than {limit} bytes: rename the file"
    return ""


def _escape(character: str) -> str:
    return f"\\x{ord(character):02x}"
