"""Whether other users can enter a folder that holds exact data."""

import shlex
from pathlib import Path

_OTHERS = 0o077


def open_to_others(folder: Path) -> str | None:
    """A warning where a folder is open to other users of the machine; None where it is not."""
    if not folder.is_dir():
        return None
    mode = folder.stat().st_mode & 0o777
    if not mode & _OTHERS:
        return None
    return (
        f"{folder} is open to other users (mode {mode:o}) and holds exact data: "
        f"close it with chmod -R go-rwx {shlex.quote(str(folder))}"
    )
