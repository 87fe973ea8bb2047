"""Finds the project's key: in a file, in the environment or in Hadoop's credential provider.

Exactly one source may have a key. A second one is refused, because tokens of two keys do not match.
Messages name the source and never the key.
"""

import base64
import binascii
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError

from socare_spark.errors import NotPermittedError

KEY_FILE = "SOCARE_KEY_FILE"
KEY = "SOCARE_KEY"
ALIAS = "socare.key"
DEMO = "demo"
_MIN_KEY_BYTES = 32
_PROVIDER = "hadoop.security.credential.provider.path"


@dataclass(frozen=True)
class KeySource:
    """The source of a key.

    Attributes:
        name: The source, as messages name it.
    """

    name: str
    _text: str

    def __repr__(self) -> str:
        return f"KeySource({self.name})"

    @property
    def is_demo(self) -> bool:
        """Whether it is the public key of synthetic data."""
        return self.name == KEY and self._text.strip().lower() == DEMO

    def key(self) -> bytes:
        """The key.

        Raises:
            NotPermittedError: the text is no key, or the key is too short.
        """
        text = "".join(self._text.split())
        for decode in (bytes.fromhex, lambda t: base64.b64decode(t, validate=True)):
            try:
                key = decode(text)
            except (ValueError, binascii.Error):
                continue
            if len(key) >= _MIN_KEY_BYTES:
                return key
        raise NotPermittedError(
            f"The key in {self.name} is not {_MIN_KEY_BYTES} bytes or more in hexadecimal or "
            "base64: create one with: openssl rand -hex 32"
        )


def find_key(environment: Mapping[str, str], configuration: Any = None) -> KeySource:  # noqa: ANN401
    """Finds the one source that has a key.

    Args:
        environment: Environment variables.
        configuration: Hadoop's configuration, a Java object; None without Spark.

    Raises:
        NotPermittedError: no source or more than one has a key, or a source cannot be read.
    """
    sources = []
    if path := environment.get(KEY_FILE):
        sources.append(KeySource(f"the file {KEY_FILE} names", _read_key_file(Path(path))))
    if value := environment.get(KEY):
        sources.append(KeySource(KEY, value))
    if configuration is not None and (stored := _read_provider(configuration)) is not None:
        sources.append(KeySource(f"{ALIAS} of Hadoop's credential provider", stored))
    if len(sources) > 1:
        names = " and in ".join(source.name for source in sources)
        raise NotPermittedError(f"The key is set in {names}: keep one of them.")
    if not sources:
        raise NotPermittedError(
            f"No key is set for pseudonymisation: set {KEY_FILE} to a file that only you can read, "
            "created for example with: openssl rand -hex 32. On a cluster, set "
            f"{KEY} from a secret, or store {ALIAS} in Hadoop's credential provider and set "
            f"spark.hadoop.{_PROVIDER}."
        )
    return sources[0]


def _read_key_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise NotPermittedError(
                f"The key file {path} is readable by other users: run chmod 600 {path}"
            )
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise NotPermittedError(
            f"The key file {path} cannot be read: {KEY_FILE} must name a text file with the key "
            "in hexadecimal or base64."
        ) from None


def _read_provider(configuration: Any) -> str | None:  # noqa: ANN401 - a Java object
    """The key of the credential provider; None if no provider has it.

    Raises:
        NotPermittedError: the provider cannot be read, or the key is a setting in clear text.
    """
    if configuration.get(ALIAS) is not None:
        raise NotPermittedError(
            f"The key is in clear text in the setting spark.hadoop.{ALIAS}, which programs show "
            f"and store: remove it, make a new key, and keep that in a file, in {KEY} from a "
            "secret, or in Hadoop's credential provider."
        )
    if not configuration.get(_PROVIDER):
        return None
    try:
        characters = configuration.getPassword(ALIAS)
    except Py4JError:
        raise NotPermittedError(
            f"Hadoop's credential provider of spark.hadoop.{_PROVIDER} cannot be read: check its "
            "path, the permissions of its file and its password."
        ) from None
    return None if characters is None else "".join(characters)
