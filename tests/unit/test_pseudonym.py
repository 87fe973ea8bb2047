"""Tokens against the published vectors, and the rules about keys."""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from socare_spark.contracts.project import Project, Scheme
from socare_spark.errors import NotPermittedError
from socare_spark.ingest.key_check import check_key
from socare_spark.ingest.pseudonym import Keyring, normalise_text, open_keyring
from socare_spark.storage.local import LocalStorage

PROJECT = Project(
    council="c", project="p", key_id="k1", schemes={"a": Scheme(), "b": Scheme(person=True)}
)
KEY = bytes(range(32))


def by_pads(pads, message):
    inner = hashlib.sha256(pads.inner + message).digest()
    return hashlib.sha256(pads.outer + inner).hexdigest()


def test_pads_give_hmac():
    ring = Keyring(KEY, PROJECT)
    expected = hmac.new(ring.subkey("a"), b"4711", hashlib.sha256).hexdigest()
    assert by_pads(ring.pads("a"), b"4711") == expected


@pytest.mark.parametrize(
    ("key", "data", "mac"),
    [  # RFC 4231, test cases 1, 2 and 3
        (
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 20,
            b"\xdd" * 50,
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
    ],
)
def test_rfc_4231(monkeypatch, key, data, mac):
    ring = Keyring(KEY, PROJECT)
    monkeypatch.setattr(Keyring, "subkey", lambda self, scheme: key)
    assert by_pads(ring.pads("a"), data) == mac


def test_rfc_5869_case_1():
    derived = HKDF(
        hashes.SHA256(),
        length=42,
        salt=bytes.fromhex("000102030405060708090a0b0c"),
        info=bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"),
    ).derive(b"\x0b" * 22)
    assert derived.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_subkey_is_hkdf_by_hand():
    ring = Keyring(KEY, PROJECT)
    info = b'["socare_spark", "c", "p", "a", "k1"]'
    extracted = hmac.new(b"\0" * 32, KEY, hashlib.sha256).digest()
    expected = hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()
    assert ring.subkey("a") == expected


@pytest.mark.parametrize("changed", ["council", "project", "key_id"])
def test_every_part_of_the_domain_changes_the_subkey(changed):
    other = PROJECT.model_copy(update={changed: "other"})
    assert Keyring(KEY, PROJECT).subkey("a") != Keyring(KEY, other).subkey("a")
    assert Keyring(KEY, PROJECT).subkey("a") != Keyring(KEY, PROJECT).subkey("b")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("4711", "4711"),
        (" 4711\t", "4711"),
        ("0004711", "4711"),
        ("４７１１", "4711"),  # full width
        ("ab12", "AB12"),
        ("000", "0"),
        ("", ""),
        ("47 11", "4711"),
    ],
)
def test_normalise(written, read):
    assert normalise_text(written, Scheme(strip_leading_zeros=True, remove=" ")) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [("4000001.0", "4000001"), ("40.000.01", "4000001"), ("4 000-001.0", "4000001"), ("1.00", "1")],
)
def test_trailing_decimals_are_removed_before_points(written, read):
    assert normalise_text(written, Scheme(remove=". -")) == read


def test_the_demo_key_serves_the_twin_only():
    assert open_keyring(PROJECT, synthetic=True, environment={"SOCARE_KEY": "demo"})
    with pytest.raises(NotPermittedError, match="synthetic"):
        open_keyring(PROJECT, synthetic=False, environment={"SOCARE_KEY": "demo"})


KEY_CHECK = "restricted/key_check.json"


def test_changed_scheme_is_refused_by_an_existing_lake(tmp_path):
    check_key(Keyring(KEY, PROJECT), LocalStorage(tmp_path))
    more = {**PROJECT.schemes, "c": Scheme()}
    check_key(Keyring(KEY, PROJECT.model_copy(update={"schemes": more})), LocalStorage(tmp_path))
    for name in ("a", "c"):
        other = {**more, name: Scheme(strip_leading_zeros=True)}
        with pytest.raises(NotPermittedError, match=f"the scheme {name}"):
            check_key(
                Keyring(KEY, PROJECT.model_copy(update={"schemes": other})), LocalStorage(tmp_path)
            )
    check_key(Keyring(KEY, PROJECT), LocalStorage(tmp_path))


def test_a_shape_changes_no_token_so_it_can_change(tmp_path):
    check_key(Keyring(KEY, PROJECT), LocalStorage(tmp_path))
    other = {**PROJECT.schemes, "a": PROJECT.schemes["a"].model_copy(update={"shape": "[0-9]+"})}
    check_key(Keyring(KEY, PROJECT.model_copy(update={"schemes": other})), LocalStorage(tmp_path))


def test_lakes_of_earlier_versions_keep_their_schemes(tmp_path):
    path, scheme = tmp_path / KEY_CHECK, Scheme(strip_leading_zeros=True)
    project = PROJECT.model_copy(update={"schemes": {"a": scheme}})
    check_key(Keyring(KEY, project), LocalStorage(tmp_path))
    recorded = json.loads(path.read_text())
    # The digest of Scheme(strip_leading_zeros=True) when it had the shape of that time.
    path.write_text(json.dumps({**recorded, "the scheme a": "4837a7d1ef3aea8a"}))
    check_key(Keyring(KEY, project), LocalStorage(tmp_path))


def test_another_key_or_council_is_refused_by_an_existing_lake(tmp_path):
    path = tmp_path / KEY_CHECK
    check_key(Keyring(KEY, PROJECT), LocalStorage(tmp_path))
    check_key(Keyring(KEY, PROJECT), LocalStorage(tmp_path))
    with pytest.raises(NotPermittedError, match="another key"):
        check_key(Keyring(KEY[::-1], PROJECT), LocalStorage(tmp_path))
    other = PROJECT.model_copy(update={"council": "elsewhere"})
    with pytest.raises(NotPermittedError, match="council"):
        check_key(Keyring(KEY, other), LocalStorage(tmp_path))
    assert KEY.hex() not in path.read_text()


def test_lake_with_a_lost_or_damaged_key_check_is_refused(tmp_path):
    path = tmp_path / KEY_CHECK
    with pytest.raises(NotPermittedError, match=r"key_check\.json, which identifies"):
        check_key(Keyring(KEY, PROJECT), LocalStorage(tmp_path), begun=True)
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(NotPermittedError, match="missing or damaged"):
        check_key(Keyring(KEY, PROJECT), LocalStorage(tmp_path), begun=True)
