"""Spellings against a full table of alignments, and groups by what they must and must not join."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socare_spark.measures.spelling import fingerprint, letters, one_slip, spelling_groups


def alignment(a, b):
    """Optimal string alignment distance, by the whole table."""
    table = [[i + j if not i * j else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, j in itertools.product(range(1, len(a) + 1), range(1, len(b) + 1)):
        table[i][j] = min(
            table[i - 1][j] + 1,
            table[i][j - 1] + 1,
            table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
        )
        if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
            table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_one_slip_is_an_alignment_distance_of_one(a, b):
    assert one_slip(a, b) == (alignment(a, b) <= 1)


@given(st.lists(st.text("abcd ", min_size=4, max_size=7), max_size=14, unique=True))
def test_every_pair_one_slip_apart_is_found(texts):
    groups = spelling_groups(dict.fromkeys(texts, 1), shortest=3)
    for a, b in itertools.combinations(texts, 2):
        near = min(len(letters(a)), len(letters(b))) >= 3 and one_slip(letters(a), letters(b))
        if near or (fingerprint(a) and fingerprint(a) == fingerprint(b)):
            assert groups[a] == groups[b]


def test_a_blank_in_the_wrong_place_is_no_other_word():
    assert set(spelling_groups({"Lift Lost": 9, "Lif tLost": 1}, shortest=20)) == {
        "Lift Lost",
        "Lif tLost",
    }


def test_the_most_used_spelling_is_canonical():
    large = "Special Waste Collection: Large Items"
    records = {large: 90_655, f"{large}.": 12, large.upper(): 12, "Pest Control": 5}
    assert spelling_groups(records, 8) == {t: large for t in records if t != "Pest Control"}


def test_of_equally_used_spellings_the_first_is_canonical():
    assert set(spelling_groups({"Bulky waste": 3, "Bulky Waste": 3}, 8).values()) == {"Bulky Waste"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Council Tax Form 1", "Council Tax Form 2"),
        ("Council Tax Form 1", "Council Tax Form 11"),
        ("Bin lost", "Bin last"),  # too short to tell a slip from another word
        ("Missed collection", "Missed collections twice"),
        ("- -", "..."),
    ],
)
def test_other_things_stay_apart(one, other):
    assert spelling_groups({one: 1, other: 1}, 10) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wheelie bin replacement", "Wheelie bin replacment"),
        ("Wheelie bin replacement", "Wheelie-bin replacement"),
        ("Re-cycling box", "Recycling box"),
        ("Café licence", "CAFE LICENCE"),
        ("Recycling box", "Box, recycling"),
    ],
)
def test_one_thing_is_joined(one, other):
    assert spelling_groups({one: 2, other: 1}, 10) == {one: one, other: one}
