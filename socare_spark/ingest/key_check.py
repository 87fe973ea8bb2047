"""Compares the key with the key of the lake, which one file of the lake identifies."""

import hashlib
import json
from collections.abc import Mapping

from socare_spark.contracts.project import FORMER_SHAPE, IDENTIFIER_SHAPE, Project, Scheme
from socare_spark.errors import NotPermittedError
from socare_spark.ingest.key_source import find_key
from socare_spark.ingest.pseudonym import Keyring, open_keyring
from socare_spark.lake.transaction import write_durably
from socare_spark.session import hadoop_configuration
from socare_spark.storage.storage import Storage

_KEY_CHECK = "restricted/key_check.json"


def check_key(keyring: Keyring, storage: Storage, *, begun: bool = False) -> None:
    """Compares the key with the key of the lake; records it in a new lake.

    Args:
        keyring: The keyring.
        storage: Storage of the lake, with the file that identifies its key.
        begun: Whether the lake already contains rows.

    Raises:
        NotPermittedError: the lake was created with another key, council, project or key id, a
            scheme has changed, or the lake contains rows and the file is missing or damaged.
    """
    identity, current = _identity(keyring), _schemes(keyring)
    content = _read_key_check(storage)
    if content is None and not begun:
        write_durably(storage, _KEY_CHECK, identity | current)
        return
    recorded = _parse_key_check(content, storage)
    _compare(keyring, recorded)
    if not current.keys() <= recorded.keys():
        write_durably(storage, _KEY_CHECK, current | recorded)


def describe_key(project: Project, storage: Storage, environment: Mapping[str, str]) -> str:
    """A clause on the source of the key and on the key of the lake. Changes nothing.

    Args:
        project: Council, project and key id.
        storage: Storage of the lake.
        environment: Environment variables.

    Raises:
        NotPermittedError: there is no key, or it is not that of the lake.
    """
    source = find_key(environment, hadoop_configuration())
    keyring = open_keyring(project, synthetic=True, environment=environment)
    content = _read_key_check(storage)
    if content is None:
        return f"set in {source.name}; the lake has no key yet"
    _compare(keyring, _parse_key_check(content, storage))
    return f"set in {source.name}; the lake has the same key"


def _read_key_check(storage: Storage) -> bytes | None:
    try:
        return storage.read(_KEY_CHECK)
    except (PermissionError, IsADirectoryError):
        return b""


def _identity(keyring: Keyring) -> dict[str, str]:
    return {
        "council": keyring.project.council,
        "project": keyring.project.project,
        "key_id": keyring.project.key_id,
        "check": keyring.check_value(),
    }


def _schemes(keyring: Keyring) -> dict[str, str]:
    schemes = keyring.project.schemes
    return {f"the scheme {name}": _scheme_digest(scheme) for name, scheme in schemes.items()}


def _compare(keyring: Keyring, recorded: Mapping[str, str]) -> None:
    """Compares a keyring with the key of a lake.

    Raises:
        NotPermittedError: they differ.
    """
    identity, current = _identity(keyring), _schemes(keyring)
    schemes = {f"the scheme {name}": s for name, s in keyring.project.schemes.items()}
    changed = [
        name
        for name, scheme in schemes.items()
        if recorded.get(name, current[name]) not in (current[name], _former_digest(scheme))
    ]
    if changed:
        raise NotPermittedError(
            f"conf/project.yaml has changed {', '.join(changed)} since this lake was created, so "
            "existing tokens would no longer match: restore it, or use a new lake."
        )
    different = [name for name, value in identity.items() if recorded.get(name) != value]
    if different:
        names = "the key" if different == ["check"] else ", ".join(different)
        raise NotPermittedError(
            f"This lake was pseudonymised with another {names.removeprefix('the ')}: use the one "
            "that it was created with, or use a new lake."
        )


def _scheme_digest(scheme: Scheme) -> str:
    """Digest of the keys that determine tokens. The shape determines the valid identifiers only."""
    return _digest_of(scheme.model_dump_json(exclude={"shape"}))


def _former_digest(scheme: Scheme) -> str:
    """The digest of earlier versions, which had the shape."""
    shape = FORMER_SHAPE if scheme.shape == IDENTIFIER_SHAPE else scheme.shape
    return _digest_of(scheme.model_copy(update={"shape": shape}).model_dump_json())


def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _parse_key_check(content: bytes | None, storage: Storage) -> dict[str, str]:
    try:
        recorded = json.loads(content or b"")
    except ValueError:
        recorded = None
    if not isinstance(recorded, dict):
        raise NotPermittedError(
            f"The lake contains rows, but {storage.location}/{_KEY_CHECK}, which identifies their "
            "key, is missing or damaged, and another key would give each person a second token: "
            "restore the file from a backup, or use a new lake."
        )
    return recorded
