"""Names of files below the landing folder, as text that every table, log and reader can hold."""

import os
import unicodedata
from pathlib import Path

_HIDDEN = ("_", ".")
# Bytes of a name that file systems take, less those that the names of rejected lines have besides.
LONGEST_NAME = 255 - len(".rejected.csv.partial")


def name_below(landing: Path, path: Path) -> str:
    """The path of a file below the landing folder, with forward slashes and escapes for no text."""
    raw = os.fsencode(path.relative_to(landing).as_posix())
    text = raw.decode("utf-8", errors="backslashreplace")
    return "".join(_escaped(c) if unicodedata.category(c) == "Cc" else c for c in text)


def unusable_name(landing: Path, path: Path) -> str:
    """Why a file cannot be read under its name; empty where it can."""
    name = path.relative_to(landing).as_posix()
    if name != name_below(landing, path):
        return "its name holds bytes or control characters that are no text: rename it"
    if path.name.startswith(_HIDDEN):
        return "Spark does not read files whose names begin with _ or .: rename it"
    if ":" in name:
        return "Spark does not read files whose names hold a colon: rename it"
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        return f"its name has more than {LONGEST_NAME} bytes: rename it"
    return ""


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}"
