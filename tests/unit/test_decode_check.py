"""The encoding of a file is checked piece by piece."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socare_spark.errors import DataError
from socare_spark.ingest.decode_check import DecodeCheckedStream, is_utf_8


def is_accepted(data: bytes, size: int) -> bool:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    try:
        return b"".join(DecodeCheckedStream(iter(pieces), "utf-8")) == data
    except DataError:
        return False


def decodes(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.text(st.sampled_from("a\n\u00a3\u20ac\U0001f600"), max_size=20), st.integers(1, 5))
def test_pieces_can_end_within_a_character(text, size):
    assert is_accepted(text.encode(), size)


# Bytes of characters of each length, alone and in all orders.
@given(st.lists(st.sampled_from([0x41, 0x80, 0xBF, 0xC0, 0xC3, 0xE2, 0x82, 0xAC, 0xED, 0xA0, 0xF0,
                                 0x9F, 0x98, 0xF4, 0xF5, 0xFF]), max_size=8).map(bytes),
       st.integers(1, 8))  # fmt: skip
def test_bytes_are_accepted_if_they_decode(data, size):
    assert is_utf_8(data) == decodes(data)
    assert is_accepted(data, size) == decodes(data)


@pytest.mark.parametrize("piece", [b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3"])
def test_a_character_that_the_file_cuts_is_refused(piece):
    assert not is_accepted(b"caf" + piece, 16)
