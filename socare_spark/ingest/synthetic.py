"""The marker of a synthetic landing folder.

The demo key is public. It is accepted only for a folder with synthetic data and no other files.
The program that writes synthetic data marks the folder with a file `SYNTHETIC.json`.
docs/contracts.md describes its format.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from socare_spark.config import StrictModel
from socare_spark.storage.local_files import sha256_of

MARKER = "SYNTHETIC.json"
_VERSION = 1


class _Marker(StrictModel, strict=True):
    """The content of a marker file.

    Attributes:
        version: Version of the format.
        files: Path below the folder -> SHA-256, for each file of the folder except the marker.
        not_read: Paths among `files` that no job reads.
    """

    version: Annotated[int, Field(ge=_VERSION, le=_VERSION)]
    files: dict[str, Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{64}\z")]]
    not_read: tuple[str, ...] = ()


def is_synthetic(landing: Path) -> bool:
    """Whether the marker names each file of a landing folder with its digest, and no other file."""
    marker = _read_marker(landing)
    if marker is None or _entries(landing) != set(marker.files):
        return False
    return all(_has_digest(landing / name, digest) for name, digest in marker.files.items())


def marker_files(landing: Path) -> set[str]:
    """Names of the marker file and of the files that it declares as not read by any job."""
    marker = _read_marker(landing)
    if marker is None:
        return {MARKER}
    entries = _entries(landing)
    declared = {name for name in marker.not_read if name in entries and name in marker.files}
    return {MARKER, *(n for n in declared if _has_digest(landing / n, marker.files[n]))}


def _read_marker(landing: Path) -> _Marker | None:
    """The content of the marker; None if it is missing or invalid."""
    try:
        return _Marker.model_validate_json((landing / MARKER).read_bytes())
    except (OSError, ValidationError):
        return None


def _entries(landing: Path) -> set[str]:
    """Paths of all entries below a folder except plain folders and the marker."""
    paths = (path for path in landing.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(landing).as_posix() for path in paths} - {MARKER}


def _has_digest(path: Path, digest: str) -> bool:
    try:
        # A pipe or a device would block the read.
        return path.is_file() and sha256_of(path) == digest
    except OSError:
        return False
