"""Computes tokens for identifiers: HMAC-SHA256 under a subkey.

The subkey depends on council, project, scheme and key id.

Guarantees: the token of an identifier does not depend on its file, the order of the rows or the
partitioning. Tokens of different schemes differ. A missing or placeholder identifier has no token.
The key is never a command-line argument, a literal of a query plan, or in a log: the two pads of
a subkey are columns of a small broadcast frame.
"""

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from socare_spark.contracts.project import Project, Scheme
from socare_spark.errors import NotPermittedError
from socare_spark.ingest.key_source import KEY_FILE, find_key
from socare_spark.ingest.whitespace import WHITESPACE
from socare_spark.session import hadoop_configuration

_BLOCK_BYTES = 64
_CHECK = "key check value"
# Quotes that spreadsheets add to keep a number as text, and decimals that they add to an integer.
_WRAPPED = re.compile(r'^=?"([^"]*)"$')
_TEXT_MARKS = "'\u2018\u2019"
_POINT = "."
_WHOLE_NUMBER = re.compile(r"^([0-9]+)[.]0+$")
# The ASCII characters of WHITESPACE at the ends of a text, as a Java regular expression.
_EDGE_WHITESPACE = r"^[\x00-\x20]+|[\x00-\x20]+$"


@dataclass(frozen=True)
class Pads:
    """The inner and outer padded blocks of one subkey (RFC 2104)."""

    inner: bytes
    outer: bytes

    def __repr__(self) -> str:
        return "Pads(...)"


@dataclass(frozen=True)
class Keyring:
    """The project's key. It derives subkeys and does not expose the key itself."""

    _key: bytes
    project: Project

    def __repr__(self) -> str:
        return "Keyring(...)"

    def subkey(self, scheme: str) -> bytes:
        """Derives a subkey by HKDF-SHA256 (RFC 5869) over council, project, scheme and key id."""
        parts = (self.project.council, self.project.project, scheme, self.project.key_id)
        info = json.dumps(("socare_spark", *parts), ensure_ascii=True).encode()
        return HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(self._key)

    def pads(self, scheme: str) -> Pads:
        """The padded blocks of a scheme's subkey."""
        block = self.subkey(scheme).ljust(_BLOCK_BYTES, b"\0")
        return Pads(bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block))

    def check_value(self) -> str:
        """A value that is equal for equal keys and does not reveal the key."""
        return hmac.new(self.subkey(_CHECK), b"check", hashlib.sha256).hexdigest()[:16]


def open_keyring(project: Project, *, synthetic: bool, environment: Mapping[str, str]) -> Keyring:
    """Reads the key from its one source: a file, the environment, or the session's provider.

    Args:
        project: Council, project and key id.
        synthetic: Whether the landing folder is synthetic. Only then is the demo key permitted.
        environment: Environment variables, usually `os.environ`.

    Raises:
        NotPermittedError: no source or more than one has a key, the key is too short, other users
            can read its file, or it is the demo key and the data are not synthetic.
    """
    source = find_key(environment, hadoop_configuration())
    if source.is_demo:
        if not synthetic:
            raise NotPermittedError(
                "The demo key is permitted for synthetic data only, and the landing folder has "
                f"other files: set {KEY_FILE} to the file with the project's key."
            )
        return Keyring(hashlib.sha256(b"socare_spark demo key").digest(), project)
    return Keyring(source.key(), project)


def normalise_text(identifier: str, scheme: Scheme) -> str:
    """Normalises an identifier to the spelling that is hashed.

    The result is NFKC in upper case with the digits of all scripts as 0 to 9. Format characters,
    surrounding whitespace, the quotes of spreadsheets (`'7`, `="7"`), a trailing `.0` and the
    characters that the scheme removes are dropped. This is the reference for `normalise_columns`,
    which does the same in Spark.
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
    """The characters to remove first. Points follow later, after a trailing `.0` is dropped."""
    return scheme.remove.replace(_POINT, "")


def _keep_character(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _strip_edges(text: str) -> str:
    return text.strip().strip(WHITESPACE).strip()


def placeholders(scheme: Scheme) -> list[str]:
    """Normalised values of a scheme that mean no identifier, the empty text included."""
    return sorted({"", *(normalise_text(value, scheme) for value in scheme.placeholders)})


def normalise_columns(
    frame: DataFrame, schemes: Mapping[str, Scheme], *, ascii_only: bool
) -> DataFrame:
    """Normalises columns of identifiers.

    Spark normalises ASCII cells. Other cells go through Python, which has NFKC. Each step is a
    projection of its own: in a single expression the copies of a cell would multiply and planning
    would take minutes.

    Args:
        frame: Frame whose columns named in `schemes` contain stripped cells.
        schemes: Column -> scheme of its identifiers.
        ascii_only: Whether all cells are ASCII.

    Returns:
        The frame with normalised columns; null for a missing or placeholder identifier.
    """
    if not ascii_only:
        others = {
            f"_other_{name}": _normalise_in_python(scheme)(F.when(~_is_ascii(name), F.col(name)))
            for name, scheme in schemes.items()
        }
        frame = frame.withColumns(others)
    for step in (_unwrapped, _upper, _without_decimals, _without_points, _without_zeros):
        frame = frame.withColumns({n: step(F.col(n), scheme) for n, scheme in schemes.items()})
    if not ascii_only:
        merged = {n: F.coalesce(f"_other_{n}", n) for n in schemes}
        frame = frame.withColumns(merged).drop(*others)
    identifiers = {n: _without_placeholders(F.col(n), scheme) for n, scheme in schemes.items()}
    return frame.withColumns(identifiers)


def _is_ascii(name: str) -> Column:
    return F.length(name) == F.octet_length(name)


def _unwrapped(cell: Column, _scheme: Scheme) -> Column:
    """Drops the quotes that spreadsheets add, for an ASCII cell."""
    inner = F.regexp_replace(cell, _WRAPPED.pattern, "$1")
    inner = F.regexp_replace(inner, _EDGE_WHITESPACE, "")
    inner = F.regexp_replace(inner, f"^[{_TEXT_MARKS}]+", "")
    quoted = F.substring(cell, 1, 1).isin("'", "=", '"')
    return F.when(quoted, F.regexp_replace(inner, _EDGE_WHITESPACE, "")).otherwise(cell)


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
    """Whether a normalised identifier matches the pattern that its scheme declares."""
    return identifier.rlike(rf"\A(?:{scheme.shape})\z")


def _normalise_in_python(scheme: Scheme) -> Callable[[Column], Column]:
    def normalise(values: pd.Series) -> pd.Series:
        return values.map(lambda v: None if v is None else normalise_text(v, scheme))

    udf: Callable[[Column], Column] = pandas_udf(normalise, "string")  # type: ignore[call-overload]
    return udf


def digest(identifier: Column, inner: Column, outer: Column) -> Column:
    """HMAC-SHA256 of a normalised identifier.

    Args:
        identifier: The normalised identifier.
        inner: Inner pad of the subkey.
        outer: Outer pad of the subkey.

    Returns:
        64 hexadecimal digits; null for null.
    """
    message = F.concat(inner, identifier.cast("binary"))
    return F.sha2(F.concat(outer, F.unhex(F.sha2(message, 256))), 256)


def token(digest_: Column) -> Column:
    """The first eight bytes of a digest as a signed big-endian BIGINT."""
    # The cast to binary avoids counting characters.
    first = F.substring(digest_.cast("binary"), 1, 16).cast("string")
    return F.conv(first, 16, -10).cast("bigint")
