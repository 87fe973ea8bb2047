"""The marker that declares a landing folder as synthetic, in the format of docs/contracts.md."""

import json
from collections.abc import Mapping
from pathlib import Path

MARKER = "SYNTHETIC.json"
VERSION = 1


def write_marker(out: Path, digests: Mapping[str, str], not_read: str = "") -> None:
    """Writes the marker.

    Args:
        out: The landing folder.
        digests: Path below the folder -> SHA-256, for each file of the twin.
        not_read: The path of the file that no job reads, if there is one.
    """
    (out / MARKER).write_text(_text(digests, not_read), encoding="utf-8")


def is_marked(out: Path, digests: Mapping[str, str], not_read: str) -> bool:
    """Whether the marker is the one that `write_marker` writes for these files."""
    path = out / MARKER
    return path.is_file() and path.read_bytes() == _text(digests, not_read).encode()


def _text(digests: Mapping[str, str], not_read: str) -> str:
    names = [not_read] if not_read else []
    content = {"version": VERSION, "not_read": names, "files": dict(sorted(digests.items()))}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
