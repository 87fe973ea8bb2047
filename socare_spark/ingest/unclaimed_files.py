"""The files of the landing folder that nothing reads, each with the contract closest to it."""

import difflib
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

_COPY = re.compile(r" \(\d+\)|( -)? copy( \(\d+\))?|^copy of ", re.IGNORECASE)
_ARCHIVE = re.compile(r"\.(zip|7z|rar|bz2|xz|zst|tar|tgz)$", re.IGNORECASE)
_SHEET = re.compile(r"\.(xlsx?|xlsm|xlsb|ods|txt|tsv)$", re.IGNORECASE)
_MOST_NAMED = 20


def unclaimed(
    landing: Path, conf: Path, contracts: Sequence[Contract], claimed: Collection[str]
) -> Mapping[str, str]:
    """File below the landing folder -> why nothing reads it.

    Args:
        landing: The landing folder.
        conf: The configuration, whose places.yaml names files too.
        contracts: The contracts.
        claimed: Files that a contract claims.
    """
    known = {*claimed, *marker_files(landing), *_of_places(landing, conf)}
    paths = {name_below(landing, p): p for p in landing.rglob("*")}
    found: dict[str, str] = {}
    for name, path in sorted(paths.items()):
        if path.is_file() and name not in known:
            found[name] = _why(name, contracts)
        elif not path.is_file() and (why := _no_file(path)):
            found[name] = why
    return found


def _no_file(path: Path) -> str:
    """Why what is not a file is not read; empty for a folder whose files are looked at."""
    if path.is_symlink():
        if path.is_dir():
            return "it is a link to a folder, which is not followed: copy or mount the folder here"
        return "it is a link to a file that is not there: copy the file here"
    if not path.is_dir():
        return "it is neither a file nor a folder: copy the file here"
    return (
        "" if os.access(path, os.R_OK | os.X_OK) else "its files cannot be listed: change its mode"
    )


def sentences(found: Mapping[str, str]) -> list[str]:
    """What is said of such files: one sentence for each reason and folder."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, why in found.items():
        groups[name.rpartition("/")[0], why].append(name)
    said = []
    for (_, why), names in groups.items():
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        verb = "was" if len(names) == 1 else "were"
        said.append(f"{', '.join(names[:_MOST_NAMED])}{more} {verb} not read: {why}.")
    return said


def _of_places(landing: Path, conf: Path) -> Iterator[str]:
    """The files that places.yaml names; what is wrong with it, `places` says."""
    try:
        settings = yaml.safe_load((conf / "places.yaml").read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return
    for pattern in _patterns(settings):
        for path in _matching(landing, pattern):
            inside = path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.stem}.*")
            for each in (path, *(inside if path.is_dir() or path.suffix == ".shp" else ())):
                yield name_below(landing, each)


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


def _matching(landing: Path, pattern: str) -> list[Path]:
    try:
        return [*landing.glob(pattern), *(p for p in [landing / pattern] if p.exists())]
    except (ValueError, NotImplementedError):
        return []


def _why(name: str, contracts: Sequence[Contract]) -> str:
    """Why no contract claims a file, with the change to its name that one would accept."""
    for contract in contracts:
        hint = _change(name, contract.socare.files)
        if hint:
            return f"{hint} (contract {contract.name})"
    closest = _closest(name, contracts)
    if closest is None:
        return "it matches no contract's socare.files and is not in places.yaml"
    return (
        f"it matches no contract's socare.files; the closest is {closest.name}, whose files are "
        f"named {closest.socare.files}"
    )


def _change(name: str, pattern: str) -> str:
    """The change that makes a pattern claim a name; empty where no simple one does."""

    def claims(text: str) -> bool:
        return re.fullmatch(pattern, text, re.IGNORECASE) is not None

    folder, slash, file = name.rpartition("/")
    bare = folder + slash + _COPY.sub("", file)
    if claims(name):
        return "its name differs from the pattern in upper and lower case: rename it"
    if claims(bare):
        return "its name is that of a copy: rename it, or delete it where it is one"
    for ending, advice in (
        (_ARCHIVE, "an archive: unpack it"),
        (_SHEET, "not CSV: save it as CSV"),
    ):
        stem = ending.sub("", bare)
        if stem != bare and any(claims(stem + end) for end in ("", ".csv", ".csv.gz")):
            return f"it is {advice}"
    return ""


def _closest(name: str, contracts: Sequence[Contract]) -> Contract | None:
    starts = {_literal(c.socare.files).lower(): c for c in contracts}
    folder = name.lower().partition("/")[0]
    same = [c for start, c in starts.items() if start.partition("/")[0] == folder]
    close = difflib.get_close_matches(name.lower(), list(starts), n=1, cutoff=0.5)
    return same[0] if same else starts[close[0]] if close else None


def _literal(pattern: str) -> str:
    """The text with which all names of a pattern begin."""
    return re.split(r"[\\(\[.*+?{|^$]", pattern, maxsplit=1)[0]
