"""Finds files of the landing folder that no job reads and names the closest contract."""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.file_names import name_below
from socare_spark.ingest.synthetic import marker_files
from socare_spark.plurals import agreeing
from socare_spark.spelling import closest_names

_COPY = re.compile(r" \(\d+\)|( -)? copy( \(\d+\))?|^copy of ", re.IGNORECASE)
_ARCHIVE = re.compile(r"\.(zip|7z|rar|bz2|xz|zst|tar|tgz)$", re.IGNORECASE)
_SHEET = re.compile(r"\.(xlsx?|xlsm|xlsb|ods)$", re.IGNORECASE)
_TEXT = re.compile(r"\.(txt|tsv)$", re.IGNORECASE)
# Files named in a warning; the run record names all of them.
_MAX_NAMED = 5


def unclaimed(
    landing: Path, conf: Path, contracts: Sequence[Contract], claimed: Collection[str]
) -> Mapping[str, str]:
    """Finds the files that no contract and not places.yaml claims.

    Args:
        landing: The landing folder.
        conf: The configuration folder; its places.yaml names files too.
        contracts: The contracts.
        claimed: Names of the files that match a contract.

    Returns:
        Name of each unclaimed file -> reason.
    """
    read = {*claimed, *marker_files(landing), *_files_of_places(landing, conf)}
    paths = {name_below(landing, p): p for p in landing.rglob("*")}
    reasons: dict[str, str] = {}
    for name, path in sorted(paths.items()):
        if path.is_file() and name not in read:
            reasons[name] = _unclaimed_reason(name, contracts)
        elif not path.is_file() and (reason := _not_a_file_reason(path)):
            reasons[name] = reason
    return reasons


def _not_a_file_reason(path: Path) -> str:
    """The reason why an entry that is not a file is not read; empty for a readable folder."""
    if path.is_symlink():
        if path.is_dir():
            return "a link to a folder is not followed: copy or mount the folder here"
        return "the target of the link does not exist: copy the file here"
    if not path.is_dir():
        return "neither a file nor a folder: copy the file here"
    return (
        ""
        if os.access(path, os.R_OK | os.X_OK)
        else "the files of the folder cannot be listed: change its permissions"
    )


def unclaimed_warnings(reasons: Mapping[str, str]) -> list[str]:
    """Builds one warning for all files with the same reason."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, reason in reasons.items():
        groups[reason].append(name)
    return [f"{_subject(names)} not read: {reason}." for reason, names in groups.items()]


def _subject(names: Sequence[str]) -> str:
    """The files, with their number if only some are named."""
    named = ", ".join(names[:_MAX_NAMED])
    if len(names) > _MAX_NAMED:
        return f"{len(names)} files ({named} and {len(names) - _MAX_NAMED} more) were"
    return f"{named} {agreeing(len(names), 'was', 'were')}"


def _files_of_places(landing: Path, conf: Path) -> Iterator[str]:
    """Names of the files that places.yaml names. The job `places` reports errors in the file."""
    try:
        settings = yaml.safe_load((conf / "places.yaml").read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return
    for pattern in _patterns(settings):
        for path in _matching_files(landing, pattern):
            files = path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.stem}.*")
            for file in (path, *(files if path.is_dir() or path.suffix == ".shp" else ())):
                yield name_below(landing, file)


def _patterns(settings: Any) -> Iterator[str]:  # noqa: ANN401 - any YAML
    if isinstance(settings, dict):
        for key, value in settings.items():
            if key == "file" and isinstance(value, str):
                yield value
            elif key == "files" and isinstance(value, list):
                yield from (item for item in value if isinstance(item, str))
            else:
                yield from _patterns(value)
    elif isinstance(settings, list):
        for value in settings:
            yield from _patterns(value)


def _matching_files(landing: Path, pattern: str) -> list[Path]:
    try:
        return [*landing.glob(pattern), *(p for p in [landing / pattern] if p.exists())]
    except (ValueError, NotImplementedError):
        return []


def _unclaimed_reason(name: str, contracts: Sequence[Contract]) -> str:
    """The reason why no contract claims a file, with a change of its name if a simple one helps."""
    for contract in contracts:
        hint = _suggest_rename(name, contract.socare.files)
        if hint:
            return f"{hint} (contract {contract.name})"
    closest = _closest(name, contracts)
    if closest is None:
        return "the name matches no contract's socare.files and is not in places.yaml"
    return (
        f"the name matches no contract's socare.files; the closest contract is {closest.name}, "
        f"whose files are named {closest.socare.files}"
    )


def _suggest_rename(name: str, pattern: str) -> str:
    """Suggests a change after which a name matches a pattern; empty if no simple change helps."""

    def claims(text: str) -> bool:
        return re.fullmatch(pattern, text, re.IGNORECASE) is not None

    folder, slash, file = name.rpartition("/")
    bare = folder + slash + _COPY.sub("", file)
    if claims(name):
        return "the name differs from the pattern in upper and lower case: rename the file"
    if claims(bare):
        return "the name is that of a copy: rename the file, or delete it if it is a copy"
    for ending, advice in (
        (_ARCHIVE, "an archive: unpack it"),
        (
            _SHEET,
            "a workbook: declare format (xlsx, xls or ods) and the ending in socare.files of the "
            "contract, or save it as CSV",
        ),
        (_TEXT, "not named .csv: add its ending to socare.files of the contract"),
    ):
        stem = ending.sub("", bare)
        if stem != bare and any(claims(stem + end) for end in ("", ".csv", ".csv.gz")):
            return f"the file is {advice}"
    return ""


def _closest(name: str, contracts: Sequence[Contract]) -> Contract | None:
    by_prefix = {_literal_prefix(c.socare.files).lower(): c for c in contracts}
    folder = name.lower().partition("/")[0]
    same_folder = [c for start, c in by_prefix.items() if start.partition("/")[0] == folder]
    close = closest_names(name.lower(), by_prefix, most=1, cutoff=0.5)
    return same_folder[0] if same_folder else by_prefix[close[0]] if close else None


def _literal_prefix(pattern: str) -> str:
    """The literal text at the beginning of a pattern."""
    return re.split(r"[\\(\[.*+?{|^$]", pattern, maxsplit=1)[0]
