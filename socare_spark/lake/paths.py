"""Handles folder names that Spark and delta-rs treat differently from the file system.

Spark treats some characters of a path as a pattern; `literal_path` escapes them. delta-rs fails for
some folder names; `check_lake_path` refuses them before a run writes anything.
"""

import re
from pathlib import Path

from socare_spark.errors import ConfigurationError

# Characters in a path that delta-rs cannot open, and escapes such as %20, which it decodes.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f\[\]^|\\]|%[0-9A-Fa-f]{2}")
_PATTERN = re.compile(r"[\\{}\[\]*?]")


def literal_path(path: Path) -> str:
    """Returns an absolute path in which Spark reads no character as a pattern."""
    return _PATTERN.sub(r"\\\g<0>", str(path.resolve()))


def check_lake_path(path: Path) -> None:
    """Checks that Delta tables can be read below a folder.

    Raises:
        ConfigurationError: the path contains a character or an escape that delta-rs cannot open.
    """
    unusable = sorted(
        {match if match.isprintable() else repr(match) for match in _unusable_parts(path)}
    )
    if unusable:
        raise ConfigurationError(
            f"--lake: Delta tables cannot be read below a folder whose path contains "
            f"{' '.join(unusable)}. Letters, digits, spaces and other punctuation are allowed: "
            "name another folder."
        )


def _unusable_parts(path: Path) -> list[str]:
    return _UNUSABLE.findall(str(path.resolve()))
