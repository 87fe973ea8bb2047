"""Tokens for identifiers: HMAC-SHA256 under a subkey for council, project, scheme and key id.

Guarantees: a token is the same whatever the file, the order and the cut of the work; no two schemes
share a token; a missing or placeholder identifier has none; the key is never an argument, a literal
of a plan, or in a log. The two pads of a subkey travel as columns of a small broadcast frame.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import stat
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from socare_spark.contracts.project import Project, Scheme
from socare_spark.errors import NotPermittedError
from socare_spark.ingest.whitespace import WHITESPACE
from socare_spark.lake.transaction import write_durably

KEY_FILE = "SOCARE_KEY_FILE"
KEY = "SOCARE_KEY"
DEMO = "demo"
_SHORTEST = 32
_BLOCK = 64
_CHECK = "key check value"
# What spreadsheets put around a number to keep it a text, and what they make of a whole number.
_WRAPPED = re.compile(r'^=?"([^"]*)"$')
_TEXT_MARKS = "'\u2018\u2019"
_POINT = "."
_WHOLE_NUMBER = re.compile(r"^([0-9]+)[.]0+$")
# The ASCII blanks of WHITESPACE around a text, for Java.
_EDGES = r"^[\x00-\x20]+|[\x00-\x20]+$"


@dataclass(frozen=True)
class Pads:
    """The padded blocks of one subkey (RFC 2104), ready for two rounds of SHA-256."""

    inner: bytes
    outer: bytes

    def __repr__(self) -> str:
        return "Pads(...)"


@dataclass(frozen=True)
class Keyring:
    """The project's key, able to make subkeys and nothing else."""

    _key: bytes
    project: Project

    def __repr__(self) -> str:
        return "Keyring(...)"

    def subkey(self, scheme: str) -> bytes:
        """HKDF-SHA256 (RFC 5869) over council, project, scheme and key id."""
        parts = (self.project.council, self.project.project, scheme, self.project.key_id)
        info = json.dumps(("socare_spark", *parts), ensure_ascii=True).encode()
        return HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(self._key)

    def pads(self, scheme: str) -> Pads:
        """The padded blocks of a scheme's subkey."""
        block = self.subkey(scheme).ljust(_BLOCK, b"\0")
        return Pads(bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block))

    def check_value(self) -> str:
        """A value that tells whether two runs hold the same key, and nothing else about it."""
        return hmac.new(self.subkey(_CHECK), b"check", hashlib.sha256).hexdigest()[:16]


def open_keyring(project: Project, *, twin: bool, environment: Mapping[str, str]) -> Keyring:
    """The key named by the environment.

    Args:
        project: Council, project, key id.
        twin: Whether the landing folder is a synthetic study, for which alone the demo key serves.
        environment: Usually `os.environ`.

    Raises:
        NotPermittedError: there is no key, it is too short, others can read its file, or it is the
            demo key and the data are not the twin's.
    """
    given = environment.get(KEY, "")
    if given.strip().lower() == DEMO:
        if not twin:
            raise NotPermittedError(
                "The demo key serves the synthetic study only, and the landing folder holds other "
                f"files: set {KEY_FILE} to the file with the project's key."
            )
        return Keyring(hashlib.sha256(b"socare_spark demo key").digest(), project)
    named = environment.get(KEY_FILE)
    if named:
        return Keyring(_decoded(_from_file(Path(named)), f"the file {KEY_FILE} names"), project)
    if given:
        return Keyring(_decoded(given, KEY), project)
    raise NotPermittedError(
        f"There is no key to pseudonymise with: set {KEY_FILE} to a file that only you can read, "
        "made for instance with: openssl rand -hex 32"
    )


def _from_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise NotPermittedError(
                f"The key file {path} can be read by others: run chmod 600 {path}"
            )
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise NotPermittedError(
            f"The key file {path} cannot be read: {KEY_FILE} must name a text file with the key "
            "in hexadecimal or base64."
        ) from None


def _decoded(text: str, where: str) -> bytes:
    text = "".join(text.split())
    for decode in (bytes.fromhex, lambda t: base64.b64decode(t, validate=True)):
        try:
            key = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(key) >= _SHORTEST:
            return key
    raise NotPermittedError(
        f"The key in {where} is not {_SHORTEST} bytes or more in hexadecimal or base64: "
        "make one with: openssl rand -hex 32"
    )


def check_key(keyring: Keyring, path: Path, *, begun: bool = False) -> None:
    """Compares the key with the one a lake was begun with; notes it in a new lake.

    Args:
        keyring: The key.
        path: Where the lake keeps what identifies its key.
        begun: Whether the lake holds rows already.

    Raises:
        NotPermittedError: the lake was made with another key, council, project or key id, or it
            holds rows and cannot say with which.
    """
    ours = {
        "council": keyring.project.council,
        "project": keyring.project.project,
        "key_id": keyring.project.key_id,
        "check": keyring.check_value(),
    }
    schemes = {
        f"the scheme {name}": hashlib.sha256(scheme.model_dump_json().encode()).hexdigest()[:16]
        for name, scheme in keyring.project.schemes.items()
    }
    if not path.exists() and not begun:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, ours | schemes)
        return
    theirs = _noted(path)
    changed = [name for name, value in schemes.items() if theirs.get(name, value) != value]
    if changed:
        raise NotPermittedError(
            f"conf/project.yaml reads identifiers of {', '.join(changed)} otherwise than when this "
            "lake was begun, so one person would get two tokens: restore it, or begin a new lake."
        )
    different = [name for name, value in ours.items() if theirs.get(name) != value]
    if different:
        what = "the key" if different == ["check"] else ", ".join(different)
        raise NotPermittedError(
            f"This lake was pseudonymised with another {what.removeprefix('the ')}: use the one it "
            "was begun with, or begin a new lake."
        )
    if not schemes.keys() <= theirs.keys():
        write_durably(path, theirs | schemes)


def _noted(path: Path) -> dict[str, str]:
    try:
        noted = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        noted = None
    if not isinstance(noted, dict):
        raise NotPermittedError(
            f"The lake holds rows, and {path}, which identifies the key they were pseudonymised "
            "with, is missing or damaged; another key would give each person a second token: "
            "restore the file from a backup, or begin a new lake."
        )
    return noted


def normalise_text(identifier: str, scheme: Scheme) -> str:
    """An identifier in the one spelling that is hashed.

    NFKC without format characters, blanks around it, the quotes of a spreadsheet's text (`'7`,
    `="7"`) and a trailing `.0`; upper case; digits of all scripts as 0 to 9. The reference for
    `normalise_columns`, which does the same in Spark.
    """
    text = "".join(map(_keep_character, unicodedata.normalize("NFKC", identifier)))
    text = _strip_edges(_WRAPPED.sub(r"\1", _strip_edges(text)))
    text = _strip_edges(text.lstrip(_TEXT_MARKS)).upper()
    for character in _all_but_points(scheme):
        text = text.replace(character, "")
    text = _WHOLE_NUMBER.sub(r"\1", text)
    if _POINT in scheme.remove:
        text = text.replace(_POINT, "")
    if scheme.strip_leading_zeros:
        text = text.lstrip("0") or ("0" if text else "")
    return text


def _all_but_points(scheme: Scheme) -> str:
    """The characters to remove first: a trailing `.0` must be seen before points go."""
    return scheme.remove.replace(_POINT, "")


def _keep_character(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _strip_edges(text: str) -> str:
    return text.strip().strip(WHITESPACE).strip()


def placeholders(scheme: Scheme) -> list[str]:
    """The normalised values that mean no identifier."""
    return sorted({"", *(normalise_text(value, scheme) for value in scheme.placeholders)})


def normalise_columns(
    frame: DataFrame, schemes: Mapping[str, Scheme], *, ascii_only: bool
) -> DataFrame:
    """Normalises columns of identifiers; null where one is missing or a placeholder.

    ASCII is handled by Spark; other rows alone go through Python, which has NFKC. Each step is a
    projection of its own: composed into one expression, the copies of a cell multiply, and planning
    takes minutes.

    Args:
        frame: Its columns named in `schemes` hold cells without blanks around them.
        schemes: Column -> how its identifiers are spelled.
        ascii_only: Whether the files are known to hold no other character.
    """
    if not ascii_only:
        others = {
            f"_other_{name}": _normalise_in_python(scheme)(F.when(~_ascii(name), F.col(name)))
            for name, scheme in schemes.items()
        }
        frame = frame.withColumns(others)
    for step in (_unwrapped, _upper, _without_decimals, _without_points, _without_zeros):
        frame = frame.withColumns({n: step(F.col(n), scheme) for n, scheme in schemes.items()})
    if not ascii_only:
        both = {n: F.coalesce(f"_other_{n}", n) for n in schemes}
        frame = frame.withColumns(both).drop(*others)
    known = {n: _without_placeholders(F.col(n), scheme) for n, scheme in schemes.items()}
    return frame.withColumns(known)


def _ascii(name: str) -> Column:
    return F.length(name) == F.octet_length(name)


def _unwrapped(cell: Column, _scheme: Scheme) -> Column:
    """An ASCII cell without the quotes that a spreadsheet puts around a text."""
    inner = F.regexp_replace(cell, _WRAPPED.pattern, "$1")
    inner = F.regexp_replace(inner, _EDGES, "")
    inner = F.regexp_replace(inner, f"^[{_TEXT_MARKS}]+", "")
    quoted = F.substring(cell, 1, 1).isin("'", "=", '"')
    return F.when(quoted, F.regexp_replace(inner, _EDGES, "")).otherwise(cell)


def _upper(text: Column, scheme: Scheme) -> Column:
    upper = F.upper(text)
    remove = _all_but_points(scheme)
    return F.translate(upper, remove, "") if remove else upper


def _without_decimals(text: Column, _scheme: Scheme) -> Column:
    shorter = F.regexp_replace(text, _WHOLE_NUMBER.pattern, "$1")
    return F.when(text.endswith("0") & text.contains("."), shorter).otherwise(text)


def _without_points(text: Column, scheme: Scheme) -> Column:
    return F.translate(text, _POINT, "") if _POINT in scheme.remove else text


def _without_zeros(text: Column, scheme: Scheme) -> Column:
    if not scheme.strip_leading_zeros:
        return text
    short = F.ltrim(text, F.lit("0"))
    return F.when((short == "") & (text != ""), F.lit("0")).otherwise(short)


def _without_placeholders(text: Column, scheme: Scheme) -> Column:
    return F.when(text.isNotNull() & ~text.isin(*placeholders(scheme)), text)


def has_shape(identifier: Column, scheme: Scheme) -> Column:
    """Whether a normalised identifier has the shape that its scheme declares."""
    return identifier.rlike(rf"\A(?:{scheme.shape})\z")


def _normalise_in_python(scheme: Scheme) -> Callable[[Column], Column]:
    def spelled(values: pd.Series) -> pd.Series:
        return values.map(lambda v: None if v is None else normalise_text(v, scheme))

    made: Callable[[Column], Column] = pandas_udf(spelled, "string")  # type: ignore[call-overload]
    return made


def digest(identifier: Column, inner: Column, outer: Column) -> Column:
    """HMAC-SHA256 of a normalised identifier as 64 hexadecimal digits; null for null."""
    message = F.concat(inner, identifier.cast("binary"))
    return F.sha2(F.concat(outer, F.unhex(F.sha2(message, 256))), 256)


def token(digest_: Column) -> Column:
    """The first eight bytes of a digest as a signed big-endian BIGINT."""
    # Cut as bytes: of a text Spark would count all characters first.
    first = F.substring(digest_.cast("binary"), 1, 16).cast("string")
    return F.conv(first, 16, -10).cast("bigint")
