"""Checks whether other users can read a folder with exact data."""

import shlex
from pathlib import Path

_OTHERS = 0o077


def open_to_others(folder: Path) -> str | None:
    """Checks the permissions of a folder.

    Returns:
        A warning if other users of the machine have access; None otherwise.
    """
    if not folder.is_dir():
        return None
    mode = folder.stat().st_mode & 0o777
    if not mode & _OTHERS:
        return None
    return (
        f"{folder} is open to other users (mode {mode:o}) and contains exact data: "
        f"close it with chmod -R go-rwx {shlex.quote(str(folder))}"
    )
