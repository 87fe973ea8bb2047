"""The one source of the key."""

import pytest

from socare_spark.contracts.project import Project, Scheme
from socare_spark.errors import NotPermittedError
from socare_spark.ingest.key_source import find_key
from socare_spark.ingest.pseudonym import Keyring, open_keyring

PROJECT = Project(council="c", project="p", key_id="k1", schemes={"a": Scheme()})
TEXT = "ab" * 32
KEY = bytes.fromhex(TEXT)


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.write_text(TEXT)
    path.chmod(0o600)
    return str(path)


def test_no_source_is_refused():
    with pytest.raises(NotPermittedError, match="No key is set"):
        find_key({"SOCARE_KEY": "", "SOCARE_KEY_FILE": ""})


def test_a_file_and_the_environment_give_the_same_key(key_file):
    assert find_key({"SOCARE_KEY_FILE": key_file}).key() == KEY
    assert find_key({"SOCARE_KEY": TEXT}).key() == KEY


@pytest.mark.parametrize("value", [TEXT, "demo"])
def test_two_sources_are_refused(key_file, value):
    with pytest.raises(NotPermittedError, match="SOCARE_KEY_FILE names and in SOCARE_KEY") as error:
        find_key({"SOCARE_KEY_FILE": key_file, "SOCARE_KEY": value})
    assert TEXT not in str(error.value)


@pytest.mark.parametrize("key", ["00" * 31, "not a key", "abcd"])
def test_a_weak_key_is_refused_and_not_shown(key):
    source = find_key({"SOCARE_KEY": key})
    with pytest.raises(NotPermittedError) as error:
        source.key()
    assert key not in str(error.value)
    assert key not in repr(source)


def test_a_key_file_that_others_can_read_is_refused(key_file, tmp_path):
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(NotPermittedError, match="chmod 600"):
        find_key({"SOCARE_KEY_FILE": key_file})


def test_a_keyring_has_the_key_of_its_source(key_file):
    ring = open_keyring(PROJECT, synthetic=False, environment={"SOCARE_KEY_FILE": key_file})
    assert ring.subkey("a") == Keyring(KEY, PROJECT).subkey("a")
    assert TEXT[:16] not in repr(ring)
